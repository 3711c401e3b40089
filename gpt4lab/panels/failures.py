"""Chapter 09: failures, checkpoints and restarts: a month played out, and what rate of failures explains what."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import altair as alt

from gpt4lab import catalog
from gpt4lab.charts import Axis, axes, line, theme, timeline
from gpt4lab.charts.compose import stacked
from gpt4lab.charts.marks import data, layered, mark_layers, with_words
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import show

if TYPE_CHECKING:
    from gpt4lab.simulate.failures import Habits

MONTH_DAYS, MONTHS = 30, 200
MOMENT_H = 0.05  # three minutes: about a pixel
MOST_GAPS = 1_500_000  # failures to draw; beyond it fewer months are played
HOUR = Axis("hour", "Hour of the day", form="plain", domain=(0, 24))
SHARE = Axis("share", "Share of the month that became useful work", form="percent", domain=(0, 1))
COUNT = Axis("months", "Months", zero=True)
KINDS = ("work kept", "work lost", "checkpoint", "restart")
LLAMA = "llama3-interruptions"


# --- a month, played out ------------------------------------------------------------------------------


def month_view(scenario: Scenario) -> View:
    """One month hour by hour, and where it lies among two hundred. Raises ImportError without numpy."""
    shares, month, here, failures = _played(scenario)
    found = values(("goodput.share", "goodput.mtbf", "goodput.best_share", "goodput.young_interval"), scenario)
    return View(
        label="Share of the time that becomes useful work, by the formula",
        value=found["goodput.share"],
        unit="fraction",
        sentence=(
            f"A failure every {_hours(found['goodput.mtbf'])}: {failures:,} in the month shown, of which {here:.1%} became "
            f"useful work. Over {len(shares)} simulated months the mean is {_mean(shares):.1%}. With a checkpoint every "
            f"{_hours(found['goodput.young_interval'])}, Young's interval, the share would be "
            f"{show(found['goodput.best_share'], 'fraction')}."
        ),
        rows={
            "data": month,
            "months": histogram(shares),
            "you": [{"share": found["goodput.share"], "label": "the formula"}],
            "measured": [{"share": here, "months": 0, "label": "the month above"}],
        },
        alt=f"{MONTH_DAYS} days as rows of work kept, work lost, checkpoints and restarts; below, a histogram of months.",
    )


def habits_of(scenario: Scenario) -> Habits:
    """The scenario's reliability, in the hours that the simulation counts."""
    from gpt4lab.simulate.failures import Habits

    given = scenario.reliability
    return Habits(
        mtbf_h=value("goodput.mtbf", scenario), interval_h=given.checkpoint_interval_hours,
        checkpoint_h=given.checkpoint_minutes / 60, restart_h=given.restart_minutes / 60,
    )  # fmt: skip


def _played(scenario: Scenario) -> tuple[list[float], list[dict[str, Any]], float, int]:
    """Shares of all months; rows, share and failures of the first."""
    import numpy as np

    from gpt4lab.simulate.failures import at, draw, play

    habits, hours = habits_of(scenario), 24.0 * MONTH_DAYS
    runs = int(min(max(MOST_GAPS * habits.mtbf_h / hours, 20), MONTHS))
    gaps = draw(habits, hours, runs, scenario.toy.seed)
    spent = play(gaps, habits, hours)
    moments = at((np.arange(round(hours / MOMENT_H)) + 0.5) * MOMENT_H, gaps[0], habits, hours)
    return spent.share.tolist(), calendar(moments.tolist()), float(spent.share[0]), int(spent.failures[0])


def calendar(moments: list[int]) -> list[dict[str, Any]]:
    """Equal neighbours joined to bars, cut at midnight: one lane a day."""
    per_day, rows = round(24 / MOMENT_H), list[dict[str, Any]]()
    for index, kind in enumerate(moments):
        day, moment = divmod(index, per_day)
        if rows and moment and rows[-1]["kind"] == KINDS[kind]:
            rows[-1]["end"] = (moment + 1) * MOMENT_H
        else:
            rows.append({"day": day + 1, "hour": moment * MOMENT_H, "end": (moment + 1) * MOMENT_H, "kind": KINDS[kind]})
    return rows


def histogram(shares: list[float], width: float = 0.01) -> list[dict[str, float]]:
    """How many months fall into each percent."""
    places = [min(int(share / width), round(1 / width) - 1) for share in shares]
    return [
        {"share": place * width, "to": (place + 1) * width, "months": places.count(place)} for place in sorted(set(places))
    ]


def month_chart(view: View) -> Any:
    """The calendar above the histogram."""
    rows = view.datasets
    month = timeline(rows["data"], HOUR, "end", "day", "kind", kinds=KINDS, lane_height=13)
    return stacked(month, _histogram_chart(rows))


def _histogram_chart(rows: Any) -> alt.LayerChart:
    bars = data("months").mark_rect(color=theme.GREEN, opacity=0.55).encode(y2=alt.datum(0))
    found = bars.encode(axes.x(SHARE), axes.y(COUNT), x2="to", tooltip=axes.tooltip(SHARE, COUNT))
    marks = with_words(you=rows["you"], measured=rows["measured"])
    return layered([found, *mark_layers(SHARE, COUNT, marks)], {"months": rows["months"], **marks}, width=theme.WIDTH, height=110)


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


def _hours(hours: float) -> str:
    return show(hours, "hour") if hours >= 1 else show(hours * 60, "minute")


