"""Chapter 13: how many tokens a second a limit on latency leaves, and what they cost."""

from __future__ import annotations

from dataclasses import replace

from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.scenario.live import RATES, SCHEDULES
from gpt4lab.simulate.serving.loads import LOADS, MANY, at_limit, chunk_needed, frontier, gain, usd
from gpt4lab.units import counted, show

LATENCY = Axis("latency", "Seconds a token, waiting included (median)", log=True, domain=(0.03, 10))
TOKENS = Axis("tokens", "Tokens a second, all lanes", log=True, form="count", domain=(20, 25_000))
PATIENCE = replace(LATENCY, domain=(0.03, 3))
COST = Axis("usd", "Cost of 1,000 tokens of answers", log=True, form="money", domain=(0.002, 0.3))
ROOMY = "leak?batching.slots=64&batching.chunk_tokens=512"


def _gained(scenario: Scenario, found: dict[str, float]) -> str:
    limit = show(scenario.batching.latency_limit_s, "s")
    if not found["continuous"]:
        return f"At no load does anything keep to {limit} a token: a prompt and a step alone take longer."
    if not found["dynamic"]:
        return f"Only continuous batching keeps to {limit} a token: no gain has a number here."
    static = "" if found["static"] else " No load lets a static batch keep it."
    return (
        f"At {limit} a token continuous batching writes {gain(scenario):.2g} times the tokens of a dynamic batch, on "
        f"this stretch of the traffic.{static}{_starved(scenario)}"
    )


def _starved(scenario: Scenario) -> str:
    """Whether chunks of prompts are too small to keep the slots filled."""
    chunk, needed = scenario.batching.chunk_tokens, chunk_needed(scenario)
    if chunk >= needed:
        return ""
    return (
        f" Chunks of {chunk:,} tokens cannot keep {counted(scenario.batching.slots, 'slot')} filled: as many requests "
        f"begin as end, which takes some {needed:,.0f} tokens of prompts in each step."
    )


def _places(scenario: Scenario, field: str) -> list[Row]:
    """Frontiers as rows, and the reader's place."""
    return [
        {"latency": place.latency_s, "scheduler": schedule,
         field: place.tokens_per_s if field == "tokens" else usd(scenario, place.tokens_per_s)}
        for schedule in SCHEDULES
        for place in frontier(scenario, schedule)
    ]  # fmt: skip


def frontier_view(scenario: Scenario) -> View:
    """What each scheduler reaches, with the limit as a line."""
    found, limit = at_limit(scenario), scenario.batching.latency_limit_s
    here = found[scenario.batching.scheduler]
    you = [pinned({"latency": limit, "tokens": max(here, 1)}, LATENCY, TOKENS)] if here else []
    return View(
        f"Tokens a second at the limit, {scenario.batching.scheduler}",
        here,
        "token/s",
        _gained(scenario, found),
        rows={
            "data": _places(scenario, "tokens"),
            "you": [*you, pinned({"latency": limit, "label": "the limit"}, LATENCY)],
        },
        alt="Tokens a second against latency, a rising line for each scheduler; a vertical line at the latency limit.",
    )


CONTROLS = (
    Slide("batching.latency_limit_s", 0.03, 10),
    "batching.scheduler",
    Slide("batching.slots", 8, 256),
    "batching.traffic",
    "serving.accelerator",
)
FOLDED = (
    "batching.pace",
    "batching.stretch",
    Slide("batching.chunk_tokens", 64, 4096),
    Slide("batching.wait_s", 0, 60),
)

latency = Panel(
    title="Latency against throughput",
    legend="Each line joins what a scheduler reached as the load rose: the most tokens a second up to each latency. "
    f"{MANY} requests of the trace in a row, more for many slots, are played at {len(LOADS)} loads, the first fifth "
    "not counted; which of five stretches they are is among the folded controls. The vertical line is the post’s "
    "“maximum latency”, for which it gives no number.",
    controls=CONTROLS,
    folded=FOLDED,
    start=ROOMY,
    presets={
        "0.4 s a token": {},
        "0.25 s": {"batching.latency_limit_s": 0.25},
        "0.6 s": {"batching.latency_limit_s": 0.6},
        "Code, not talk": {"batching.traffic": "code", "batching.latency_limit_s": 3},
    },
    tour=(
        ({"batching.latency_limit_s": 0.6}, "With {batching.latency_limit_s} a token gangs are not far behind."),
        (
            {},
            "At {batching.latency_limit_s} they are: a smaller gang is quicker to fill and to empty, and writes less.",
        ),
        (
            {"batching.latency_limit_s": 0.25},
            "Close to the {batching.step_s} of a step only a scheduler that never waits writes much.",
        ),
    ),
    claims=("C62", "C63"),
    view=frontier_view,
    chart=lines_chart(LATENCY, TOKENS, series="scheduler", order=SCHEDULES, right=110),
    speed="debounced",
    pulls={"latency": Pull("batching.latency_limit_s")},
)


def cost_view(scenario: Scenario) -> View:
    """What 1,000 tokens cost at each limit, with the post's figure."""
    found, limit = at_limit(scenario), scenario.batching.latency_limit_s
    here = usd(scenario, found[scenario.batching.scheduler])
    post = value("serving.usd_per_1k_tokens", load_scenario("leak"))
    costs = {name: usd(scenario, tokens) for name, tokens in found.items()}
    told = ", ".join(f"{name} {show(cost, 'USD') if cost else 'not possible'}" for name, cost in costs.items())
    you = [pinned({"latency": limit, "usd": here}, PATIENCE, COST)] if here else []
    return View(
        f"1,000 tokens at the limit, {scenario.batching.scheduler}",
        here or "no load keeps the limit",
        "USD",
        f"At {show(limit, 's')} a token, steps {scenario.batching.pace}: {told}. Prompts are paid for by the answers "
        f"here, and machines that wait for requests are paid for, too.{_starved(scenario)}",
        post=post,
        rows={
            "data": _places(scenario, "usd"),
            "you": you,
            "post": [{"usd": post, "label": "the post’s figure, read as dollars"}],
        },
        alt="Cost of 1,000 tokens against the latency limit, a falling line for each scheduler.",
    )


cost = Panel(
    title="What a limit costs",
    legend="Such frontiers in money, here with 256 slots in a lane: the rent of all machines over the tokens of "
    "answers that they write at most within each latency.",
    controls=(*CONTROLS[:4], Slide("serving.usd_per_gpu_hour", 0.5, 10), "serving.accelerator"),
    folded=FOLDED,
    start="leak?batching.slots=256&batching.chunk_tokens=2048",
    presets={
        "256 slots": {},
        "64 slots": {"batching.slots": 64},
        "At measured rates": {"batching.pace": RATES},
        "H100 at $2": {"serving.accelerator": "h100-sxm-80gb", "serving.usd_per_gpu_hour": 2},
    },
    claims=("C63",),
    view=cost_view,
    chart=lines_chart(PATIENCE, COST, series="scheduler", order=SCHEDULES, right=110),
    speed="debounced",
    pulls={"latency": Pull("batching.latency_limit_s")},
)
