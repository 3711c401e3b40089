"""Chapter 01: an expert is twice the attention. That may be rare, or not."""

from __future__ import annotations

from functools import cache
from math import log
from typing import Any

from gpt4lab import catalog
from gpt4lab.chapters.c01_parameters.named import one_width
from gpt4lab.charts import Axis, dots
from gpt4lab.charts.marks import pinned
from gpt4lab.claims.prose import fill
from gpt4lab.models.search import parameters
from gpt4lab.models.search.family import STEP
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

RATIO = Axis("ratio", "One feed-forward network over attention, parameters", log=True, domain=(0.1, 12))
PLAIN = 2.0  # of a block with four d × d matrices of attention and two of d × 4d


@cache
def ratios() -> dict[str, float]:
    """Of every published model: one feed-forward network, or one expert, over attention, all layers together."""
    found = dict[str, float]()
    for model in catalog.models.values():
        try:
            parts = parameters.published(model)
        except catalog.MissingFact:
            continue
        one = parts.routed / model.need("n_experts") if model.n_experts else parts.dense
        found[model.name] = one / parts.attention
    return dict(sorted(found.items(), key=lambda one: one[1]))


def ratio(scenario: Scenario) -> float:
    """The same of the stated sums."""
    return value("model.expert_params", scenario) / value("model.attention_params", scenario)


def as_near(scenario: Scenario) -> list[str]:
    """The published models whose ratio is as near to that of a plain block."""
    off = abs(log(ratio(scenario) / PLAIN))
    return [name for name, one in ratios().items() if abs(log(one / PLAIN)) <= off]


def by_chance(scenario: Scenario) -> float:
    """The chance to be as near, if any ratio between those of published models were as likely as any other."""
    known = [*ratios().values()]
    return min(1.0, 2 * abs(log(ratio(scenario) / PLAIN)) / log(known[-1] / known[0]))


def whole_by_chance() -> float:
    """The chance that a span of widths as wide as the one that fits both sums holds a multiple of 128."""
    low, high = one_width()
    return min(1.0, (high - low) / STEP)


def coincidence_view(scenario: Scenario) -> View:
    """The stated ratio among those of published models."""
    post, mixtures = load_scenario("leak"), {model.name for model in catalog.models.values() if model.n_experts}
    rows: list[dict[str, Any]] = [
        {"lane": "mixture of experts" if name in mixtures else "dense", "ratio": one, "mark": "published",
         "label": name if name == "GPT-3 175B" else ""}
        for name, one in ratios().items()
    ]  # fmt: skip
    rows.append({"lane": "stated", "ratio": ratio(post), "mark": "post"})
    rows.append(pinned({"lane": "stated", "ratio": ratio(scenario), "mark": "you"}, RATIO))
    return View(
        label="One expert over attention",
        value=ratio(scenario),
        unit="x",
        post=ratio(post),
        sentence=_sentence(scenario),
        rows={"data": rows},
        alt="Parameters of one feed-forward network over those of attention, for dense models, for mixtures, and as "
        "the post states them.",
    )


def _sentence(scenario: Scenario) -> str:
    near, apart = as_near(scenario), value("geometry.width_from_expert", scenario)
    apart = abs(apart / value("geometry.width_from_attention", scenario) - 1)
    return fill(
        "Attention gives a width of {geometry.width_from_attention:,.0f}, an expert one of "
        f"{{geometry.width_from_expert:,.0f}}: {show(apart, 'fraction')} apart. {len(near)} of {len(ratios())} "
        "published models are as near to the ratio of a plain block; were every ratio equally likely, "
        f"{show(by_chance(scenario), 'fraction')} would be.",
        scenario,
    )


coincidence = Panel(
    title="Is it a coincidence?",
    legend="One feed-forward network, or one expert, over attention: every published model of the catalog, and what is "
    "stated. A plain block, as GPT-3's, has exactly two.",
    controls=(
        Slide("model.shared_params", 1e10, 4e11),
        Slide("model.expert_params", 1e10, 1e12),
        Slide("model.layers", 24, 240),
    ),
    presets={"The post": "leak", "GPT-3's": "gpt-3-175b", "Mixtral 8x7B": "mixtral-8x7b", "DeepSeek-V3": "deepseek-v3"},
    claims=("C03",),
    view=coincidence_view,
    chart=lambda view: dots(view.rows["data"], RATIO, "lane"),
)
