"""Layouts that the Ultra-Scale Playbook measured (`references["playbook2025"]`, Apache-2.0): speed and memory of each.

Llama-shaped models on 8 to 512 H100, sequences of 4,096, a million tokens a step, gradients summed in fp32. Rows that
crashed or ran out of memory, which the figure does not tell apart, have neither. `memory_bytes` is the peak that
PyTorch's allocator had reserved; the figure's GB are GiB.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import attrs

GIB = 2.0**30


@attrs.frozen
class MeasuredLayout:
    """One layout of a model, and what it reached; None where it did not run."""

    model: str
    nodes: int
    data: int
    tensor: int
    pipeline: int
    micro_batch: int
    steps: int
    zero: int
    mfu: float | None
    tokens_per_s_per_gpu: float | None
    memory_bytes: float | None

    @property
    def gpus(self) -> int:
        """GPUs of the layout."""
        return self.data * self.tensor * self.pipeline

    @property
    def batch(self) -> int:
        """Sequences of a step."""
        return self.data * self.micro_batch * self.steps


@cache
def playbook_layouts() -> tuple[MeasuredLayout, ...]:
    """All rows of the figure that are shipped, in its order."""
    return tuple(map(_layout, _rows("playbook_layouts.csv")))


@cache
def playbook_scaling() -> dict[str, dict[int, float]]:
    """Series of the same playbook: tokens/s and GPU by GPUs, and GB/s of each collective of 256 MB by nodes of 8."""
    found: dict[str, dict[int, float]] = {}
    for row in _rows("playbook_scaling.csv"):
        found.setdefault(row["series"], {})[int(row["x"])] = float(row["value"])
    return found


def _rows(name: str) -> list[dict[str, str]]:
    import csv

    return [*csv.DictReader(files("gpt4lab.catalog").joinpath(name).read_text("utf-8").splitlines())]


def _layout(row: dict[str, str]) -> MeasuredLayout:
    ran = row["mfu_pct"] != "nan"
    return MeasuredLayout(
        model=row["model"],
        nodes=int(row["nodes"]),
        data=int(row["dp"]),
        tensor=int(row["tp"]),
        pipeline=int(row["pp"]),
        micro_batch=int(row["micro_batch"]),
        steps=int(row["grad_acc"]),
        zero=int(row["zero"]),
        mfu=float(row["mfu_pct"]) / 100 if ran else None,
        tokens_per_s_per_gpu=float(row["tok_s_gpu"]) if ran else None,
        memory_bytes=float(row["memory_gb"]) * GIB if ran else None,
    )
