"""Chapter 01: from a shape to its sums, beside what the post states."""

from __future__ import annotations

from typing import Any

from gpt4lab.chapters.c01_parameters.named import SUMS, misses, named, signed
from gpt4lab.charts import Axis, dots
from gpt4lab.charts.marks import pinned
from gpt4lab.claims import ledger
from gpt4lab.claims.prose import fill
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import values
from gpt4lab.scenario import Scenario, load_scenario

LANES: dict[str, str] = dict(zip(SUMS, ("attention", "one expert", "all", "what a token uses"), strict=True))
PARAMS = Axis("params", "Parameters", log=True, form="count", domain=(1e10, 4e12))
STATED = ("model.attention_params", "model.expert_params", "model.total_params", "model.active_params")


def solver_view(scenario: Scenario) -> View:
    """The four sums of a shape, the post's beside them, and the worst miss."""
    post = load_scenario("leak")
    sums = zip(LANES.values(), values(SUMS, scenario).values(), values(STATED, post).values(), strict=True)
    rows = list[dict[str, Any]]()
    for lane, mine, theirs in sums:
        rows.append(pinned({"lane": lane, "params": mine, "mark": "you"}, PARAMS))
        rows.append({"lane": lane, "params": theirs, "mark": "post"})
    return View(
        label="The sum that is missed by most",
        value=worst(scenario),
        unit="fraction",
        post=worst(post),
        whose="the shape that the panel starts at",
        sentence=_sentence(scenario),
        rows={"data": rows},
        alt="Attention, one expert, all parameters and those a token uses: of this shape, and of the post's parts.",
    )


def worst(scenario: Scenario) -> float:
    """How far the worst of the four sums is off, as a share."""
    return max(abs(miss) for miss in misses(scenario).values())


def _sentence(scenario: Scenario) -> str:
    off = misses(scenario)
    told = ", ".join(f"{LANES[of]} {signed(miss)}" for of, miss in off.items())
    return fill(
        "This shape has {geometry.attention_params} of attention, {geometry.expert_params} in an expert, and "
        f"{{geometry.total_params}} in all. Against the sums of the post's parts: {told}.",
        scenario,
    )


def _preset(name: str) -> dict[str, Any]:
    model = named()[name].model
    fields = ("d_model", "heads", "head_dim", "kv_heads", "d_ff")
    return {f"model.{field}": getattr(model, field) for field in fields}


solver = Panel(
    title="Count a shape",
    legend="Four sums of the shape that you set, beside the post's. Embedding, norms and routers are left out on both "
    "sides.",
    controls=(
        Slide("model.d_model", 4096, 24_576),
        Slide("model.heads", 8, 256),
        Slide("model.head_dim", 32, 512),
        Slide("model.kv_heads", 1, 84),
        Slide("model.d_ff", 4096, 98_304),
        Slide("model.layers", 24, 240),
    ),
    folded=("model.gated", Slide("model.experts", 1, 64), Slide("model.top_k", 1, 8)),
    presets={
        "One key-value head, as the post claims": "leak",
        "Every head its own": _preset("one width for both sums"),
        "Wider": _preset("wider, one key-value head"),
        "Epoch AI's": dict(ledger()["C03"].assume),
        "NVIDIA's proxy": _preset("NVIDIA's proxy"),
        "The same, every head its own": {**_preset("NVIDIA's proxy"), "model.kv_heads": 120},
    },
    tour=(
        (
            {},
            "With one key-value head this width has {geometry.attention_params} of attention: half of what is stated.",
        ),
        (_preset("one width for both sums"), "Give every head its own keys: {geometry.attention_params}."),
        (dict(ledger()["C03"].assume), "Or make the heads wider: {geometry.attention_params}, one key-value head."),
    ),
    claims=("C02", "C03", "C07", "C10"),
    view=solver_view,
    chart=lambda view: dots(view.rows["data"], PARAMS, "lane"),
)
