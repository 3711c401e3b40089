"""Chapter 03: what one token costs, by part and by context."""

from __future__ import annotations

from typing import Any

from gpt4lab.charts import Axis, line
from gpt4lab.claims import judge, ledger
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

CONTEXTS = [2**power for power in range(10, 21)]  # 1,024 to 1,048,576
SERIES = {"flop.per_token": "weights only: 2N", "flop.with_context_per_token": "with attention scores"}


def stated_flop() -> float:
    """The post's FLOP per token, in the unit that the audit finds it must mean."""
    return judge(ledger()["C12"], load_scenario("leak")).meant


def token_view(scenario: Scenario) -> View:
    """Cost of one token over the context; the weights are a level, the scores a slope."""
    found = values(("flop.with_context_per_token", "flop.per_token", "flop.scores_over_weights"), scenario)
    total, share = found["flop.with_context_per_token"], found["flop.scores_over_weights"]
    return View(
        label="FLOP for one generated token, all parts",
        value=total,
        unit="FLOP",
        post=stated_flop(),
        sentence=(
            f"At a context of {scenario.model.context:,} tokens the weights cost "
            f"{show(found['flop.per_token'], 'FLOP')} per token; the scores add {show(share, 'fraction')} of that."
        ),
        rows={"data": _curves(scenario), "you": [_point(scenario.model.context, total)], "post": [_post()]},
        alt="FLOP per token against context length, for the weights alone and with attention scores.",
    )


def _curves(scenario: Scenario) -> list[dict[str, Any]]:
    return [
        {**_point(context, value(name, scenario, {"model.context": context})), "part": words}
        for name, words in SERIES.items()
        for context in CONTEXTS
    ]


def _point(context: float, flop: float) -> dict[str, float]:
    return {"context": context, "flop": flop}


def _post() -> dict[str, float]:
    return _point(load_scenario("leak").model.context, stated_flop())


def token_chart(view: View) -> Any:
    """Both curves, the reader's point and the post's."""
    return line(
        view.rows["data"],
        x=Axis("context", "Context, tokens", log=True, form="count", domain=(CONTEXTS[0], CONTEXTS[-1])),
        y=Axis("flop", "FLOP per token, forward", log=True, domain=(1e11, 2e13)),
        series="part",
        order=list(SERIES.values()),
        you=view.rows["you"],
        post=view.rows["post"],
    )


token = Panel(
    title="What one token costs",
    legend=(
        "The level is two FLOP for each weight that the token meets. The curve adds what has no weights: "
        "every token is compared with all tokens before it, so the cost grows with the context."
    ),
    claims=("C11", "C12", "C13"),
    controls=(
        Slide("model.context", 1024, 1_048_576),
        Slide("model.top_k", 1, 16),
        Slide("model.expert_params", 1e9, 1e12),
        Slide("model.shared_params", 1e9, 1e12),
    ),
    folded=(Slide("model.experts", 1, 512), Slide("model.heads", 8, 256), "model.layers"),
    presets={
        "The post": "leak",
        "The 32k model": {"model.context": 32_768},
        "NVIDIA's 1.8T": "nvidia-proxy",
        "All sixteen experts": {"model.top_k": 16},
    },
    view=token_view,
    chart=token_chart,
)
