"""What a demo is asked to do, whether its layout can exist, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain
from math import inf
from typing import Any

import torch
from torch import Tensor

from gpt4lab.checks.check import Checks
from gpt4lab.models.board import HandMade
from gpt4lab.models.rules import LayoutError
from gpt4lab.rows import Row
from gpt4lab.toys.core.transformer import ToyConfig

Demands = Iterator[tuple[bool, str]]

VALUE_BYTES = 4  # the toy computes in fp32
FORMULA_BYTES = 2  # the formulas of `formulas.traffic` move 16-bit values

#: The schedules of `formulas.pipeline` (and ZB-V, which it lacks): torch's class, chunks of layers a rank.
SCHEDULES = {
    "gpipe": ("GPipe", 1),
    "1f1b": ("1F1B", 1),
    "interleaved": ("Interleaved1F1B", 2),
    "zero-bubble": ("InterleavedZeroBubble", 1),
    "zb-v": ("ZBVZeroBubble", 2),
}
DENSE = ToyConfig(n_layers=4, n_heads=4, n_kv_heads=4)
MIXTURE = ToyConfig(n_layers=2, n_heads=4, n_kv_heads=4, d_ff=64, n_experts=8, top_k=2)


@dataclass(frozen=True)
class Job:
    """A toy model, and how it is trained: `rows` sequences of `context` tokens a step, whatever the layout.

    micro_batches and schedule are for pipelines, reshard for FSDP (give weights back between forward and backward),
    work_s for `waiting` and `hand` (length of a pass of one micro-batch through one stage), blocks for `hand` (a
    schedule as `models.board` writes it).
    """

    model: ToyConfig = DENSE
    steps: int = 3
    rows: int = 8
    context: int = 64
    micro_batches: int = 4
    schedule: str = "1f1b"
    reshard: bool = True
    work_s: float = 0.03
    blocks: str = ""
    lr: float = 0.003
    seed: int = 0

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Tokens and targets (rows, context) of a step, the same on every rank: each token follows from the last."""
        tokens = torch.randint(self.model.vocabulary, (self.rows, 1), generator=torch.Generator().manual_seed(step))
        for _ in range(self.context):
            tokens = torch.cat([tokens, (5 * tokens[:, -1:] + 3) % self.model.vocabulary], dim=1)
        return tokens[:, :-1], tokens[:, 1:]


@dataclass(frozen=True)
class DemoReport:
    """What a demo found.

    losses: rows of step, one_process, distributed, difference. checks: bytes that all ranks together send in the last
    step, by collective, what each rank holds, the bubble. waiting: a row of times, bubble and micro-batches held.
    notes: sentences on what the formulas leave out.
    """

    demo: str
    ranks: int
    losses: list[Row] = field(default_factory=list)
    checks: Checks = field(default_factory=Checks)
    waiting: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def difference(self) -> float:
        """The largest distance of a loss from that of one process, in nats."""
        return max(abs(row["difference"]) for row in self.losses)

    def tables(self) -> dict[str, list[Row]]:
        """The tables that are not empty, by name."""
        columns = ("name", "what", "predicted", "found", "ratio")
        checks = [{name: getattr(check, name) for name in columns} for check in self.checks]
        named = {"losses": self.losses, "waiting": self.waiting, "checks": checks}
        return {name: rows for name, rows in named.items() if rows}


def check(demo: str, job: Job, ranks: int) -> None:
    """Refuse what cannot run, before any process has begun.

    Raises
    ------
    LayoutError : an unknown demo or schedule (with near matches), or numbers that do not divide.
    """
    known(demo, RULES, "demo")
    for holds, message in chain(_always(job, ranks), RULES[demo](job, ranks)):  # one by one: the later divide
        if not holds:
            raise LayoutError(message)


def known(name: str, names: Any, what: str) -> None:
    """Refuse a name that is not one of `names`, and say which ones are near.

    Raises
    ------
    LayoutError : for such a name.
    """
    if name not in names:
        near = get_close_matches(name, names, n=2, cutoff=0.5) or list(names)
        raise LayoutError(f"There is no {what} {name!r}. Did you mean: {', '.join(near)}?")