SMALL_CLUSTER = {
    "reliability.checkpoint_interval_hours": 3, "reliability.checkpoint_minutes": 5, "reliability.restart_minutes": 30,
}  # fmt: skip
QUICK = {
    "reliability.checkpoint_interval_hours": 0.2, "reliability.checkpoint_minutes": 0.5, "reliability.restart_minutes": 5,
}  # fmt: skip


def young(habits: dict[str, float]) -> dict[str, float]:
    """The same habits with the interval that Young's rule asks for."""
    interval = value("goodput.young_interval", change(load_scenario("leak"), habits))
    return {**habits, "reliability.checkpoint_interval_hours": interval}

month = Panel(
    title="A month of failures",
    legend=(
        "Each row is a day. Blue is work that was saved in time; what a failure destroyed, the checkpoints and the restarts "
        "have the other colours. Below: the same month among two hundred, each with other luck."
    ),
    controls=(
        Slide("reliability.gpu_mtbf_years", 0.2, 100), Slide("reliability.checkpoint_interval_hours", 0.02, 24),
        Slide("reliability.checkpoint_minutes", 0.05, 60), Slide("reliability.restart_minutes", 0.5, 480),
        Slide("cluster.gpus", 1_000, 100_000), "toy.seed",
    ),  # fmt: skip
    presets={
        "Assumed": "leak",
        "Habits of a small cluster": SMALL_CLUSTER,
        "The same at Young's interval": young(SMALL_CLUSTER),
        "Quick restarts": QUICK,
        "Five times the failures": {"reliability.gpu_mtbf_years": load_scenario("leak").reliability.gpu_mtbf_years / 5},
    },
    speed="debounced",
    view=month_view,
    chart=month_chart,
)


# --- how many failures would explain it ---------------------------------------------------------------

RATE = Axis("rate", "Failures a day in the whole cluster", log=True, domain=(0.3, 300))
USEFUL = Axis("useful", "Share of the time that becomes useful work", form="percent", domain=(0, 1))
YOURS, BEST, TENTH = "your habits", "your habits, best interval", "ten times quicker"


def rate_view(scenario: Scenario) -> View:
    """Useful share against failures a day, for three ways to deal with them."""
    found = values(
        ("goodput.failures_per_day", "goodput.share", "goodput.share_needed", "goodput.minutes_needed"), scenario
    )
    needed, stated = found["goodput.share_needed"], show(scenario.training.mfu, "fraction")
    at = crossing(scenario, needed)
    return View(
        label=f"Failures that would bring {show(scenario.training.best_mfu, 'fraction')} down to {stated}",
        value=at,
        unit="failure/day",
        sentence=_explains(scenario, found, at),
        rows={
            "data": [row for words in (YOURS, BEST, TENTH) for row in _curve(scenario, words)],
            "post": [{"useful": needed, "label": f"would explain {stated} alone"}],
            "published": [_llama()],
            "you": [{"rate": found["goodput.failures_per_day"], "useful": found["goodput.share"]}],
        },
        alt="Useful share of the time against failures a day, for your habits, their best interval, and ten times quicker ones.",
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
        for rate in _rates()
    ]


@cache
def _rates() -> tuple[float, ...]:
    low, high = RATE.domain or (1, 1)
    return tuple(low * (high / low) ** (step / 80) for step in range(81))


def crossing(scenario: Scenario, share: float, low: float = 1e-3, high: float = 1e5) -> float:
    """Failures a day at which the best interval leaves just this share of the time (by bisection)."""
    for _ in range(60):
        middle = (low * high) ** 0.5
        enough = value("goodput.best_share", scenario, {"goodput.failures_per_day": middle}) > share
        low, high = (middle, high) if enough else (low, middle)
    return low


def _llama() -> dict[str, Any]:
    run = catalog.measurements[LLAMA]
    rate = run.measured["interruptions"] / float(run.setup["days"])
    return {"rate": rate, "useful": run.measured["effective_time_at_least"], "label": "Llama 3.1 405B: more than this"}


def rate_chart(view: View) -> Any:
    """Three curves, the share needed as a level, and Llama 3's point."""
    rows = view.datasets
    return line(
        rows["data"], RATE, USEFUL, "habits", order=(YOURS, BEST, TENTH),
        you=rows["you"], post=rows["post"], published=rows["published"],
    )  # fmt: skip


rate = Panel(
    title="How many failures would it take?",
    legend=(
        "Each curve falls from a machine that never fails to one that does nothing else. The dashed level is the useful share "
        "at which failures alone would bring the best credible MFU down to the stated one."
    ),
    controls=(
        Slide("reliability.gpu_mtbf_years", 0.2, 100), Slide("reliability.restart_minutes", 0.5, 480),
        Slide("reliability.checkpoint_minutes", 0.05, 60), Slide("reliability.checkpoint_interval_hours", 0.02, 24),
        Slide("training.best_mfu", 0.34, 0.8), Slide("training.mfu", 0.2, 0.5),
    ),  # fmt: skip
    folded=(Slide("cluster.gpus", 1_000, 100_000),),
    presets={
        "Assumed": "leak",
        "Habits of a small cluster": SMALL_CLUSTER,
        "Quick restarts": QUICK,
        "Restarts by hand": {"reliability.restart_minutes": 120},
    },
    view=rate_view,
    chart=rate_chart,
)
