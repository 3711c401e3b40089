"""Chapter 11: how much faster an H100 must be for the two figures, and what of that can be accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log2, prod

from gpt4lab import catalog
from gpt4lab.charts import Axis, bars
from gpt4lab.models.decode.newer import CHANGES, at_measured_rates, on_roofline
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario

PARTS = (*CHANGES, "left over")
DOUBLINGS = Axis("doublings", "Doublings of a GPU’s tokens/s", domain=(0, 4))
MODELS = ("on the roofline", "at measured rates")


def newer_view(scenario: Scenario) -> View:
    """What the figures ask of the newer machine, and what is left when all that is known is counted."""
    needed = value("rerun.throughput_ratio", scenario)
    found = dict(zip(MODELS, (on_roofline(scenario), at_measured_rates(scenario)), strict=True))
    left = {words: needed / prod(gains.values()) for words, gains in found.items()}
    here, theirs = catalog.accelerators[scenario.rerun.accelerator], catalog.accelerators[scenario.serving.accelerator]
    return View(
        "Times faster than can be accounted for",
        left[MODELS[1]],
        "x",
        f"For both figures the newer GPU ({here.name}) must write {needed:.3g} times the tokens of the older "
        f"({theirs.name}). {_told(found[MODELS[1]])} {_remains(left[MODELS[1]])}",
        rows={"data": [row for words, gains in found.items() for row in _lane(words, gains, needed)]},
        alt="Two bars of doublings, on the roofline and at measured rates, cut into bandwidth, peak, links, precision, "
        "batch and what is left over.",
    )


def _told(gains: Mapping[str, float]) -> str:
    changed = [f"{part} {times:.2f}" for part, times in gains.items() if abs(times - 1) > 0.005]
    slower = any(times < 0.995 for times in gains.values())
    drawn = " (what is below 1 is not drawn)" if slower else ""
    return f"At measured rates: {', '.join(changed) or 'nothing changes'}{drawn}."


def _remains(left: float) -> str:
    if left > 1.03:
        return f"A factor of {left:.2f} is left over."
    return "Nothing is left over." if left > 0.97 else f"That is {1 / left:.2f} times what the figures ask for."


def _lane(words: str, gains: Mapping[str, float], needed: float) -> Iterator[Row]:
    left = {"left over": needed / prod(gains.values())}
    for part, times in {**gains, **left}.items():
        yield {"model": words, "part": part, "doublings": max(0.0, log2(times)), "times": times}


newer = Panel(
    title="From A100 to H100",
    legend="The factor that both figures ask for, in doublings, so that factors can be laid end to end. Each part is "
    "what the throughput gains when it is changed too, in this order: another order would cut the same length "
    "elsewhere. What remains up to the post’s factor is left over.",
    controls=(
        Slide("rerun.bytes_per_weight", 0.5, 4),
        Slide("rerun.tokens_in_flight", 64, 65_536),
        Slide("serving.tokens_in_flight", 64, 65_536),
        Slide("rerun.usd_per_gpu_hour", 0.5, 10),
        Slide("rerun.usd_per_1k_tokens", 2e-4, 0.02),
        "rerun.accelerator",
    ),
    folded=(
        Slide("serving.usd_per_1k_tokens", 2e-4, 0.05),
        Slide("serving.usd_per_gpu_hour", 0.2, 5),
        Slide("serving.mean_context", 16, 8192),
    ),
    presets={
        "16 bits, the same batch": "leak",
        "8 bits": {"rerun.bytes_per_weight": 1},
        "8 bits, twice the batch": {"rerun.bytes_per_weight": 1, "rerun.tokens_in_flight": 8192},
        "At one rent": {"rerun.usd_per_gpu_hour": 1},
    },
    tour=(
        ({}, "Half the cost at twice the rent: the newer GPU must be {rerun.throughput_ratio} as fast, not twice."),
        ({"rerun.bytes_per_weight": 1}, "Weights of {rerun.bytes_per_weight} halve what is read: the largest step."),
        (
            {"rerun.bytes_per_weight": 1, "rerun.tokens_in_flight": 8192},
            "With {rerun.tokens_in_flight} in flight on the newer machines little is left.",
        ),
    ),
    claims=("C54", "C53"),
    view=newer_view,
    chart=lambda view: bars(view.rows["data"], DOUBLINGS, "model", "part", order=PARTS),
)
