"""Chapter 16: what a GPU of the fullest stage holds, by precision of the weights."""

from __future__ import annotations

from collections.abc import Iterator

from gpt4lab.chapters.c16_clusters.balancer import line_of
from gpt4lab.charts import Axis, bars
from gpt4lab.claims import ledger
from gpt4lab.models.decode.line import StageLine
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, change
from gpt4lab.units import show

PRECISIONS = {"FP16": 2.0, "8 bits": 1.0, "4 bits": 0.5}
PARTS = {"weights": "weights", "cache": "cache", "other": "overhead"}
MOST = 120  # GB that are drawn
GB = Axis("gb", "On a GPU of the fullest stage, GB", domain=(0, MOST))


def lines(scenario: Scenario) -> dict[str, StageLine]:
    """The stages at each precision."""
    return {name: line_of(change(scenario, {"serving.bytes_per_weight": each})) for name, each in PRECISIONS.items()}


def claimed_gb(scenario: Scenario, bytes_per_weight: float) -> float:
    """What the stated parameters of a node take of each of its GPUs, in GB."""
    return ledger()["C81"].stated[0] * bytes_per_weight / scenario.serving.tensor / 1e9


def memory_view(scenario: Scenario) -> View:
    """A bar a precision, with the card's memory and the post's sum."""
    found = lines(scenario)
    full = found["FP16"]
    fits = [name for name, here in found.items() if here.fits]
    return View(
        "A GPU of the fullest stage holds, in FP16",
        full.fullest_bytes,
        "byte",
        f"A GPU has {show(full.room_bytes, 'byte')}: {', '.join(fits) or 'no precision'} "
        f"{'fits' if len(fits) < 2 else 'fit'}. The post’s parameters of a node would take "
        f"{claimed_gb(scenario, 2):.1f} GB of each GPU in FP16; its source says less than 30, and less than 15 in 8 "
        "bits.",
        rows={
            "data": [row for name, here in found.items() for row in _bar(name, here)],
            "post": _marks(
                {name: claimed_gb(scenario, each) for name, each in PRECISIONS.items()}, "the post’s weights"
            ),
            "published": _marks(dict.fromkeys(PRECISIONS, full.room_bytes / 1e9), "a GPU has"),
        },
        alt="A bar for each precision: weights, cache and the rest on a GPU, with the card's memory.",
    )


def _marks(found: dict[str, float], words: str) -> list[Row]:
    """One a bar, named at the first."""
    return [
        {"precision": name, "gb": min(gb, MOST), "label": words if name == next(iter(found)) else ""}
        for name, gb in found.items()
    ]


def _bar(name: str, here: StageLine) -> Iterator[Row]:
    fullest = max((stage.memory for stage in here.stages), key=lambda memory: memory.total)
    for part, field in PARTS.items():
        yield {"precision": name, "part": part, "gb": getattr(fullest, field) / 1e9}


memory = Panel(
    title="Memory by precision",
    legend="What each of the eight GPUs of the fullest stage holds. The diamond is what the post’s 130 billion "
    "parameters a node would take, the triangle the memory of the card.",
    controls=(
        "serving.accelerator",
        Slide("serving.pipeline", 8, 24),
        Slide("serving.tokens_in_flight", 64, 65_536),
        Slide("serving.mean_context", 128, 32_768),
        "serving.bytes_per_kv",
        "stages.cut",
    ),
    presets={
        "A100 of 80 GB": {},
        "A100 of 40 GB": {"serving.accelerator": "a100-sxm-40gb"},
        "40 GB, short contexts": {"serving.accelerator": "a100-sxm-40gb", "serving.mean_context": 256},
        "Fourteen nodes": {"serving.pipeline": 14},
        "Contexts of 8k": {"serving.mean_context": 8192},
    },
    claims=("C81",),
    view=memory_view,
    chart=lambda view: bars(
        view.rows["data"], GB, "precision", "part", order=tuple(PARTS), post=view.rows["post"],
        published=view.rows["published"],
    ),
)  # fmt: skip