def _always(job: Job, ranks: int) -> Demands:
    yield ranks >= 2, f"ranks = {ranks}: nothing to distribute. Take two to four."
    for name in ("steps", "rows", "context", "micro_batches"):
        value: Any = getattr(job, name)
        yield isinstance(value, int) and value >= 1, f"{name} = {value!r} is not a whole number from 1 up."
    yield job.model.router_noise == 0, "Router noise differs from rank to rank, so the loss would too: set it to 0."
    yield 0 < job.work_s < inf, f"work_s = {job.work_s} is not a positive time."


def _tensor(job: Job, ranks: int) -> Demands:
    m = job.model
    yield m.n_heads % ranks == 0, f"{m.n_heads} heads do not divide over {ranks} tensor-parallel ranks."
    shared = m.n_kv_heads == 1  # is copied to every rank
    yield shared or m.n_kv_heads % ranks == 0, f"{m.n_kv_heads} key-value heads do not divide over {ranks} ranks."
    yield m.d_ff % ranks == 0, f"a feed-forward width of {m.d_ff} does not divide over {ranks} ranks."


def _pipeline(job: Job, ranks: int) -> Demands:
    known(job.schedule, SCHEDULES, "schedule")
    chunks, layers = SCHEDULES[job.schedule][1], job.model.n_layers
    cut = f"{layers} layers do not divide into {ranks} stages of {chunks} chunks."
    yield layers % (ranks * chunks) == 0, cut  # the toy's stages are even, with chunks and without
    yield job.rows % job.micro_batches == 0, f"{job.rows} rows do not divide into {job.micro_batches} micro-batches."
    yield from _rounds(job, ranks)


def _rounds(job: Job, ranks: int) -> Demands:
    known(job.schedule, SCHEDULES, "schedule")
    few = f"{job.micro_batches} micro-batches do not divide into rounds of {ranks} stages, as this schedule needs."
    yield job.schedule in {"gpipe", "1f1b"} or job.micro_batches % ranks == 0, few
    short = f"micro_batches = {job.micro_batches} is less than the {ranks} stages: 1F1B needs as many, gpipe one."
    yield job.schedule != "1f1b" or job.micro_batches >= ranks, short


def _hand(job: Job, ranks: int) -> Demands:
    board = HandMade(ranks, job.micro_batches, job.blocks)
    words = next((words for _, words in board.faults), "")
    yield not words, f"The schedule cannot run: {words}"
    of = f"{ranks} stages and {job.micro_batches} micro-batches"
    yield not board.missing, f"The schedule is not complete: {board.missing} blocks of {of} are missing."


def _data(job: Job, ranks: int) -> Demands:
    yield job.rows % ranks == 0, f"{job.rows} rows do not divide over {ranks} replicas."
    shared = "A capacity factor counts the tokens of one rank, so the loss would differ: leave it None."
    yield job.model.capacity_factor is None, shared


def _experts(job: Job, ranks: int) -> Demands:
    yield job.model.n_experts > 1, "The model has no experts: give n_experts and top_k."
    yield job.model.n_experts % ranks == 0, f"{job.model.n_experts} experts do not divide over {ranks} ranks."
    yield from _data(job, ranks)


def _tensor_fsdp(job: Job, ranks: int) -> Demands:
    yield ranks == 4, f"{ranks} ranks: two tensor-parallel pairs that share weights need exactly four."
    yield from _tensor(job, 2)
    yield from _data(job, 2)


#: The demos, and what each needs of a layout.
RULES: dict[str, Callable[[Job, int], Demands]] = {
    "tensor": _tensor,
    "pipeline": _pipeline,
    "data": _data,
    "zero1": _data,
    "fsdp": _data,
    "tensor+fsdp": _tensor_fsdp,
    "experts": _experts,
    "waiting": _rounds,
    "hand": _hand,
}
