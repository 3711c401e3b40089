"""Chapter 11: the cost of 1,000 tokens by batch, and what must be true for the post's two figures."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.models.decode.cluster import batch_within
from gpt4lab.models.decode.implied import Answering, Implied, implied
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import show

BATCHES = [2**power for power in range(4, 17)]
BATCH = Axis("batch", "Sequences in flight, on all stages together", log=True, form="count", domain=(16, 65_536))
COST = Axis("usd", "Cost of 1,000 tokens", log=True, form="money", domain=(3e-4, 0.3))
ROOFLINE, WRITTEN, BLENDED = LINES = ("answers, on the roofline", "answers, measured rates", "all tokens alike")
NEWER = {"serving.accelerator": "h100-sxm-80gb", "serving.usd_per_gpu_hour": 2}
EIGHT = {"serving.bytes_per_weight": 1}


def _rows(scenario: Scenario) -> Iterator[Row]:
    """The three lines; those at measured rates end where the memory is full."""
    served, most = Answering.of(scenario), value("answer.batch_that_fits", scenario)
    output = scenario.serving.output_tokens
    for batch in BATCHES:
        roofline = value("decode.usd_per_1k", scenario, {"serving.tokens_in_flight": batch})
        yield {"batch": batch, "usd": roofline, "tokens": ROOFLINE}
    for batch in [b for b in BATCHES if b < most] + [most] * (16 <= most <= 65_536):
        yield {"batch": batch, "usd": served.written(batch=batch), "tokens": WRITTEN}
        yield {"batch": batch, "usd": served.blended(output, batch=batch), "tokens": BLENDED}


def cost_view(scenario: Scenario) -> View:
    """What 1,000 tokens cost here, beside the post's two figures."""
    names = ("answer.usd_per_1k_written", "answer.usd_per_1k_blended", "moe.experts_touched", "answer.fits")
    here, blended, touched, fits = values(names, scenario).values()
    leak = load_scenario("leak")
    figures = {"the post, A100": leak.serving.usd_per_1k_tokens, "the post, H100": leak.rerun.usd_per_1k_tokens}
    batch = scenario.serving.tokens_in_flight
    room = "" if fits else " That does not fit into the memory of these machines."
    return View(
        "1,000 tokens of answers, at measured rates",
        here,
        "USD",
        f"A stage has {show(max(1, batch / scenario.serving.pipeline), 'token')} at a time and reads {touched:.3g} of "
        f"{scenario.model.experts} experts. Answers alone cost {show(here, 'USD')} a thousand tokens, all tokens "
        f"alike {show(blended, 'USD')}.{room}",
        post=figures["the post, A100"],
        rows={
            "data": list(_rows(scenario)),
            "you": [pinned({"batch": batch, "usd": here}, BATCH, COST)],
            "post": [{"usd": usd, "label": words} for words, usd in figures.items()],
        },
        alt="Cost of 1,000 tokens against the batch: falling lines, that of the roofline lowest, with two levels for "
        "the post’s figures.",
    )


cost = Panel(
    title="What a thousand tokens cost",
    legend="Rent of all GPUs over the tokens of a second. On the roofline nothing costs time but reading and computing "
    "at full peak. At measured rates traffic, launches, waiting and idle hours are paid for; these lines end where "
    "the memory is full. “All tokens alike” divides by the tokens of prompts as well, as a bill may do.",
    controls=(
        Slide("serving.tokens_in_flight", 16, 65_536),
        Slide("serving.mean_context", 16, 8192),
        Slide("serving.idle_share", 0, 0.9),
        Slide("serving.output_tokens", 16, 4096),
        "serving.accelerator",
        Slide("serving.usd_per_gpu_hour", 0.2, 10),
    ),
    folded=(
        Slide("serving.bytes_per_weight", 0.5, 4),
        Slide("serving.prompt_tokens", 16, 8192),
        Slide("serving.cached_share", 0.01, 0.99),
    ),
    presets={
        "A100, 16 bits": "leak",
        "H100 at $2, 16 bits": NEWER,
        "H100, 8 bits": {**NEWER, **EIGHT},
        "A100, a third idle": {"serving.idle_share": 0.37},
    },
    tour=(
        (
            {"serving.tokens_in_flight": 256},
            "A few hundred readers: a thousand tokens cost {answer.usd_per_1k_written}.",
        ),
        ({}, "The source’s batch, {serving.tokens_in_flight:,}: {answer.usd_per_1k_written}, less than the post says."),
        (
            {**NEWER, **EIGHT},
            "The newer GPU, weights of {serving.bytes_per_weight}: {answer.usd_per_1k_written}, as the post says.",
        ),
    ),
    claims=("C52", "C53", "C55"),
    view=cost_view,
    chart=lines_chart(BATCH, COST, series="tokens", order=LINES, right=90),
    speed="debounced",
    pulls={"batch": Pull("serving.tokens_in_flight")},
)


# --- what each figure implies -----------------------------------------------------------------------------------------


def figures() -> dict[str, tuple[Scenario, float]]:
    """The post's two figures, and the second with the weights in 8 bits: the machines, and dollars for 1,000 tokens."""
    leak = load_scenario("leak")
    newer = leak.rerun.usd_per_1k_tokens
    return {
        f"${leak.serving.usd_per_1k_tokens} on A100": (leak, leak.serving.usd_per_1k_tokens),
        f"${newer} on H100, 16 bits": (change(leak, NEWER), newer),
        f"${newer} on H100, 8 bits": (change(leak, {**NEWER, **EIGHT}), newer),
    }


def implied_rows() -> list[Row]:
    """For each figure: what the source's batch costs, and each of four things that alone would make it the figure."""
    return [_implied(words, implied(scenario, figure)) for words, (scenario, figure) in figures().items()]


def _implied(words: str, found: Implied) -> Row:
    return {
        "the figure": words,
        "answers cost": show(found.usd_per_1k, "USD"),
        "batch that makes it so": _or(found.batch, "{:,.0f}", "none up to 65,536"),
        "or mean context": _or(found.context, "{:,.0f} tokens", "none up to 8,192"),
        "or idle": _or(found.idle, "{:.0%}", "none: too dear without"),
        "or share of fresh prompts": _or(found.prompts, "{:.0%}", "none: a prompt is cheaper"),
    }


def _or(found: float, form: str, none: str) -> str:
    return none if isnan(found) else form.format(found)


def timed() -> list[Row]:
    """For each machine and both times of a token: the batch that is as quick at measured rates, and its cost."""
    leak = load_scenario("leak")
    machines = {"A100, 16 bits": {}, "A100, 8 bits": EIGHT, "H100, 16 bits": NEWER, "H100, 8 bits": {**NEWER, **EIGHT}}
    return [_timed(words, change(leak, machine)) for words, machine in machines.items()]


def _timed(words: str, scenario: Scenario) -> Row:
    row: Row = {"machines": words}
    for slug in ("gpt-4-first", "gpt-4-later"):
        ms = catalog.latencies[slug].need("ms_per_token")
        batch = batch_within(scenario, ms)
        row[f"batch at {ms:.0f} ms"] = f"{batch:,}" if batch else "none"
        row[f"1,000 tokens at {ms:.0f} ms"] = show(usd_at(scenario, ms, batch), "USD") if batch else "not possible"
    return row


def usd_at(scenario: Scenario, ms: float, batch: float) -> float:
    """Cost of 1,000 tokens where so many answers get one each in this time."""
    return value("serving.gpus", scenario) * scenario.serving.usd_per_gpu_hour / 3600 * ms / batch
