"""Chapter 15's drawing: gates that open from tanh(0), and what is written of four images meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import atanh, tanh
from statistics import mean

from gpt4lab.charts.drawing import Box, Dot, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import INKS, SWITCHES
from gpt4lab.toys.vision.findings import AS_IT_IS, along

#: Four images of the recorded run's held-out writers, with their captions; a test holds them against the set.
IMAGES = (
    ("..4gf2.. ..bgdd.. .1g81g2. .7g6.b8. .7g4.b8. .4f11f7. ..dcef1. ..3eg6..", "a thick zero leaning left"),
    ("..5g1... ..cc.... .2f8.65. .9g6cg9. .7gggf1. ..3ag6.. ..1ea... ..5g2...", "a thin four leaning left"),
    ("..7g5... ..ggb... ..adg1.. ...df... ...ed... ..cg6481 ..egggg4 ..7gf73.", "a thick two leaning left"),
    ("..1c6... ..cf.... .4ga.... .7ga1... .8ggf7.. .6g99g3. ..8gdfb. ..1afe4.", "a thick six leaning left"),
)
LEFT, TOP, WIDE, HIGH = 20, 34, 190, 130  # px: the plot of tanh
MOST = 1.6  # drawn of a gate's number
DOORS, DOOR, DOWN = 300, 140, 34  # px: left end of the doors; width of one; from one to the next
SEEN, ROW, PIXEL = 222, 60, 6  # px: top of the images; from one to the next; a pixel
HEIGHT = SEEN + 4 * ROW
KINDS = {"attention": "blue", "feed_forward": "orange"}
SHADES = 5  # of ink


def pixels(picture: str) -> list[int]:
    """Ink of each pixel, 0 to 16, row by row; blank paper where nothing is written."""
    return [INKS.index(letter) for letter in picture.replace(" ", "")] or [0] * 64


def inked(key: str, picture: str, x: float, y: float) -> Iterator[Shape]:
    """A picture as thick lines around its middle, so that it keeps its shape in a narrow column; one shape a shade."""
    held, about = pixels(picture), x + 4 * PIXEL
    for shade in range(1, SHADES):
        rows = [
            (x + PIXEL * (at % 8), y + PIXEL * (at // 8) + 2 * line + 1, x + PIXEL * (at % 8) + PIXEL)
            for at, ink in enumerate(held)
            if ink >= 4 * shade
            for line in range(PIXEL // 2)
        ]
        if rows:
            each = [(left, line, right, line) for left, line, right in rows]
            yield Strokes(f"{key}-{shade}", each, f"ink thick{' pale' * (shade < SHADES - 1)}", about)


def _place(opening: float) -> tuple[float, float]:
    """Of a gate that stands so far open, on the plot: along its number, up to its tanh."""
    number = min(MOST, atanh(min(opening, 0.999)))
    return LEFT + WIDE * number / MOST, TOP + HIGH * (1 - opening)


def _plot(gates: list[Row]) -> Iterator[Shape]:
    yield Words("plot-words", 0, 16, "tanh(α)", "bold")
    points = [_place(tanh(MOST * step / 40)) for step in range(41)]
    yield Strokes("tanh", [(*one, *two) for one, two in pairwise(points)], "faint thick")
    yield Stroke("x-axis", LEFT, TOP + HIGH, LEFT + WIDE, TOP + HIGH, "soft")
    yield Stroke("y-axis", LEFT, TOP, LEFT, TOP + HIGH, "soft")
    yield Words("shut", LEFT - 6, TOP + HIGH + 4, "0", "soft small", "end")
    yield Words("open", LEFT - 6, TOP + 4, "1", "soft small", "end")
    yield Words("alpha", LEFT + WIDE, TOP + HIGH + 16, "α", "soft small", "end")
    for gate in gates:
        for kind, look in KINDS.items():
            x, y = _place(abs(gate[kind]))
            told = f"insertion {gate['insertion']}, {kind.replace('_', '-')}: {abs(gate[kind]):.2f}"
            yield Dot(f"dot-{kind}-{gate['insertion']}", x, y, 6 if kind == "attention" else 4, look, told)


def _doors(gates: list[Row]) -> Iterator[Shape]:
    """Text runs down through the insertions; each door is as wide open as its gate."""
    yield Words("doors-words", DOORS, 16, "Doors, as text runs down", "bold")
    yield Stroke("text", DOORS - 14, 24, DOORS - 14, TOP + DOWN * 4, "ink thick")
    for gate in gates:
        y = TOP + DOWN * (gate["insertion"] - 1)
        for at, (kind, look) in enumerate(KINDS.items()):
            x, opening, key = DOORS + (DOOR + 20) * at, abs(gate[kind]), f"{kind}-{gate['insertion']}"
            yield Box(f"frame-{key}", x, y, DOOR, 24, "outline soft")
            yield Box(f"gap-{key}", x, y, DOOR * opening, 24, look)
            words = f"{'look' if kind == 'attention' else 'think'} {opening:.2f}"
            yield Words(f"said-{key}", x + DOOR - 4, y + 16, words, "small", "end")


def _written(captions: list[str]) -> Iterator[Shape]:
    yield Words("written-words", 0, SEEN - 12, "What it writes of images it never saw", "bold")
    for at, ((picture, true), caption) in enumerate(zip(IMAGES, captions, strict=True)):
        y, right = SEEN + ROW * at, caption == true
        yield from inked(f"image-{at}", picture, 40, y)
        yield Words(f"caption-{at}", 150, y + 20, caption or "(nothing)", "bold green" if right else "ink")
        yield Words(f"truth-{at}", 150, y + 38, "right" if right else f"is {true}", "soft small")


def scene(row: Row) -> Scene:
    """The toy after so many steps."""
    captions = [each["caption"] for each in row["captions"]]
    gates, right = row["gates"], sum(c == true for c, (_, true) in zip(captions, IMAGES, strict=True))
    told = (
        f"After {row['step']} steps {row['exact']:.0%} of new writers’ captions are right; a caption costs "
        f"{row['bits']:.1f} bits, and the attention gates are {mean(abs(g['attention']) for g in gates):.2f} open."
        if row["step"]
        else f"Before the first step, nothing learned to see yet, a caption costs {row['bits']:.1f} bits."
    )
    shapes = [*_plot(gates), *_written(captions), *_doors(gates)]
    listed = "; ".join(f"{true}: “{caption}”" for caption, (_, true) in zip(captions, IMAGES, strict=True))
    described = f"{told} Of four images {right} are captioned rightly. {listed}."
    titles = {"insertion": "Insertion", "attention": "Attention gate", "feed_forward": "Feed-forward gate"}
    rows = [{**gate, **{kind: round(abs(gate[kind]), 3) for kind in KINDS}} for gate in gates]
    return Scene(shapes, HEIGHT, described, told, titles, rows)


def gates_view(scenario: Scenario) -> View:
    """A recorded run, scene by scene."""
    found = along(scenario.eyes.switch)
    first, end = found[0], found[-1]
    opened = [abs(gate["attention"]) for gate in end["gates"]]
    shut = "its gates shut" if first["gates"][0]["attention"] == 0 else "no gates"
    return View(
        "Captions of new writers that are wholly right",
        end["exact"],
        "fraction",
        f"With {shut} it begins at {first['bits']:.1f} bits a caption and ends at {end['bits']:.1f}. In the end its "
        f"attention stands {', '.join(f'{one:.2f}' for one in opened)} open, from the first insertion to the last; "
        f"{end['new_exact']:.0%} of the captions are right whose like it was never shown.",
        post=along(AS_IT_IS)[-1]["exact"],
        whose="with Flamingo’s recipe",
        scenes=[scene(row) for row in found],
    )


gates = Drawn(
    title="The gate that opens from tanh(0)",
    legend="A recorded run of the toy, eleven looks. Left, both gates of each insertion on the curve of tanh, without "
    "their sign: blue weighs what attention to the image adds (it looks), orange the feed-forward behind it (it thinks "
    "about what it saw). Right, the same gates as doors. Below, four digits by people whose hands were not trained on. "
    "Step on, and the doors open. The switch chooses other runs.",
    controls=("eyes.switch",),
    presets={
        "Flamingo’s recipe": "leak",
        "No gates": {"eyes.switch": SWITCHES[1]},
        "Thawed": {"eyes.switch": SWITCHES[2]},
        "One door": {"eyes.switch": SWITCHES[6]},
    },
    claims=("C64", "C65"),
    steps="Look",
    begins=-1,
    view=gates_view,
)
