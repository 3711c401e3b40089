"""Chapter 02: how many experts a batch wakes, and what reading their weights costs a token."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.claims.prose import fill
from gpt4lab.panels.curve import Curve, lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import counted, show

STEP = "decode.micro_batch"  # tokens that meet one copy of a layer together
BATCHES = [2 ** (i / 4) for i in range(49)]  # 1 ... 4,096
START = "leak?serving.tokens_in_flight=32&serving.pipeline=1"  # the post's experts, 32 tokens in one step
ONLY_EXPERTS = {"model.shared_params": 0.0}  # attention is read once a step by either model


def _routing(model: str, **more: Any) -> dict[str, Any]:
    """Experts and top-k of a published model, as a preset."""
    entry = catalog.models[model]
    return {"model.experts": entry.need("n_experts"), "model.top_k": entry.need("top_k"), **more}


# --- experts touched ----------------------------------------------------------------------------------


def woken_by_the_post(tokens: float) -> float:
    """Share of a layer's experts that the post's model needs for so many tokens."""
    return value("moe.touched", load_scenario("leak"), {STEP: tokens})


def _steps_of_the_post() -> list[dict[str, Any]]:
    """The post's model where its experts are said to sleep, and at the step that the source speaks of."""
    steps = (8, 32, value(STEP, load_scenario("leak")))
    return [{"tokens": b, "touched": woken_by_the_post(b), "label": counted(b, "token")} for b in steps]


def _at_as_many(scenario: Scenario) -> str:
    return fill("the post's model at {decode.micro_batch} in a step", scenario)


def _who_works(scenario: Scenario) -> str:
    if value(STEP, scenario) == 1:
        return "One token needs the {model.top_k:d} of {model.experts:d} experts that it chooses; the others wait."
    return (
        "{decode.micro_batch:,.4g} tokens, each choosing {model.top_k:d} of {model.experts:d} experts, need "
        "{moe.experts_touched:.1f} of the {model.experts:d} between them; that makes "
        "{moe.tokens_per_expert:,.3g} of these tokens for each expert on average, the idle ones counted."
    )


touched = Curve(
    title="Experts that a step wakes",
    legend="One forward pass of a server carries one new token for each of many users. The curve is the share of a "
    "layer's experts that at least one of them needs, if each token chooses evenly and on its own. The batch "
    "is spread over the stages of the pipeline; what is in one stage is a step. Diamonds in the chart: the post's "
    "model at 8 tokens, at 32, and at as many as the source has in a step.",
    of="moe.touched",
    along=STEP,
    at=BATCHES,
    x=Axis("tokens", "Tokens in a step", log=True, form="count", domain=(1, BATCHES[-1])),
    y=Axis("touched", "Experts touched", form="percent", domain=(0, 1.05)),
    post=lambda scenario: woken_by_the_post(value(STEP, scenario)),
    whose=_at_as_many,
    also=lambda _: {"post": _steps_of_the_post()},
    label="Experts of a layer that one step needs",
    says=_who_works,
    alt="Share of the experts that a step touches, against the tokens in the step; it rises towards all of them.",
    controls=(
        "model.experts",
        "model.top_k",
        Slide("serving.tokens_in_flight", 1, BATCHES[-1]),
        Slide("serving.pipeline", 1, 64),
    ),
    claims=("C08", "C42", "C43"),
    start=START,
    presets={
        "The post, 32 tokens a step": {},
        "One user": {"serving.tokens_in_flight": 1},
        "The source: 4,096 in flight": "leak",
        "DeepSeek-V3": _routing("deepseek-v3"),
        "gpt-oss-120b": _routing("gpt-oss-120b"),
    },
    tour=(
        ({"serving.tokens_in_flight": 1}, "One reader: a step wakes {moe.experts_touched:.0f} of {model.experts:d}."),
        ({}, "{decode.micro_batch:,.0f} readers: {moe.touched:.0%} of them are awake."),
        ({"model.experts": 128}, "Of {model.experts:d} experts the same readers wake {moe.touched:.0%}."),
    ),
    pulls={"tokens": Pull("serving.tokens_in_flight", STEP)},
)


