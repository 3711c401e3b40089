"""Chapter 09: failures, checkpoints and restarts, a month of them played out hour by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
from attrs import evolve, field, frozen

from gpt4lab import catalog
from gpt4lab.charts import Axis, axes, theme, timeline
from gpt4lab.charts.compose import stacked
from gpt4lab.charts.marks import data, layered, mark_layers, with_words
from gpt4lab.checks.check import Check, Checks
from gpt4lab.formulas.failures import years_per_gpu
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
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
Changes = dict[str, float | int]


@frozen
class Played:
    """What the simulation found: each month's useful share, and bars and failures of the first month."""

    shares: list[float] = field(factory=list)
    bars: list[dict[str, Any]] = field(factory=list)
    failures: int = 0


def month_view(scenario: Scenario) -> View:
    """One month hour by hour, and where it lies among two hundred."""
    found = values(("goodput.share", "goodput.mtbf", "goodput.best_share", "goodput.young_interval"), scenario)
    played = play_months(scenario)
    return View(
        label="Share of the time that becomes useful work, by the formula",
        value=found["goodput.share"],
        unit="fraction",
        sentence=f"A failure every {_hours(found['goodput.mtbf'])}{_what_was_played(played)}. With a checkpoint every "
        f"{_hours(found['goodput.young_interval'])}, Young's interval, the share would be "
        f"{show(found['goodput.best_share'], 'fraction')}.",
        rows={
            "data": played.bars,
            "months": histogram(played.shares),
            "you": [{"share": found["goodput.share"], "label": "the formula"}],
            "measured": [{"share": s, "months": 0, "label": "the month above"} for s in played.shares[:1]],
        },
        alt=f"{MONTH_DAYS} days as rows of work kept, lost, checkpoints and restarts; below, a histogram of months.",
    )


def _what_was_played(played: Played) -> str:
    if not played.shares:
        return ". The months need numpy, which is not installed here; “python3 book.py setup” says how to get it"
    mean = sum(played.shares) / len(played.shares)
    return (
        f": {played.failures:,} in the month shown, of which {played.shares[0]:.1%} became useful work. Over "
        f"{len(played.shares)} simulated months the mean is {mean:.1%}"
    )


def habits_of(scenario: Scenario) -> Habits:
    """The scenario's reliability, in the hours that the simulation counts."""
    from gpt4lab.simulate.failures import Habits

    given = scenario.reliability
    return Habits(
        mtbf_h=value("goodput.mtbf", scenario),
        interval_h=given.checkpoint_interval_hours,
        checkpoint_h=given.checkpoint_minutes / 60,
        restart_h=given.restart_minutes / 60,
    )


def interval_checks(scenario: Scenario, *intervals_h: float) -> Checks:
    """The useful share by Daly's formula against 200 simulated runs, for each time between checkpoints."""
    return Checks(_interval_check(scenario, hours) for hours in intervals_h)


def _interval_check(scenario: Scenario, hours: float) -> Check:
    from gpt4lab.simulate.failures import simulate

    formula = value("goodput.share", scenario, {"reliability.checkpoint_interval_hours": hours})
    habits = evolve(habits_of(scenario), interval_h=hours)
    found = simulate(habits, hours=scenario.cluster.days * 24, runs=200, seed=9).share.mean()
    return Check(f"a checkpoint every {hours} h", formula, float(found), "fraction", "200 runs, here")


def play_months(scenario: Scenario) -> Played:
    """Play the months of a scenario's habits and luck; nothing where numpy is not installed."""
    try:
        import numpy as np
    except ImportError:
        return Played()
    from gpt4lab.simulate.failures import at, draw, play

    habits, hours = habits_of(scenario), 24.0 * MONTH_DAYS
    runs = int(min(max(MOST_GAPS * habits.mtbf_h / hours, 20), MONTHS))
    gaps = draw(habits, hours, runs, scenario.luck.seed)
    spent = play(gaps, habits, hours)
    times = (np.arange(round(hours / MOMENT_H), dtype=np.float64) + 0.5) * MOMENT_H
    bars = calendar(at(times, gaps[0], habits, hours).tolist())
    return Played(spent.share.tolist(), bars, int(spent.failures[0]))


