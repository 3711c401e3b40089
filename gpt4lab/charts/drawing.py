"""Drawings of one mechanism that no chart can show: shapes in, a picture out that changes in place.

    scenes = [Scene((Box("tank", 0, 100 - h, 300, h, "blue"),), 100, f"The tank is {h}% full.") for h in (20, 50, 90)]
    drawing = Drawing(scenes)       # with more than one scene there is a scrubber below it
    drawing.show(other_scenes)      # the same keys are the same elements

A drawing is a pure function that returns scenes; here they become SVG. Lengths are px at the scene's full width. In a
narrow column the places move together across (x, w), while heights, circles and words keep their size; so do lines
`about` an x, as the spokes of a wheel. A scene that is `round` shrinks as a whole, and its words only as far as they
can be read. Between two scenes a shape moves from where it was to where it will be; one that has no place in a scene
is not seen there. Of what lies on each other, words are on top, then dots, lines, boxes. A look is one or more of
LOOKS, with blanks between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

import anywidget
import attrs
import traitlets as t

from gpt4lab.charts import theme
from gpt4lab.charts.live import to_columns
from gpt4lab.rows import Rows

COLOURS = ("ink", "soft", "faint", "wash", "paper", "blue", "sky", "green", "orange", "vermillion", "purple")
STYLES = ("outline", "dashed", "thick", "pale", "bold", "small", "large", "typed", "none")
LOOKS = (*COLOURS, *STYLES, "grip", "press", "paint", "drag")
WIDTH = 620  # px; a panel has about as much for its picture at 1280
Look = str


@attrs.frozen
class Box:
    """A rectangle."""

    key: str
    x: float
    y: float
    w: float
    h: float
    look: Look = "blue"
    tip: str = ""


@attrs.frozen
class Boxes:
    """Many rectangles (x, y, w, h) of one look, as one element."""

    key: str
    each: Sequence[tuple[float, float, float, float]]
    look: Look = "blue"
    tip: str = ""


@attrs.frozen
class Stroke:
    """A straight line. about: an x; where the column is narrow, the line keeps its length and place beside that."""

    key: str
    x: float
    y: float
    x2: float
    y2: float
    look: Look = "ink"
    about: float | None = None


@attrs.frozen
class Strokes:
    """Many straight lines (x, y, x2, y2) of one look, as one element; about: as in `Stroke`."""

    key: str
    each: Sequence[tuple[float, float, float, float]]
    look: Look = "faint"
    about: float | None = None


@attrs.frozen
class Dot:
    """A circle of radius `r` around a place."""

    key: str
    x: float
    y: float
    r: float
    look: Look = "blue"
    tip: str = ""


@attrs.frozen
class Words:
    """One line of text; `y` is its baseline."""

    key: str
    x: float
    y: float
    text: str
    look: Look = "ink"
    anchor: Literal["start", "middle", "end"] = "start"


Shape = Box | Boxes | Stroke | Strokes | Dot | Words


@attrs.frozen
class Grip:
    """What the reader can take hold of: shapes with the look "grip", dragged up and down.

    path: the field that it moves; bottom and top: (y, value) at two places, equal steps between.
    """

    path: str
    bottom: tuple[float, float]
    top: tuple[float, float]


@attrs.frozen
class Scene:
    """One state of a drawing.

    height: px. description: what it shows, for a reader who cannot see it. caption: what happens in this step.
    titles: field of the rows -> heading with its unit, for the table below the picture. keys: letters that press, too,
    what has the focus; "-" stands for Delete, and ">" for a drag from one shape onto another.
    """

    shapes: Sequence[Shape]
    height: float
    description: str
    caption: str = ""
    titles: Mapping[str, str] = attrs.field(factory=dict)
    rows: Rows = attrs.field(factory=list)
    grip: Grip | None = None
    width: float = WIDTH
    round: bool = False
    keys: str = ""


class Drawing(anywidget.AnyWidget):
    """Scenes on the page. `steps` names what the scrubber counts, `start` the scene that is seen first (-1: the last).

    `pulled` is (path, value) of a grip that the reader has moved, and how often; `pressed` is the key of a shape with
    the look "press" that was pressed (behind a blank the letter, where one was, or ">" and where it was dragged), and
    how often. A stroke across shapes with the look "paint" presses all of them: their keys, with blanks between. What
    has the look "drag" beside "press" is dragged by a finger, too; the page does not scroll from there.
    """

    _esm = (
        theme.PATIENT
        + theme.styling("chart", theme.css())
        + theme.styling("drawing", theme.read("tokens.css") + theme.read("drawing.css"))
        + theme.read("view.js")
        + theme.read("drawing.js")
    )

    frames = t.List().tag(sync=True)
    steps = t.Unicode("Step").tag(sync=True)
    start = t.Int(0).tag(sync=True)
    pulled = t.List(default_value=["", 0, 0]).tag(sync=True)
    pressed = t.List(default_value=["", 0]).tag(sync=True)

    def __init__(self, scenes: Sequence[Scene], steps: str = "Step", start: int = 0) -> None:
        super().__init__(frames=encoded(scenes), steps=steps, start=start)

    def show(self, scenes: Sequence[Scene]) -> None:
        """Put other scenes in place of these; the scrubber stays where it is."""
        self.frames = encoded(scenes)

    def has(self, pressed: str) -> bool:
        """Whether all that `pressed` names is drawn to be pressed; what a press that came late names may be gone."""
        shapes = (item for frame in self.frames for item in frame["shapes"].items())
        drawn = {key for key, shape in shapes if shape and "press" in shape.get("look", "").split()}
        first, *more = pressed.split(" ")
        return drawn.issuperset([first, *(word for word in more if len(word) > 1 and word[0] != ">")])


def encoded(scenes: Sequence[Scene]) -> list[dict[str, Any]]:
    """Scenes as JSON holds them: of each the shapes that are not as in the one before; null for one that left."""
    frames, before = list[dict[str, Any]](), dict[str, Shape]()
    for scene in scenes:
        now = {shape.key: shape for shape in scene.shapes}
        changed: dict[str, Any] = {key: _shape(s) for key, s in now.items() if before.get(key) != s}
        words = attrs.asdict(scene, filter=lambda field, value: field.name not in ("shapes", "rows"))
        gone = {key: None for key in before if key not in now}
        frames.append({**words, "rows": to_columns(scene.rows), "shapes": {**changed, **gone}})
        before = now
    return frames


def _shape(shape: Shape) -> dict[str, Any]:
    """A shape's fields, its numbers to a hundredth of a pixel; a drawing has hundreds, and moves with a slider."""
    found: dict[str, Any] = {"kind": type(shape).__name__}
    for name in _fields(type(shape)):
        held = getattr(shape, name)
        if name == "each":
            found[name] = [[round(number, 2) for number in one] for one in held]
        elif held not in ("", None):
            found[name] = round(held, 2) if isinstance(held, float) else held
    return found


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind) if field.name != "key")
