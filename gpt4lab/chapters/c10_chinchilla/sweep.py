"""Chapter 10, live: a small Chinchilla, and two ways to read one valley. The trainings need torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from gpt4lab.charts import Axis, dots
from gpt4lab.models.in_scenario import grid_in, surface_in
from gpt4lab.models.isoflop import BUDGETS, Grid, Surface, drawn
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.figure import Figure
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.reading import Attempt
from gpt4lab.panels.training import Training
from gpt4lab.panels.view import View
from gpt4lab.quantities import values
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.toys.isoflop.runs import bottoms_in_words, budget, means, recorded, tuned
from gpt4lab.units import show

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

SIZE = Axis("parameters", "Parameters that multiply a token", log=True, form="count", domain=(1e3, 1e5))
LOSS = Axis("bpb", "Held-out loss, bits per byte", domain=(2.8, 4.2))
LIVE = {"grid": {1.5e9: (6, 8, 12), 6e9: (8, 12, 16, 24)}, "seeds": 1}  # two valleys in ten seconds of two cores
ORDER = [f"{flop} GFLOP" for flop in (5, 10, 20, 40)]
JOBS = 2


def begin(scenario: Scenario) -> BackgroundRun[list[Row]]:
    """The smaller run of the reader, two trainings at a time. Raises ImportError without torch."""
    from gpt4lab.toys.core.corpus import load_corpus
    from gpt4lab.toys.isoflop.sweep import IsoFlop

    return IsoFlop(load_corpus(), lrs=(scenario.sweep.rate,), **LIVE).start(jobs=JOBS, name="small Chinchilla")


def sweep_view(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """Recorded valleys as lines, live models as squares."""
    here, runs = list(attempt.run.result) if attempt else [], tuned(recorded()["results"])
    squares = [{"parameters": row["parameters"], "bpb": row["bpb"], "label": ""} for row in here]
    return View(
        label="Small models trained for the recorded valleys",
        value=len(recorded()["results"]),
        unit="model",
        sentence=f"{bottoms_in_words('Recorded', runs)} {_live(here)}",
        rows={"data": [{**row, "budget": budget(row["flop"])} for row in means(runs)], "measured": squares},
        alt="Held-out loss against parameters: a valley for each of four budgets; larger ones lie lower, to the right.",
    )


def _live(rows: Sequence[Row]) -> str:
    of = sum(map(len, LIVE["grid"].values())) * LIVE["seeds"]
    here = bottoms_in_words("Here", rows) if len(rows) == of else f"Here {len(rows)} of {of} are trained."
    return here if rows else "Press Run: seven smaller ones of your own, on two smaller budgets."


sweep = Training(
    title="A Chinchilla of your own",
    legend="Each line is a budget of compute, spent on small models that read much or larger ones that read little "
    "(recorded, the mean of three seeds). Squares: the smaller sweep that you start here, two trainings at a time.",
    controls=("sweep.rate",),
    presets={"As recorded": "leak", "A lower rate": {"sweep.rate": 0.01}},
    begin=begin,
    watch=sweep_view,
    chart=lines_chart(SIZE, LOSS, series="budget", order=ORDER, right=90, measured=[]),
)


# --- two ways to read one valley --------------------------------------------------------------------------------------

EXPONENT = Axis("a", "Power of compute with which the best size grows", domain=(0.4, 0.8))
SAYS = {"valleys": "parabolas", "parametric": "one law through all"}


@cache
def exponents_view() -> View:
    """Toy and papers, by the way that they were read. Needs numpy and scipy."""
    from gpt4lab.toys.isoflop.exponents import exponents, of_points, published

    found = exponents(tuned(recorded()["results"]), draws=100)
    toy = [{**row, "lane": f"toy: {SAYS[row['approach']]}", "mark": "measured"} for row in found]
    papers = [{**row, "lane": f"{row['source']}, {row['approach']}", "mark": "published"} for row in published()]
    points = [{**row, "lane": f"Chinchilla’s points: {row['approach']}", "mark": "measured"} for row in of_points()]
    valleys, law = toy
    return View(
        label="Parabolas less one law",
        value=valleys["a"] - law["a"],
        sentence=f"The same runs: parabolas say {valleys['a']:.3f} ({valleys['low']:.3f} to {valleys['high']:.3f}), "
        f"one law through all says {law['a']:.3f} ({law['low']:.3f} to {law['high']:.3f}).",
        rows={"data": [*toy, *points, *papers]},
        alt="Exponents as dots with bands: the toy’s two on top, below them those of the papers.",
    )


def exponents_figure() -> Figure:
    """The figure; nothing in it moves."""
    return Figure(
        "Two ways to read the same trainings",
        exponents_view(),
        chart=lambda view: dots(view.rows["data"], EXPONENT, "lane", bounds=("low", "high")),
        legend="Squares: the recorded toy, with what the middle four fifths of the draws of a bootstrap span. "
        "Triangles: the papers.",
    )


# --- the parabola’s own error -----------------------------------------------------------------------------------------

STEP = Axis("times", "Size over the best one", log=True, form="plain", domain=(0.003, 300))
ABOVE = Axis("above", "Loss above the lowest, nats a token", domain=(0, 0.5))
VALLEY, PARABOLA = "the true valley", "parabola through nine sizes"


def parabola_view(scenario: Scenario) -> View:
    """The largest budget’s valley and the parabola through it; what all nine budgets make of the run’s compute."""
    surface, grid = surface_in(scenario), grid_in(scenario)
    names = ("chinchilla.parabola_off", "chinchilla.parabola_exponent", "chinchilla.exponent", "training.flop")
    off, here, true, flop = values(names, scenario).values()
    return View(
        label="Best size for the run’s compute, as parabolas find it, over the true one",
        value=off,
        unit="x",
        sentence=f"By parabolas the best size grows with the power {here:.3f} of compute; it grows with the power "
        f"{true:.3f}. At {show(flop, 'FLOP')} they are off by a factor of {max(off, 1 / off):.2f}.",
        rows={"data": list(_curves(surface, grid))},
        alt="Loss against size at one budget: the true valley, and the parabola fitted to nine sizes in it.",
    )


def _curves(surface: Surface, grid: Grid) -> Iterator[Row]:
    for times, true, fitted in drawn(surface, grid, BUDGETS[-1]):
        yield {"times": times, "above": true, "curve": VALLEY}
        yield {"times": times, "above": fitted, "curve": PARABOLA}


parabola = Panel(
    title="A valley is no parabola",
    legend="No noise, and a law that is known: whatever is wrong here is the method’s. Nine budgets as in the paper, "
    "nine sizes in each; drawn is the largest budget. Make the sizes span more, or aim beside the best one.",
    controls=("chinchilla.span", "chinchilla.aim", "chinchilla.law"),
    start="leak?chinchilla.law=Hoffmann",
    presets={
        "Well aimed": {},
        "A very wide net": {"chinchilla.span": 1000},
        "Aimed by another law": {"chinchilla.aim": 0.2},
    },
    view=parabola_view,
    chart=lines_chart(STEP, ABOVE, series="curve", order=[VALLEY, PARABOLA], right=170),
)