def calendar(moments: list[int]) -> list[dict[str, Any]]:
    """Equal neighbours joined to bars, cut at midnight: one lane a day."""
    per_day, rows = round(24 / MOMENT_H), list[dict[str, Any]]()
    for index, kind in enumerate(moments):
        day, moment = divmod(index, per_day)
        if rows and moment and rows[-1]["kind"] == KINDS[kind]:
            rows[-1]["end"] = (moment + 1) * MOMENT_H
        else:
            rows.append(
                {"day": day + 1, "hour": moment * MOMENT_H, "end": (moment + 1) * MOMENT_H, "kind": KINDS[kind]}
            )
    return rows


def histogram(shares: list[float], width: float = 0.01) -> list[dict[str, float]]:
    """How many months fall into each percent."""
    places = [min(int(share / width), round(1 / width) - 1) for share in shares]
    return [
        {"share": place * width, "to": (place + 1) * width, "months": places.count(place)}
        for place in sorted(set(places))
    ]


def month_chart(view: View) -> Any:
    """The calendar above the histogram."""
    rows = view.datasets
    month = timeline(rows["data"], HOUR, "end", "day", "kind", kinds=KINDS, lane_height=9)
    return stacked(month, _histogram_chart(rows))


def _histogram_chart(rows: Any) -> alt.LayerChart:
    bars = data("months").mark_rect(color=theme.GREEN, opacity=0.55).encode(y2=alt.datum(0))
    found = bars.encode(axes.x(SHARE), axes.y(COUNT), x2="to", tooltip=axes.tooltip(SHARE, COUNT))
    marks = with_words(you=rows["you"], measured=rows["measured"])
    return layered(
        [found, *mark_layers(SHARE, COUNT, marks)], {"months": rows["months"], **marks}, width=theme.WIDTH, height=90
    )


def _hours(hours: float) -> str:
    return show(hours, "hour") if hours >= 1 else show(hours * 60, "minute")


SMALL_CLUSTER: Changes = {
    "reliability.checkpoint_interval_hours": 3,
    "reliability.checkpoint_minutes": 5,
    "reliability.restart_minutes": 30,
}
QUICK: Changes = {
    "reliability.checkpoint_interval_hours": 0.2,
    "reliability.checkpoint_minutes": 0.5,
    "reliability.restart_minutes": 5,
}


#: Published logs: what the reader calls them, the catalog's measurement, and what of it are failures.
LOGS = {
    "Llama 3, H100, 2024": ("llama3-interruptions", ("unexpected_interruptions",)),
    "BLOOM, A100, 2022": ("bloom-failures", ("gpu_failures",)),
    "Meta's RSC-1, A100, to 2024": ("rsc-1-failures", ("hardware_failures",)),
    "OPT-175B, A100, 2021": ("opt-175b-restarts", ("restarts_at_least", "automatic_restarts")),
}


def years_in(log: str) -> float:
    """Years that a GPU lasted in a log."""
    slug, counted = LOGS[log]
    entry = catalog.measurements[slug]
    failed = sum(entry.measured[key] for key in counted)
    return round(years_per_gpu(float(entry.setup["gpus"]), float(entry.setup["days"]), failed), 2)


def as_in(log: str) -> Changes:
    """GPUs that last as long as in a log."""
    return {"reliability.gpu_mtbf_years": years_in(log)}


def young(habits: Changes) -> Changes:
    """The same habits with the interval that Young's rule asks for."""
    interval = value("goodput.young_interval", change(load_scenario("leak"), habits))
    return {**habits, "reliability.checkpoint_interval_hours": interval}


month = Panel(
    title="A month of failures",
    legend="Each row is a day. Blue is work that was saved in time; what a failure destroyed, the checkpoints and the "
    "restarts have the other colours. Below: the same month among two hundred, each with other luck.",
    controls=(
        Slide("reliability.gpu_mtbf_years", 0.2, 100),
        Slide("reliability.checkpoint_interval_hours", 0.02, 24),
        Slide("reliability.checkpoint_minutes", 0.05, 60),
        Slide("reliability.restart_minutes", 0.5, 480),
        Slide("cluster.gpus", 1_000, 100_000),
        "luck.seed",
    ),
    presets={
        "Assumed": "leak",
        "Habits of a small cluster": SMALL_CLUSTER,
        "The same at Young's interval": young(SMALL_CLUSTER),
        "Quick restarts": QUICK,
        "Failures as in OPT-175B's log": as_in("OPT-175B, A100, 2021"),
    },
    speed="debounced",
    view=month_view,
    chart=month_chart,
)
