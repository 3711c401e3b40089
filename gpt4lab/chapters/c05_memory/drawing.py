"""Chapter 05's drawing: GPT-4's answers to 837 problems by date and by copies, and the cut-off as a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

from gpt4lab.catalog.euler import ASKED, Problem
from gpt4lab.charts.drawing import Box, Boxes, Dot, Grip, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.checks.memorised import CUTOFF, after, before, copies, of_stratum, right
from gpt4lab.formulas.shares import wilson
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.units import month

LEFT, WIDE, FLOOR, TALL = 76, 510, 330, 300  # px: where the plot begins, how wide, its lower edge, how high
FIRST, LAST = 2001.5, 2023.5
LEAST, MOST = log10(400), log10(15_000)
SIZE = 4  # px of a problem


def _y(year: float) -> float:
    return FLOOR - TALL * (year - FIRST) / (LAST - FIRST)


def _x(of: float) -> float:
    return LEFT + WIDE * min(1.0, max(0.0, (of - LEAST) / (MOST - LEAST)))


def _places(chosen: Sequence[Problem]) -> list[tuple[float, float, float, float]]:
    return [(_x(copies(p)) - SIZE / 2, _y(p.year) - SIZE / 2, SIZE, SIZE) for p in chosen]


def _pluses(chosen: Sequence[Problem]) -> list[tuple[float, float, float, float]]:
    places = [(_x(copies(p)), _y(p.year), SIZE - 1) for p in chosen]
    return [(x - r * flat, y - r + r * flat, x + r * flat, y + r - r * flat) for x, y, r in places for flat in (1, 0)]


def _share(chosen: Sequence[Problem], scenario: Scenario, asked: str) -> str:
    """So many of so many, and between which shares that lies."""
    if not chosen:
        return "no problem"
    hits = right(chosen, scenario.heart.model, asked)
    low, high = wilson(hits, len(chosen))
    return f"{hits} of {len(chosen)} ({low:.0%} to {high:.0%})"


def _frame() -> Iterator[Shape]:
    years, numbers = (2005, 2010, 2015, 2020), (500, 1000, 2000, 5000, 10_000)
    yield Strokes("years", [(LEFT, _y(year), LEFT + WIDE, _y(year)) for year in years], "faint")
    yield Strokes("numbers", [(_x(log10(n)), FLOOR - TALL, _x(log10(n)), FLOOR) for n in numbers], "faint")
    for year in years:
        yield Words(f"year-{year}", LEFT - 6, _y(year) + 4, f"{year}", "soft", "end")
    for n in numbers:
        yield Words(f"number-{n}", _x(log10(n)), FLOOR + 16, f"{n:,}", "soft", "middle")
    yield Words("x", LEFT + WIDE / 2, FLOOR + 33, "repositories that hold it", "soft", "middle")


def _line(scenario: Scenario) -> Iterator[Shape]:
    y = _y(scenario.heart.cutoff)
    yield Stroke("cutoff", LEFT, y, LEFT + WIDE, y, "ink thick")
    yield Dot("handle", LEFT + WIDE, y, 7, "ink grip")
    yield Box("hold", LEFT, y - 12, WIDE, 24, "none grip")
    yield Words(
        "cutoff-words",
        LEFT + WIDE - 12,
        y + (16 if y < 40 else -8),
        f"your cut-off: {month(scenario.heart.cutoff)}",
        "bold",
        "end",
    )


def scene(scenario: Scenario, asked: str) -> Scene:
    """All problems of the chosen difficulty: a plus for a right answer, a pale square for every other."""
    heart = scenario.heart
    early, late = (of_stratum(heart.difficulty, part(heart.cutoff)) for part in (before, after))
    yes = [p for p in (*early, *late) if p.right[heart.model, asked]]
    no = [p for p in (*early, *late) if not p.right[heart.model, asked]]
    told = f"Right before the line: {_share(early, scenario, asked)}. From it on: {_share(late, scenario, asked)}."
    shapes = [
        *_frame(),
        Boxes("wrong", _places(no), "sky pale", "not answered"),
        Strokes("right", _pluses(yes), "vermillion thick"),
        *_line(scenario),
    ]
    rows = [{"part": words, "right": right(part, heart.model, asked), "problems": len(part)}
            for words, part in (("before the line", early), ("from it on", late))]  # fmt: skip
    return Scene(
        shapes,
        FLOOR + 40,
        f"Problems by the year they came out and by their copies; a plus where {heart.model} was right. {told}",
        f"Given {asked}. {told}",
        {"part": "Problems", "right": "Answered rightly", "problems": "Problems in all"},
        rows,
        Grip("heart.cutoff", (FLOOR, FIRST), (FLOOR - TALL, LAST)),
    )


def answers_view(scenario: Scenario) -> View:
    """The share from the cut-off on, and what there is to compare with."""
    heart = scenario.heart
    late = of_stratum(heart.difficulty, after(heart.cutoff))
    hits = right(late, heart.model, heart.asked)
    known = [p.released for p in (*before(heart.cutoff), *late) if p.right[heart.model, heart.asked]]
    last = f"The last that {heart.model} had right came out in {max(known):%B %Y}. " if known else ""
    return View(
        label=f"Right answers from {month(heart.cutoff)} on",
        value=f"{hits} of {len(late)}",
        sentence=f"Problems above the line came out later. {last}Of the text of all three models next to "
        f"nothing is from {CUTOFF:%B %Y} or later. The answers alone do not say so: few late problems are famous.",
        scenes=[scene(scenario, asked) for asked in ASKED],
    )


answers = Drawn(
    title="837 problems, and a line",
    legend="Each mark is a problem of Project Euler: a red plus was answered rightly, a pale square was not. "
    "Drag the line up and down. Step from its number alone to its text. Whose answers, and how hard: below.",
    controls=(Slide("heart.cutoff", 2002, 2023.25), "heart.model", "heart.difficulty"),
    presets={
        "September 2021": "leak",
        "A line in 2010": {"heart.cutoff": 2010},
        "Easy ones only": {"heart.difficulty": "easy: up to 15%"},
        "Hard ones only": {"heart.difficulty": "hard: 50% and more"},
    },
    claims=("C100",),
    steps="Given",
    view=answers_view,
)
