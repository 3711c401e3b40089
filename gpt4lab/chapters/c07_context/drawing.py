"""Chapter 07's drawing: the rotations of a head as clock hands, and where training has ever seen them point."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, pi, sin

from gpt4lab.charts.drawing import WIDTH, Dot, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.claims.prose import fill
from gpt4lab.formulas.rotary import bent, frequencies, unseen
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

CLOCKS, ACROSS, RADIUS, PITCH, TOP = 12, 4, 30, WIDTH / 4, 64  # clocks, in a row; px
RAYS = 48  # of a full circle, with which the seen range is shaded
DOWN = 94  # px from row to row
HEIGHT = TOP + 3 * DOWN - 40
PARTS = (1 / 4, 1 / 2, 1, 2, 4)  # of the trained context
WORDS = {1 / 4: "a quarter of", 1 / 2: "half", 1: "the end of", 2: "twice", 4: "four times"}


def turning(scenario: Scenario) -> tuple[list[float], list[float], list[bool]]:
    """Radians a token of each pair: as trained, and bent; and which of them point where training never saw them."""
    width, base, trained = 2 * round(value("context.pairs", scenario)), scenario.positions.base, scenario.model.context
    now = bent(scenario.positions.way, value("context.times", scenario), trained, width, base)
    return frequencies(width, base), now, unseen(now, scenario.model.long_context, width, trained, base)


def scene(scenario: Scenario, part: float) -> Scene:
    """All clocks at one position."""
    trained, position = scenario.model.context, part * scenario.model.context
    plain, now, _ = turning(scenario)
    chosen = [round(at * (len(now) - 1) / (CLOCKS - 1)) for at in range(CLOCKS)]
    rows = [
        {
            "pair": pair + 1,
            "turns": position * now[pair] / (2 * pi),
            "seen": min(1.0, trained * plain[pair] / (2 * pi)),
            "new": _new(position * now[pair], trained * plain[pair]),
        }
        for pair in chosen
    ]
    lost = sum(row["new"] == "yes" for row in rows)
    where = f"At {show(position, 'token')}, {WORDS[part]} the trained context"
    told = (
        f"{lost} of {CLOCKS} hands point where training never saw them"
        if lost
        else "every hand points where it has been"
    )
    told = f"{where}: {told}."
    shapes = [
        Words("where", 8, 18, f"At {show(position, 'token')}: turns so far", "bold"),
        *(s for at, row in enumerate(rows) for s in _clock(at, row)),
    ]
    titles = {"pair": "Pair", "turns": "Turns so far", "seen": "Part of the circle seen in training", "new": "New"}
    return Scene(shapes, HEIGHT, f"{CLOCKS} clocks, the quickest first. {told}", told, titles, rows)


def _new(angle: float, seen: float) -> str:
    """Whether a hand points where it never did, on a circle that was not finished."""
    return "yes" if seen < 2 * pi and angle % (2 * pi) > seen * (1 + 1e-9) else "no"


def _clock(at: int, row: dict[str, object]) -> Iterator[Shape]:
    across, down = PITCH * (at % ACROSS + 0.5), TOP + DOWN * (at // ACROSS)
    turns, seen, new = float(str(row["turns"])), float(str(row["seen"])), row["new"] == "yes"
    rays = [ray / RAYS for ray in range(RAYS + 1) if ray / RAYS < seen or seen >= 1] or [0.0]
    ends = [_end(across, down, ray, RADIUS - 2) for ray in [*rays, seen]]
    yield Strokes(f"seen-{at}", [(across, down, *end) for end in ends], "sky thick pale", about=across)
    yield Dot(f"face-{at}", across, down, RADIUS, "soft outline")
    look = "vermillion thick dashed" if new else "ink thick"
    yield Stroke(f"hand-{at}", across, down, *_end(across, down, turns % 1, RADIUS - 6), look, about=across)
    yield Dot(f"axle-{at}", across, down, 3, "vermillion" if new else "ink", f"pair {row['pair']}")
    told = f"{turns:.3g}" if turns < 1000 else f"{turns:,.0f}"
    yield Words(f"turns-{at}", across, down + RADIUS + 16, told, "small", "middle")


def _end(across: float, down: float, turns: float, length: float) -> tuple[float, float]:
    """Where a hand ends; it starts at twelve and turns as clocks do."""
    return across + length * sin(2 * pi * turns), down - length * cos(2 * pi * turns)


def clocks_view(scenario: Scenario) -> View:
    """How many pairs of all point where they never did, and what the bend costs nearby."""
    plain, now, lost = turning(scenario)
    _, _, theirs = turning(load_scenario("leak"))
    near = now[0] / plain[0]
    kept = "neighbours are as far apart as in training"
    if near < 0.999:
        kept = f"even the quickest turns only {near:.2f} times as far from a token to its neighbour"
    sentence = (
        "{context.unfinished:.0f} of {context.pairs:.0f} hands never finish a turn within {model.context}. Up to "
        f"{{model.long_context}}, {sum(lost)} of them come to point where they never did; {kept}."
    )
    return View(
        "Hands that point where training never saw them",
        sum(lost),
        "1",
        fill(sentence, scenario),
        post=sum(theirs),
        whose="unbent, with the post's two lengths",
        scenes=[scene(scenario, part) for part in PARTS],
    )


clocks = Drawn(
    title="Positions as clock hands",
    legend="Twelve of the pairs of one head, if its positions were rotary, the quickest first. Shaded: where the hand "
    "has pointed within the trained context. Step on, and dashed hands leave the shade. Then bend.",
    controls=(
        Slide("model.context", 1024, 131_072),
        Slide("model.long_context", 1024, 524_288),
        "positions.way",
        Slide("positions.base", 1000, 1e7),
    ),
    presets={
        "The post's lengths": "leak",
        "Interpolation": {"positions.way": "interpolation"},
        "NTK": {"positions.way": "NTK"},
        "YaRN": {"positions.way": "YaRN"},
    },
    claims=("C20",),
    steps="Position",
    begins=2,
    view=clocks_view,
    tour=(
        ({}, "Unbent, {context.unfinished:.0f} slow hands leave what they have seen as soon as the text is longer."),
        (
            {"positions.way": "interpolation"},
            "Interpolation slows all by {context.times}: nothing is new, but nearby tokens blur.",
        ),
        (
            {"positions.way": "YaRN"},
            "YaRN slows the {context.unfinished:.0f} that never finished a turn, and leaves the quick ones alone.",
        ),
    ),
)
