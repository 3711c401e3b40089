"""Chapter 10, live: a small Chinchilla, and two ways to read one valley. The trainings need torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gpt4lab.charts import Axis, dots
from gpt4lab.models.isoflop import BUDGETS, loss_there, tried
from gpt4lab.models.isoflop import parabola as through
from gpt4lab.models.in_scenario import grid_in, surface_in
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.figure import Figure
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.reading import Attempt
from gpt4lab.panels.training import Training
from gpt4lab.panels.view import View
from gpt4lab.quantities import values
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.toys.isoflop.runs import means, recorded, tuned
from gpt4lab.units import show

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

SIZE = Axis("parameters", "Parameters that multiply a token", log=True, form="count", domain=(1e3, 6e4))
LOSS = Axis("bpb", "Held-out loss, bits per byte", domain=(2.8, 4.2))
LIVE = {"grid": {1.5e9: (6, 8, 12), 6e9: (8, 12, 16, 24)}, "seeds": 1}  # two valleys in ten seconds of two cores
JOBS = 2
NEEDS_NUMPY = "To fit these needs numpy, which is not installed here."


def budget(flop: float) -> str:
    """How a budget is called on its line."""
    return f"{flop / 1e9:g} GFLOP"


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
        sentence=f"{_bottoms('Recorded', runs)} {_live(here)}",
        rows={"data": [{**row, "budget": budget(row["flop"])} for row in means(runs)], "measured": squares},
        alt="Held-out loss against parameters: a valley for each of four budgets; the larger, the lower and the more "
        "to the right.",
    )


def _live(rows: Sequence[Row]) -> str:
    of = sum(map(len, LIVE["grid"].values())) * LIVE["seeds"]
    if not rows:
        return "Press Run: seven smaller ones of your own, on two smaller budgets."
    if len(rows) < of:
        return f"Here {len(rows)} of {of} are trained."
    return _bottoms("Here", rows)


def _bottoms(who: str, rows: Sequence[Row]) -> str:
    """Where the parabola of each budget is lowest."""
    if not find_spec("numpy"):
        return NEEDS_NUMPY
    from gpt4lab.toys.isoflop.exponents import FitFailed, optima

    try:
        found = optima(rows)
    except FitFailed as failed:
        return f"{who}: {failed}."
    each = ", ".join(f"{budget(row['flop'])} {_bottom_of(row)}" for row in found)
    return f"{who}, lowest at: {each}."


def _bottom_of(row: Row) -> str:
    return f"{show(row['optimum'], 'param')}" if row["inside"] else "beyond the sizes tried"


sweep = Training(
    title="A Chinchilla of your own",
    legend="Each line is a budget of compute, spent on small models that read much or larger ones that read little "
    "(recorded, the mean of three seeds). Squares: the smaller sweep that you start here, two trainings at a time.",
    controls=("sweep.rate",),
    presets={"As recorded": "leak", "A lower rate": {"sweep.rate": 0.01}},
    begin=begin,
    watch=sweep_view,
    chart=lines_chart(SIZE, LOSS, series="budget", order=[budget(flop) for flop in (5e9, 1e10, 2e10, 4e10)], right=90, measured=[]),
)


# --- two ways to read one valley --------------------------------------------------------------------------------------

EXPONENT = Axis("a", "Power of compute with which the best size grows", domain=(0.4, 0.8))
SAYS = {"valleys": "parabolas", "parametric": "one law through all"}


@cache
def found_exponents(draws: int = 100) -> list[Row]:
    """Both ways on the recorded runs, with the bands of a bootstrap. Needs numpy and scipy."""
    from gpt4lab.toys.isoflop.exponents import exponents

    return exponents(tuned(recorded()["results"]), draws)


def exponents_view() -> View:
    """Toy and papers, by the way that they were read."""
    from gpt4lab.toys.isoflop.exponents import published

    toy = [{**row, "lane": f"toy: {SAYS[row['approach']]}", "mark": "measured"} for row in found_exponents()]
    papers = [{"lane": f"{row['source']}, {row['approach']}", "a": row["a"], "mark": "published"} for row in published()]
    valleys, law = toy
    return View(
        label="Parabolas less one law",
        value=valleys["a"] - law["a"],
        sentence=f"The same {len(tuned(recorded()['results']))} trainings: parabolas say {valleys['a']:.3f} ({valleys['low']:.3f} to "
        f"{valleys['high']:.3f}), one law through all says {law['a']:.3f} ({law['low']:.3f} to {law['high']:.3f}).",
        rows={"data": [*toy, *papers]},
        alt="Exponents as dots with bands: the toy’s two on top, below them those of the papers.",
    )


def exponents_figure() -> Figure:
    """The figure; nothing in it moves."""
    return Figure(
        "Two ways to read the same trainings",
        exponents_view(),
        chart=lambda view: dots(view.rows["data"], EXPONENT, "lane", bounds=("low", "high")),
        legend="Squares: the recorded toy, with what the middle four fifths of a bootstrap’s draws span. Triangles: the "
        "papers.",
    )


# --- the parabola’s own error -----------------------------------------------------------------------------------------

STEP = Axis("times", "Size over the best one", log=True, form="plain", domain=(0.003, 300))
ABOVE = Axis("above", "Loss above the lowest, nats a token", domain=(0, 0.5))
VALLEY, PARABOLA = "the true valley", "parabola through nine sizes"


def parabola_view(scenario: Scenario) -> View:
    """The largest budget’s valley and the parabola through it; what all nine budgets make of the run’s compute."""
    surface, grid = surface_in(scenario), grid_in(scenario)
    off, here, true = values(
        ("chinchilla.parabola_off", "chinchilla.parabola_exponent", "chinchilla.exponent"), scenario
    ).values()
    return View(
        label="Best size for the run’s compute, as parabolas find it, over the true one",
        value=off,
        unit="x",
        sentence=f"Parabolas say that the best size grows with the power {here:.3f} of compute; it grows with the power "
        f"{true:.3f}. At {show(values(('training.flop',), scenario)['training.flop'], 'FLOP')} they are off by a factor "
        f"of {max(off, 1 / off):.2f}.",
        rows={"data": list(_curves(surface, grid))},
        alt="Loss against size at one budget: the true valley, and the parabola fitted to nine sizes in it.",
    )


def _curves(surface: Any, grid: Any) -> Iterator[Row]:
    """Both curves, by the size over the best one."""
    C = BUDGETS[-1]
    sizes = tried(surface, grid, C)
    best = tried(surface, grid._replace(span=2.0, aim=1.0), C)[4]
    floor = loss_there(surface, best, C)
    low, slope, bend = through([loss_there(surface, N, C) for N in sizes])
    for step in range(-40, 41):
        N, x = sizes[4] * grid.span ** (step / 80), step / 40
        yield {"times": N / best, "above": loss_there(surface, N, C) - floor, "curve": VALLEY}
        yield {"times": N / best, "above": low + slope * x + bend * x * x - floor, "curve": PARABOLA}


parabola = Panel(
    title="A valley is no parabola",
    legend="No noise, and a law that is known: whatever is wrong here is the method’s. Nine budgets as in the paper, "
    "nine sizes in each; drawn is the largest budget. Make the sizes span more, or aim beside the best one.",
    controls=("chinchilla.span", "chinchilla.aim", "chinchilla.law", "chinchilla.dropped"),
    start="leak?chinchilla.law=Hoffmann",
    presets={
        "Well aimed": {},
        "A very wide net": {"chinchilla.span": 1000},
        "Aimed by another law": {"chinchilla.aim": 0.2},
    },
    view=parabola_view,
    chart=lines_chart(STEP, ABOVE, series="curve", order=[VALLEY, PARABOLA], right=170),
)
