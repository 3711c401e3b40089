"""Chapter 09: which rate of failures would explain the stated utilisation, for three ways to deal with them."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.chapters.c09_money.bubble import MEGATRON
from gpt4lab.chapters.c09_money.failures import QUICK, SMALL_CLUSTER
from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.checks.logs import LOGS, as_in
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import crossing, value, values
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

LLAMA = "llama3-interruptions"
RATE = Axis("rate", "Failures a day in the whole cluster", log=True, domain=(0.3, 300))
RATES = [0.3 * 1000 ** (step / 80) for step in range(81)]
USEFUL = Axis("useful", "Share of the time that becomes useful work", form="percent", domain=(0, 1))
YOURS, BEST, TENTH = "your habits", "your habits, best interval", "ten times quicker"


def rate_view(scenario: Scenario) -> View:
    """Useful share against failures a day, for three ways to deal with them."""
    found = values(
        (
            *(f"goodput.{name}" for name in ("failures_per_day", "share", "share_needed", "minutes_needed")),
            "training.full_mfu",
        ),
        scenario,
    )
    needed, stated = found["goodput.share_needed"], show(scenario.training.mfu, "fraction")
    at = rate_leaving(needed, scenario)
    return View(
        label=f"Failures that would bring {show(found['training.full_mfu'], 'fraction')} down to {stated}",
        value=at,
        unit="failure/day",
        sentence=_explains(scenario, found, at),
        rows={
            "data": [row for words in (YOURS, BEST, TENTH) for row in _curve(scenario, words)],
            "post": [{"useful": needed, "label": f"would explain {stated} alone"}],
            "published": [_llama(), *(_in_log(log, scenario) for log in list(LOGS)[1:])],
            "you": [
                pinned({"rate": found["goodput.failures_per_day"], "useful": found["goodput.share"]}, RATE, USEFUL)
            ],
        },
        alt="Useful share of the time against failures a day: your habits, at their best interval, ten times quicker.",
    )


def _explains(scenario: Scenario, found: dict[str, float], at: float) -> str:
    gpus, assumed = scenario.cluster.gpus, scenario.reliability.gpu_mtbf_years
    return (
        f"That is with the interval that is best for your habits, and means that a GPU fails every "
        f"{show(gpus / (at * 365.25), 'year')}; you assume {show(assumed, 'year')}. At that, {gpus:,} GPUs have "
        f"{show(found['goodput.failures_per_day'], 'failure')} a day, and each would have to cost "
        f"{show(found['goodput.minutes_needed'], 'minute')} to explain it."
    )


def quicker(scenario: Scenario, factor: float) -> dict[str, float]:
    """Checkpoint and restart a factor shorter."""
    names = ("reliability.checkpoint_minutes", "reliability.restart_minutes")
    return {name: value(name, scenario) / factor for name in names}


def _curve(scenario: Scenario, words: str) -> list[dict[str, Any]]:
    name = "goodput.share" if words == YOURS else "goodput.best_share"
    given = quicker(scenario, 10) if words == TENTH else {}
    return [
        {"rate": rate, "useful": value(name, scenario, {**given, "goodput.failures_per_day": rate}), "habits": words}
        for rate in RATES
    ]


def rate_leaving(share: float, scenario: Scenario) -> float:
    """Failures a day at which the best interval leaves just this share of the time."""
    return crossing("goodput.best_share", share, scenario, "goodput.failures_per_day", 1e-3, 1e5)


def _llama() -> dict[str, Any]:
    run = catalog.measurements[LLAMA]
    rate = run.measured["interruptions"] / float(run.setup["days"])
    return {"rate": rate, "useful": run.measured["effective_time_at_least"], "label": "Llama 3.1 405B: more than this"}


def _in_log(log: str, scenario: Scenario) -> dict[str, Any]:
    """The cluster, if its GPUs failed as in a log and checkpoints were as often as is best."""
    found = values(("goodput.failures_per_day", "goodput.best_share"), scenario, as_in(log))
    return {"rate": found["goodput.failures_per_day"], "useful": found["goodput.best_share"], "label": log}


rate = Panel(
    title="How many failures would it take?",
    legend="Each curve falls from a machine that never fails to one that does nothing else. The dashed level is the "
    "useful share at which failures alone would bring the MFU of a full pipeline down to the stated one. Triangles on "
    "the curve: the post's cluster, if its GPUs failed as often as in that log.",
    controls=(
        Slide("reliability.gpu_mtbf_years", 0.2, 100),
        Slide("reliability.restart_minutes", 0.5, 480),
        Slide("reliability.checkpoint_minutes", 0.05, 60),
        Slide("reliability.checkpoint_interval_hours", 0.02, 24),
        Slide("training.best_mfu", 0.34, 0.8),
        Slide("training.mfu", 0.2, 0.5),
    ),
    folded=(Slide("cluster.gpus", 1_000, 100_000), Slide("training.best_bubble", 0, 0.5)),
    presets={
        **{log: as_in(log) for log in LOGS},
        "A full pipeline as Megatron-LM's of 2021": MEGATRON,
        "Habits of a small cluster": SMALL_CLUSTER,
        "Quick restarts": QUICK,
    },
    view=rate_view,
    chart=lines_chart(RATE, USEFUL, series="habits", order=(YOURS, BEST, TENTH)),
    pulls={"rate": Pull("reliability.gpu_mtbf_years", "goodput.failures_per_day")},
)
