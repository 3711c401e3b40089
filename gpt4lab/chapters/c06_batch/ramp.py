"""Chapter 06: the batch that grows. What a ramp saves, what it costs in waiting, and how others grew theirs."""

from __future__ import annotations

from functools import cache
from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis, line
from gpt4lab.charts.compose import stacked
from gpt4lab.charts.marks import pinned
from gpt4lab.claims.prose import fill
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

SEEN = [1e8 * 10 ** (step / 12) for step in range(65)]  # tokens
TOKENS = Axis("seen", "Tokens seen", log=True, form="count", domain=(SEEN[0], SEEN[-1]))
BATCH = Axis("batch", "Batch, tokens", log=True, form="count", domain=(1e6, 3e8))
WORTH = Axis("worth", "What a token is worth", form="percent", domain=(0, 0.95))
YOURS, FLAT = "yours", "yours, without a ramp"
OTHERS = ("deepseek-v3", "llama-3.1", "minimax-text-01")


def batch_at(scenario: Scenario, seen: float) -> float:
    """Tokens of a step after so many tokens, if the batch grows evenly with them."""
    run = scenario.training
    return run.first_batch + (run.batch_tokens - run.first_batch) * min(1.0, seen / run.ramp_tokens)


def worth(scenario: Scenario, seen: float, batch: float) -> float:
    """What a token adds, of what it would add in a tiny batch: 1 / (1 + B / B_crit), at the loss of that moment."""
    return 1 / (1 + batch / value("batch.critical_kaplan", scenario, {"training.tokens": seen}))


def saved_and_waited(scenario: Scenario) -> tuple[float, float]:
    """Days that the ramp saves, since its tokens are worth more, and days that its small batches make a pipeline wait.

    Both against the full batch from the first step on, with all replicas at work.
    """
    full, ramp = scenario.training.batch_tokens, min(scenario.training.ramp_tokens, scenario.training.tokens)
    needs, rate = values(("batch.critical_pipeline", "batch.tokens_per_day"), scenario).values()
    end, steps = worth(scenario, scenario.training.tokens, full), 40
    saved = waited = 0.0
    for step in range(steps):
        seen = ramp * (step + 0.5) / steps
        here = batch_at(scenario, seen)
        saved += (worth(scenario, seen, here) - worth(scenario, seen, full)) / end
        waited += (1 + needs / here) / (1 + needs / full) - 1
    return saved * ramp / steps / rate, waited * ramp / steps / rate


def ramp_view(scenario: Scenario) -> View:
    """Your ramp among published ones, and what a token is worth on the way."""
    run = scenario.training
    mine = [{"seen": seen, "batch": batch_at(scenario, seen), "whose": YOURS} for seen in SEEN if seen <= run.tokens]
    theirs = [
        {"seen": seen, "batch": catalog.ramps[slug].at(seen), "whose": catalog.ramps[slug].name}
        for slug in OTHERS
        for seen in sorted({*SEEN, *(at * by for at, _ in catalog.ramps[slug].rows[1:] for by in (0.999, 1))})
    ]
    value_of = [
        {"seen": seen, "worth": worth(scenario, seen, batch), "how": how}
        for seen in SEEN
        if seen <= run.tokens
        for how, batch in ((YOURS, batch_at(scenario, seen)), (FLAT, run.batch_tokens))
    ]
    place = {"seen": run.ramp_tokens, "batch": run.batch_tokens, "label": "your ramp ends"}
    return View(
        label="Length of the ramp",
        value=show(value("batch.ramp_days", scenario), "day"),
        post="“a number of days”",
        sentence=_sentence(scenario),
        rows={"data": [*mine, *theirs, *value_of], "you": [pinned(place, TOKENS, BATCH)]},
        alt="Batch against tokens seen, yours and three published ones; below it what a token is worth.",
    )


def _sentence(scenario: Scenario) -> str:
    saved, waited = saved_and_waited(scenario)
    small = scenario.training.tokens / scenario.training.first_batch
    return fill(
        "The ramp takes {batch.ramp_days}, the training {batch.ramp_steps} instead of {batch.steps}; with the first "
        f"batch to the end it would take {small:,.0f}. By Kaplan's law its tokens are worth {show(saved, 'day')} more "
        f"than at the full batch; with all replicas at work it waits {show(waited, 'day')} longer.",
        scenario,
    )


def ramp_chart(view: View) -> Any:
    """The batch above, what a token is worth below."""
    names = [YOURS, *(catalog.ramps[slug].name for slug in OTHERS)]
    above = line(view.rows["data"], TOKENS, BATCH, "whose", order=names, you=view.datasets["you"], height=220)
    return stacked(above, line(view.rows["data"], TOKENS, WORTH, "how", order=[YOURS, FLAT], height=130))


@cache
def ramps() -> list[dict[str, Any]]:
    """Published ramps, shortest first, and how long each would last at the post's pace."""
    rate = value("batch.tokens_per_day", load_scenario("leak"))
    rows = [
        {"training": ramp.name, "first batch": ramp.rows[0][1], "last batch": ramp.rows[-1][1],
         "grows until": ramp.rows[-1][0], "at the post's pace": ramp.rows[-1][0] / rate,
         "how": "evenly" if ramp.even else f"in {len(ramp.rows) - 1} jumps"}
        for ramp in catalog.ramps.values()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row["grows until"])


ramp = Panel(
    title="The ramp",
    legend="Above: the batch as tokens go by, yours beside three published ones. Below: what a token is worth, of what "
    "it would be in a tiny batch, by Kaplan's critical batch at the loss of that moment.",
    controls=(
        Slide("training.first_batch", 1e6, 1e8),
        Slide("training.batch_tokens", 1e6, 3e8),
        Slide("training.ramp_tokens", 1e9, 1e13),
        Slide("training.tokens", 1e12, 1e14),
        Slide("cluster.days", 5, 1000),
        Slide("cluster.gpus", 1_000, 100_000),
    ),
    presets={
        "Assumed: as long as DeepSeek-V3's": "leak",
        "DeepSeek-V3": {"training.batch_tokens": 62_914_560.0, "training.tokens": 14.8e12},
        "Llama 3.1, evened out": {
            "training.first_batch": 4e6,
            "training.batch_tokens": 16e6,
            "training.ramp_tokens": 2.87e12,
            "training.tokens": 15.6e12,
        },
        "As long as GPT-3's": {"training.ramp_tokens": 12e9},
        "No ramp": {"training.first_batch": 60e6},
    },
    claims=("C21",),
    view=ramp_view,
    chart=ramp_chart,
)
