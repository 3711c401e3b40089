"""Drawings: what is sent of scenes, and what every chapter's drawing holds to, whatever its sliders say."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from gpt4lab.charts import theme
from gpt4lab.charts.drawing import LOOKS, Box, Boxes, Dot, Drawing, Scene, Shape, Stroke, Strokes, Words, encoded
from gpt4lab.panels.drawn import Drawn
from gpt4lab.scenario import load_scenario
from tests.unit.panels.declared import declared

DRAWN = declared(Drawn)
BEYOND = 1e18  # above every slider, those of tokens too
TANK, DOT = Box("tank", 0, 0, 10, 5), Dot("dot", 1, 2, 3)


def unfolded(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the page makes of the frames: the shapes of each scene."""
    shapes, found = dict[str, Any](), list[dict[str, Any]]()
    for frame in frames:
        shapes = {key: shape for key, shape in {**shapes, **frame["shapes"]}.items() if shape is not None}
        found.append(shapes)
    return found


def test_only_what_changes_is_sent() -> None:
    moved = attrs.evolve(DOT, x=5.123)
    frames = encoded([Scene([TANK, DOT], 10, "one"), Scene([TANK, moved], 10, "two"), Scene([moved], 10, "three")])
    assert [list(frame["shapes"]) for frame in frames] == [["tank", "dot"], ["dot"], ["tank"]]
    assert frames[1]["shapes"]["dot"] == {"kind": "Dot", "x": 5.12, "y": 2, "r": 3, "look": "blue"}
    assert [list(shapes) for shapes in unfolded(frames)] == [["tank", "dot"], ["tank", "dot"], ["dot"]]


def test_what_is_shown_again_sends_the_scenes_alone() -> None:
    drawing = Drawing([Scene([TANK], 10, "one")])
    drawing.show([Scene([DOT], 10, "two")])
    assert [frame["description"] for frame in drawing.frames] == ["two"]


def test_every_look_and_every_shape_has_its_rule() -> None:
    css, js = theme.read("drawing.css"), theme.read("drawing.js")
    assert [look for look in LOOKS if f".g4l-look-{look}" not in css] == []
    assert [
        kind.__name__ for kind in (Box, Boxes, Stroke, Strokes, Dot, Words) if f"  {kind.__name__}: (" not in js
    ] == []


def states() -> list[Any]:
    """(name, preset) of every drawing."""
    return [pytest.param(drawn, name, id=f"{key}-{name}") for key, drawn in DRAWN.items() for name in drawn.presets]


@pytest.mark.parametrize(("drawn", "preset"), states())
def test_a_drawing_says_what_it_shows_and_stays_in_its_frame(drawn: Drawn, preset: str) -> None:
    scenes = drawn.view(drawn.scenario_of(preset)).scenes
    assert scenes
    assert len({scene.width for scene in scenes}) == 1
    for scene in scenes:
        keys = [shape.key for shape in scene.shapes]
        assert len(keys) == len(set(keys))
        assert len(scene.description) > 40
        assert bool(scene.caption) is (len(scenes) > 1)
        assert scene.rows
        assert set(scene.titles) == {name for row in scene.rows for name in row}
        for shape in scene.shapes:
            assert set(shape.look.split()) <= set(LOOKS), shape
            assert not outside(shape, scene), shape


def outside(shape: Shape, scene: Scene) -> list[tuple[float, float]]:
    """Corners of a shape that lie out of the picture; a word's only its own place."""
    return [(x, y) for x, y in corners(shape) if not (-1 <= x <= scene.width + 1 and -1 <= y <= scene.height + 1)]


def corners(shape: Shape) -> list[tuple[float, float]]:
    if isinstance(shape, Boxes | Strokes):
        wide = isinstance(shape, Boxes)
        return [p for x, y, a, b in shape.each for p in ((x, y), (x + a, y + b) if wide else (a, b))]
    if isinstance(shape, Box):
        return [(shape.x, shape.y), (shape.x + shape.w, shape.y + shape.h)]
    return [(shape.x, shape.y), *([(shape.x2, shape.y2)] if isinstance(shape, Stroke) else [])]


@pytest.mark.parametrize("drawn", DRAWN.values(), ids=list(DRAWN))
def test_what_is_dragged_moves_the_slider(drawn: Drawn) -> None:
    live = drawn.widget()
    grip = drawn.view(load_scenario(drawn.start)).scenes[0].grip
    if grip is None:
        return
    live.chart.pulled = [grip.path, BEYOND, 1]
    control = live.controls[grip.path]
    assert control.value == control.hi
    live.chart.pulled = [grip.path, -BEYOND, 2]
    assert control.value == control.lo
    assert live.error == ""
