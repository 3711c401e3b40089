"""Chapter 13, live: the engine serves the trace, and the simulation is laid over it. Needs torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from gpt4lab.chapters.c13_batching.engine_check import MEASURES, figures, simulated
from gpt4lab.charts import Axis
from gpt4lab.charts.drawing import Box, Drawing, Scene, Shape, Words
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.reading import Attempt
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.training import LiveTraining, Training
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import SCHEDULES

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun
    from gpt4lab.toys.engine.traced import Repeated

KNOWN = SCHEDULES[:3]  # what the engine can do: it takes prompts whole
LEFT, RIGHT, TOP, ROW = 30, 612, 10, 34  # px
SECONDS = Axis("seconds", "Seconds of the engine's own clock", zero=True)
DONE = Axis("done", "Requests that are answered", domain=(0, 20))


def replayed(runs: Repeated, scheduler: str) -> Any:
    """The simulation, given what passes took in the first run of each scheduler."""
    return simulated(runs.asked, runs.of(scheduler)[0], runs.pace)


def begin(scenario: Scenario) -> BackgroundRun[Repeated]:
    """Serve in the background. Raises ImportError without torch."""
    from gpt4lab.toys.core.background import BackgroundRun
    from gpt4lab.toys.engine.traced import MANY, REPEATS, Repeated

    runs = Repeated(scenario.batching.slots)
    return BackgroundRun(runs.rows(), runs, MANY * REPEATS * len(KNOWN), "engine").start()


def watch(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """Requests that are through: the engine's first runs as squares, the simulation as lines once all is done."""
    runs = attempt.run.result if attempt else None
    ends = [sorted(stay.end_s for stay in first.stays) for first in runs.served[: len(KNOWN)]] if runs else []
    lines = {name: sorted(replayed(runs, name).finished_s.tolist()) for name in KNOWN} if runs and runs.whole else {}
    return View(
        sentence=_said(runs)
        if runs and runs.whole
        else "Press Run: each scheduler serves the same requests three times.",
        rows={
            "data": [{**row, "scheduler": name} for name, times in lines.items() for row in _steps(times)],
            "measured": [{**row, "label": ""} for times in ends for row in _steps(times)],
        },
        alt="Requests answered over time: squares for the engine, a line for the simulation, for each scheduler.",
    )


def _steps(times: Sequence[float]) -> list[Row]:
    return [{"seconds": at, "done": count} for count, at in enumerate(times, 1)]


def _said(runs: Repeated) -> str:
    each = [row["engine / simulation"] for row in compared(runs)]
    spread = max(row["spread of the engine"] for row in compared(runs))
    return (
        f"Engine over simulation: {min(each):.2f} to {max(each):.2f} in {len(each)} figures. The engine itself, asked "
        f"again, comes back up to {spread:.0%} apart."
    )


def compared(runs: Repeated) -> list[Row]:
    """Figures of the simulation, of the engine's later runs, their ratio, and how far apart all of its runs are."""
    return [row for name in KNOWN for row in _compared(runs, name)] if runs.whole else []


def _compared(runs: Repeated, name: str) -> Iterator[Row]:
    played, found = figures(replayed(runs, name)), [one.summary() for one in runs.of(name)]
    for measure in MEASURES:
        each = [summary[measure] for summary in found]
        yield {
            "scheduler": name,
            "figure": measure,
            "simulation": played[measure],
            "engine": fmean(each[1:]),
            "engine / simulation": fmean(each[1:]) / played[measure],
            "spread of the engine": (max(each) - min(each)) / fmean(each),
        }


trace = Training(
    title="The engine serves the trace",
    legend="A small transformer answers the first twenty requests of the conversation trace, under three schedulers, "
    "in turns. Squares: the engine. Lines: the simulation, which knows the requests, the rules and four numbers of "
    "what a pass costs.",
    controls=(Slide("batching.slots", 2, 8),),
    presets={"Six slots": "leak", "Two slots": {"batching.slots": 2}},
    begin=begin,
    watch=watch,
    chart=lines_chart(SECONDS, DONE, series="scheduler", order=KNOWN, right=90, measured=[]),
)


def overlay(lab: LiveTraining) -> Any:
    """The slots of the engine's first run, and of the simulation as outlines over them; a scene a scheduler."""
    runs = lab.attempt and lab.attempt.run.result
    return Drawing([_scene(runs, name) for name in KNOWN], steps="Scheduler", start=2) if runs and runs.whole else None


def _scene(runs: Repeated, name: str) -> Scene:
    real, played = runs.of(name)[0].timeline(), replayed(runs, name).timeline()
    scale = (RIGHT - LEFT) / max(row["end_s"] for row in (*real, *played))
    caption = f"{name.capitalize()} batching: filled bars are the engine’s, outlines the simulation’s."
    shapes = [*_words(runs.slots), *_bars(real, scale, ""), *_bars(played, scale, "ink outline")]
    return Scene(shapes, TOP + ROW * runs.slots + 8, f"{caption} They lie on each other where the two agree.", caption)


def _words(slots: int) -> Iterator[Shape]:
    for slot in range(slots):
        yield Words(f"slot-{slot}", LEFT - 6, TOP + ROW * slot + 20, f"{slot + 1}", "soft small", "end")


def _bars(rows: Sequence[Row], scale: float, look: str) -> Iterator[Shape]:
    looks = {"prompt": "orange", "answer": "blue", "padding": "vermillion pale"}
    for row in rows:
        x, wide = LEFT + row["start_s"] * scale, (row["end_s"] - row["start_s"]) * scale
        y, high = TOP + ROW * (row["slot"] - 1), ROW - 12
        tip = f"Request {row['request'] + 1}, {row['kind']}: {row['start_s']:.3f} to {row['end_s']:.3f} s"
        key = f"{look}-{row['kind']}-{row['request']}"
        yield Box(key, x, y + 4 * bool(look), wide, high, look or looks[row["kind"]], tip)
