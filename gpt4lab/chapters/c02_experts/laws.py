"""Chapter 02: what the published laws say about more experts, and how far they are stretched to say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis, line
from gpt4lab.charts.compose import shaded, stacked
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import crossing, value, values
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import counted, show

#: Law -> the quantity of its loss. Each was fitted to its own text, so only ratios within one law mean anything.
LAWS = {
    "Clark, S-BASE": "moe.s_base_loss",
    "Clark, RL-R": "moe.rl_r_loss",
    "Ludziejewski": "moe.ludziejewski_loss",
    "Abnar": "moe.abnar_loss",
}
EXPERTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
SIZES = [1e7 * 10 ** (i / 8) for i in range(41)]  # 10 million ... 1 trillion
SIZE_WORDS = "Size of the base model, parameters (one expert and what is shared)"
SIZE = Axis("size", SIZE_WORDS, log=True, form="count", domain=(SIZES[0], SIZES[-1]))
EXPERTS_AXIS = Axis("experts", "Experts, at your size", log=True, form="count", domain=(EXPERTS[0], EXPERTS[-1]))
NAMES = ("model.base_params", "model.active_params", "model.total_params")


def losses(scenario: Scenario, given: Mapping[str, Any] | None = None) -> dict[str, float]:
    """The loss by each law, in nats per token."""
    return dict(zip(LAWS, values(tuple(LAWS.values()), scenario, given).values(), strict=True))


def changes(scenario: Scenario, experts: int, size: float = 1.0) -> dict[str, float]:
    """How the loss differs with so many experts instead of the scenario's, by each law; `size` scales all weights."""
    other = change(scenario, {"model.experts": max(experts, scenario.model.top_k)})
    here, there = (losses(s, _scaled(s, size)) for s in (scenario, other))
    return {law: there[law] / here[law] - 1 for law in LAWS}


def _scaled(scenario: Scenario, size: float) -> dict[str, float]:
    """The sizes that the laws ask for, all multiplied."""
    return {name: number * size for name, number in values(NAMES, scenario).items()}


def fitted_to() -> float:
    """Active parameters of the largest model behind any of these fits."""
    return catalog.constants["ludziejewski2025"].N_active_fitted


def tokens_worth(scenario: Scenario) -> float:
    """How many times the training tokens would bring what the other experts bring, by Ludziejewski's law."""
    wanted, tokens = value("moe.ludziejewski_other_loss", scenario), scenario.training.tokens
    return crossing("moe.ludziejewski_loss", wanted, scenario, "training.tokens", tokens, 1e4 * tokens) / tokens


def laws_view(scenario: Scenario) -> View:
    """The change of loss from the scenario's experts to the other number: over sizes, and over numbers of experts."""
    other, base = scenario.model.other_experts, value("model.base_params", scenario)
    here = changes(scenario, other)
    over_sizes = [
        {"size": size, "change": gain, "law": law}
        for size in SIZES
        for law, gain in changes(scenario, other, size / base).items()
    ]
    over_experts = [
        {"experts": e, "against": gain, "law": law} for e in EXPERTS for law, gain in changes(scenario, e).items()
    ]
    return View(
        label=f"Loss with {counted(other, 'expert')} instead of {scenario.model.experts}",
        value=_spread(here),
        unit="fraction",
        post=_spread_of_the_post(),
        sentence=_sentence(scenario, here),
        rows={
            "data": [*over_sizes, *over_experts],
            "you": [
                pinned({"size": base, "label": "your model"}, SIZE),
                pinned({"experts": other, "label": counted(other, "expert")}, EXPERTS_AXIS),
            ],
            "post": [{"size": value("model.base_params", load_scenario("leak")), "label": "the post's model"}],
            "ranges": [{"from": SIZES[0], "to": fitted_to(), "label": "fitted here"}],
        },
        alt="Change of loss against model size, one line a law; below it against the number of experts.",
    )


def _spread_of_the_post() -> str:
    """The same spread for the post's own model."""
    leak = load_scenario("leak")
    return _spread(changes(leak, leak.model.other_experts))


def _spread(found: Mapping[str, float]) -> str:
    return f"{_percent(min(found.values()))} to {_percent(max(found.values()))}"


def _percent(change: float) -> str:
    return f"{change:+.1%}".replace("-", "−")


def _sentence(scenario: Scenario, here: dict[str, float]) -> str:
    stretch = value("model.active_params", scenario) / fitted_to()
    reach = f"{stretch:,.0f} times the largest model behind these fits" if stretch > 1 else "inside what was fitted"
    worth = tokens_worth(scenario)
    each = ", ".join(f"{law} {_percent(gain)}" for law, gain in here.items())
    return (
        f"{counted(scenario.model.other_experts, 'expert')} instead of {scenario.model.experts}: {each}. Your model "
        f"has {show(value('model.active_params', scenario), 'param')} active, {reach}.{_routed(scenario)} "
        f"{_worth(worth)}"
    )


def _routed(scenario: Scenario) -> str:
    """The other way in which Clark's laws are stretched: all their models route a token to one expert."""
    k = scenario.model.top_k
    return "" if k == 1 else f" Clark's models send a token to one expert, yours to {k}."


def _worth(factor: float) -> str:
    if factor < 1.005:
        return "By Ludziejewski's law this buys nothing."
    return f"By Ludziejewski's law the step buys what {factor:.2f} times the training tokens would."


def laws_chart(view: View) -> Any:
    """Above: one step in the number of experts, at every size. Below: every number of experts, at your size."""
    rows, law, order = view.rows["data"], "law", list(LAWS)
    look: Any = {"form": "percent", "domain": (-0.1, 0.1)}
    gain = Axis("change", "Change of loss with the other number of experts", **look)
    against = Axis("against", "Change of loss against your number of experts", **look)
    marks: Any = {"you": view.rows["you"], "post": view.rows["post"]}
    over_sizes = line(rows, SIZE, gain, law, order=order, height=220, **marks)
    over_experts = line(rows, EXPERTS_AXIS, against, law, order=order, height=180, **marks)
    return stacked(shaded(over_sizes, SIZE, view.rows["ranges"]), over_experts)


laws = Panel(
    title="Would 64 experts have been better?",
    legend="Four published laws, each fitted to many small models. Above: how the loss changes when the number of "
    "experts goes from yours to the other one, for every model size; below zero is better. The shaded part is "
    "where models were trained; the rest is stretched. Below: every number of experts, at your size.",
    controls=(
        Slide("model.other_experts", 1, 512),
        Slide("model.experts", 2, 512),
        Slide("model.expert_params", 1e7, 1e12),
        Slide("model.shared_params", 1e6, 1e12),
    ),
    folded=("model.top_k", "training.tokens"),
    claims=("C45",),
    presets={
        "The post: 64 for 16": "leak",
        "128 for 16": {"model.other_experts": 128},
        "Where it was fitted": {"model.expert_params": 0.87e9, "model.shared_params": 0.43e9, "training.tokens": 130e9},
        "8 × 220B": "hotz-8x220b",
    },
    view=laws_view,
    chart=laws_chart,
    pulls={"experts": Pull("model.other_experts"), "size": Pull("model.expert_params", "model.base_params")},
)