# --- weights to read ----------------------------------------------------------------------------------

MOE, DENSE, ARITHMETIC = "read: the experts", "read: dense, same FLOP", "compute: both"
STEPS = [2 ** (i / 3) for i in range(43)]  # 1 ... 16,384
TOKENS = Axis("tokens", "Tokens in a step", log=True, form="count", domain=(1, STEPS[-1]))
MS = Axis("ms", "Time per token, ms", log=True, domain=(0.001, 100))


def token_ms(scenario: Scenario, batch: float) -> dict[str, float]:
    """Milliseconds per token in the experts of one copy of the model: reading with experts, dense, and computing.

    In the dense model of the same FLOP every expert works for every token.
    """
    given = {**ONLY_EXPERTS, STEP: batch}
    sparse = values(("decode.latency_floor", "decode.compute_s"), scenario, given)
    dense = value("decode.latency_floor", scenario, {**given, "model.experts": scenario.model.top_k})
    times = {MOE: sparse["decode.latency_floor"], DENSE: dense, ARITHMETIC: sparse["decode.compute_s"]}
    return {name: 1000 * seconds / batch for name, seconds in times.items()}


def reading_view(scenario: Scenario) -> View:
    """Time per token spent reading weights and computing with them, over the tokens in a step."""
    leak = load_scenario("leak")
    found = values(("decode.crossover", "decode.crossover_dense", STEP), scenario)
    source, batch = value(STEP, leak), found[STEP]
    here = token_ms(scenario, batch)
    theirs = {"tokens": source, "ms": token_ms(leak, source)[MOE], "label": f"the source: {counted(source, 'token')}"}
    lines = [{"tokens": at, "ms": ms, "what": name} for at in STEPS for name, ms in token_ms(scenario, at).items()]
    return View(
        label="Tokens in a step until computing takes longer than reading",
        value=found["decode.crossover"],
        unit="token",
        post=value("decode.crossover", leak),
        sentence=_pace(found, here),
        rows={"data": lines, "you": [pinned({"tokens": batch, "ms": here[MOE]}, TOKENS, MS)], "post": [theirs]},
        alt="Time per token against tokens in a step: reading falls, computing is level, and experts fall later.",
    )


def _pace(found: dict[str, Any], here: dict[str, float]) -> str:
    longer = "reading" if here[MOE] > here[ARITHMETIC] else "computing"
    return (
        f"A dense model of the same FLOP is busy computing from {found['decode.crossover_dense']:,.0f} tokens in a "
        f"step, the experts only from {found['decode.crossover']:,.0f}. At {show(found[STEP], 'token')} the experts' "
        f"weights cost {show(here[MOE] / 1000, 's')} of reading per token, {here[MOE] / here[DENSE]:.1f} times the "
        f"dense model's; computing takes {show(here[ARITHMETIC] / 1000, 's')}, so {longer} sets the pace."
    )


reading = Panel(
    title="What idle experts cost",
    legend="To use a weight, a GPU first reads it from its memory; all tokens of a step share one reading. Falling "
    "lines: time per token to read the expert weights that a step needs, with experts and in a dense model of the "
    "same FLOP. Level line: time to compute with them, the same for both; beyond the crossing computing sets the pace. "
    "Diamond: a step of the source. One copy of the model, experts only.",
    controls=(
        Slide("serving.tokens_in_flight", 1, STEPS[-1]),
        "model.experts",
        "model.top_k",
        "serving.accelerator",
        "serving.bytes_per_weight",
    ),
    folded=("serving.pipeline", "serving.tensor", "model.expert_params"),
    claims=("C44",),
    start=START,
    presets={
        "The post, 32 tokens a step": {},
        "The source: 4,096 in flight": "leak",
        "On H100": {"serving.accelerator": "h100-sxm-80gb"},
        "One expert in 256": {"model.experts": 256, "model.top_k": 1},
    },
    view=reading_view,
    chart=lines_chart(x=TOKENS, y=MS, series="what", order=[MOE, DENSE, ARITHMETIC]),
    pulls={"tokens": Pull("serving.tokens_in_flight", STEP)},
)
