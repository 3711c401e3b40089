"""What a cell that shows a panel or a figure holds where nothing runs: its words, and its chart standing still.

    still(panel)             an output for the cell; None for what has no chart
    still(panel, draw=False) the same without the picture: what a test compares, number for number

What a panel measures differs by machine: it belongs into a live cell, and is recorded.

The words are those that the panel opens with: headline, sentence, verdicts; the picture is its own chart or drawing. It
is an image within HTML, because that is shown everywhere: by JupyterLab for a notebook that nobody has trusted yet,
where a code forge shows notebooks, and in an exported page. Its text alternative is the panel's.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

import ipywidgets as w
import nbformat

from gpt4lab.charts import theme
from gpt4lab.charts.drawing import Drawing
from gpt4lab.charts.live import LiveChart
from gpt4lab.charts.still import document, line, renderer
from gpt4lab.panels.measured import Measured
from gpt4lab.panels.panel import LivePanel

HOW = "Here it stands still, as it opens. Run the chapter (Run → Run All Cells), and it moves."
DRAWN = re.compile(r"base64,[\w+/=]+")  # a picture in HTML
Element = ElementTree.Element
DIGITS = 6  # of the numbers of a row: what two machines agree about
MOST_PARTS = 1000  # of a picture: a month of failures hour by hour has more, and would fill the file
Picture = LiveChart | Drawing


def still(shown: Any, draw: bool = True) -> Any:
    """The output of a cell that shows this widget."""
    pictures = [part for part in parts_of(shown) if isinstance(part, Picture)] if isinstance(shown, w.Widget) else []
    if not pictures:
        return None
    if isinstance(shown, LivePanel) and isinstance(shown.panel, Measured):
        raise ValueError(f"{shown.panel.title!r} measures, and machines differ: begin its cell with %%live")
    text = f'<div class="mathjax_ignore">{inside(shown, draw)}<p><em>{HOW}</em></p></div>'
    drawn = [digest(tables_of(part)) for part in pictures]
    return nbformat.v4.new_output("display_data", {"text/html": text}, metadata={"gpt4lab": {"drawn": drawn}})


def inside(shown: w.Widget, draw: bool = True) -> str:
    """The words and the pictures of a widget, as HTML."""
    return plain("".join(image(part, draw) if isinstance(part, Picture) else part.value for part in parts_of(shown)))


def parts_of(shown: w.Widget) -> Iterator[Any]:
    """The words and the pictures of a widget, in the order of the page; what is folded is left out."""
    if isinstance(shown, w.Box) and shown.layout.display != "none":
        for child in shown.children:
            yield from parts_of(child)
    elif isinstance(shown, w.HTML | Picture):
        yield shown


def plain(html: str) -> str:
    """HTML for a page without a stylesheet: words apart, and no dollar that begins a formula."""
    apart = re.sub(r"(</(?:span|strong)>)(?=<)", r"\1 ", html)
    return re.sub(r">[^<]*<", lambda found: found[0].replace("$", "<span>$</span>"), apart)


def tables_of(picture: Picture) -> dict[str, Any]:
    """All that is drawn, by name: the rows of a chart as columns, or the shapes of a drawing's scenes."""
    if isinstance(picture, Drawing):
        return {str(at): frame["shapes"] for at, frame in enumerate(picture.frames)}
    return {name: picture.rows(name) for name in picture._names}


def digest(tables: dict[str, Any]) -> str:
    """A short text that another number anywhere in them would change."""
    numbers = re.sub(r"-?\d+\.\d+(e[-+]?\d+)?", short, json.dumps(tables, sort_keys=True))
    return sha256(numbers.encode()).hexdigest()[:16]


def short(number: re.Match[str]) -> str:
    """A number in as many digits as are compared."""
    return f"{float(number[0]):.{DIGITS}g}"


# --- the picture -------------------------------------------------------------------------------------


def image(picture: Picture, draw: bool) -> str:
    """A picture that the page carries in itself; what it shows in words, where it has too many parts, or none yet."""
    parts, words = parts_in(picture), description(picture)
    if not parts:
        return ""
    if parts > MOST_PARTS:
        return f"<p>{escape(words)} (It has too many parts for a picture in this file.)</p>"
    source = base64.b64encode(svg_of(picture).encode()).decode() if draw else ""
    return f'<p><img alt="{escape(words)}" src="data:image/svg+xml;base64,{source}"></p>'


def description(picture: Picture) -> str:
    """What it shows, for who cannot see it."""
    return picture.frames[picture.start]["description"] if isinstance(picture, Drawing) else picture.description


def parts_in(picture: Picture) -> int:
    """How many rows are drawn, or how many shapes."""
    if isinstance(picture, Drawing):
        return sum(len(shape.get("each", "1")) for shape in scene(picture).values())
    return sum(len(next(iter(columns.values()), ())) for columns in tables_of(picture).values())


def svg_of(picture: Picture) -> str:
    """The picture as it is now, as small as an SVG document can be."""
    return drawing_svg(picture) if isinstance(picture, Drawing) else chart_svg(picture)


def chart_svg(chart: LiveChart) -> str:
    """A chart with its rows."""
    tables = tables_of(chart).items()
    rows = {name: [dict(zip(of, row, strict=True)) for row in zip(*of.values(), strict=True)] for name, of in tables}
    root = ElementTree.fromstring(renderer().vegalite_to_svg({**chart.spec, "datasets": rows}))
    push_apart(root)
    slim(root)
    body = "".join(ElementTree.tostring(child, "unicode") for child in root)
    body = re.sub(r' xmlns:?\w*="[^"]*"|\bns0:| (?=/>)', "", body)
    clips: dict[str, str] = {}  # numbered by the renderer over all that it has drawn
    body = re.sub(r"\bclip\d+", lambda found: clips.setdefault(found[0], f"c{len(clips)}"), body)
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    return document("", "", width + ROOM, height, body)


# --- drawings ----------------------------------------------------------------------------------------

SHADES = {"ink": theme.INK, "soft": theme.SOFT, "faint": "#d4d4d4", "wash": "#f7f7f7", "paper": theme.PAPER}
SHADES |= {"blue": theme.BLUE, "sky": theme.SKY, "green": theme.GREEN, "orange": theme.ORANGE}
SHADES |= {"vermillion": theme.VERMILLION, "purple": theme.PURPLE, "none": "none"}
LAYERS = ("Boxes", "Box", "Strokes", "Stroke", "Dot", "Words")  # from below, as drawing.js has them
EDGE = 8  # px around a drawing
ROOM = 48  # px right of a chart: names of lines are longer in a reader's font than in the one that was measured


def scene(drawing: Drawing) -> dict[str, Any]:
    """The shapes of the scene that is seen first."""
    shapes: dict[str, Any] = {}
    for frame in drawing.frames[: drawing.start % len(drawing.frames) + 1]:
        shapes.update(frame["shapes"])
    return {key: shape for key, shape in shapes.items() if shape}


def drawing_svg(drawing: Drawing) -> str:
    """A drawing's first scene."""
    frame = drawing.frames[drawing.start]
    shapes = sorted(scene(drawing).values(), key=lambda shape: LAYERS.index(shape["kind"]))
    body = f'<g transform="translate({EDGE},{EDGE})">{"".join(map(shape_svg, shapes))}</g>'
    return document("", "", frame["width"] + 2 * EDGE, frame["height"] + 2 * EDGE, body)


def shape_svg(shape: dict[str, Any]) -> str:
    """One shape of a drawing, in its look."""
    looks, kind = shape["look"].split(), shape["kind"]
    colour = next((SHADES[look] for look in looks if look in SHADES), theme.INK)
    if kind == "Words":
        size = 16 if "large" in looks else 11.5 if "small" in looks else 12.5
        weight = {"font_weight": 600} if "bold" in looks else {}
        return line(shape["x"], shape["y"], shape.get("text", ""), size, colour, text_anchor=shape["anchor"], **weight)
    strokes = kind.startswith("Stroke") or "outline" in looks
    paint = f'fill="none" stroke="{colour}"' if strokes else f'fill="{colour}"'
    paint += ' stroke-width="2.25"' if "thick" in looks else ""
    paint += ' stroke-dasharray="4 3"' if "dashed" in looks else ""
    paint += ' fill-opacity=".3" stroke-opacity=".4"' if "pale" in looks else ""
    return f'<path d="{way(shape)}" {paint}/>'


def way(shape: dict[str, Any]) -> str:
    """The outline of a shape, or of all that it consists of."""
    if shape["kind"] == "Dot":
        x, y, r = (shape[name] for name in ("x", "y", "r"))
        return f"M{x - r:g} {y:g}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0"
    straight = shape["kind"].startswith("Stroke")
    of_one = ("x", "y", "x2", "y2") if straight else ("x", "y", "w", "h")
    places = shape["each"] if "each" in shape else [[shape[name] for name in of_one]]
    ways = (f"M{x:g} {y:g}L{u:g} {v:g}" if straight else f"M{x:g} {y:g}h{u:g}v{v:g}h{-u:g}z" for x, y, u, v in places)
    return "".join(ways)


# --- charts, made small ------------------------------------------------------------------------------

LINE, LETTER = 14.0, 6.5  # px, about, of words in a chart


def push_apart(root: Element) -> None:
    """Words that would lie over others are moved below them, as on the page (view.js)."""
    for plot in root.iter():
        named = [group for group in plot if "_words_" in group.get("class", "")]
        placed: list[tuple[float, float, float]] = []
        for word in sorted((word for group in named for word in group if word.text), key=lambda word: place(word)[1]):
            x, y = place(word)
            begin = x - len(word.text or "") * LETTER * BEFORE[word.get("text-anchor", "start")]
            end = begin + len(word.text or "") * LETTER
            for left, right, above in placed:
                y = max(y, above + LINE) if left < end and begin < right and y > above - LINE else y
            placed = sorted([*placed, (begin, end, y)], key=lambda spot: spot[2])
            word.set("transform", f"translate({x},{y})")


BEFORE = {"start": 0.0, "middle": 0.5, "end": 1.0}  # the share of a word that lies left of its place


def place(word: Element) -> tuple[float, float]:
    """Where a word stands."""
    x, y = re.findall(r"-?[\d.]+(?:e-?\d+)?", word.get("transform", "translate(0,0)"))[:2]
    return float(x), float(y)


#: What an element is without being told so.
DEFAULTS = {"opacity": "1", "fill-opacity": "1", "stroke-width": "1", "font-weight": "normal", "x2": "0", "y2": "0"}
DEFAULTS |= {"transform": "translate(0,0)", "stroke-dasharray": "1,0"}
NOT_SEEN = ("class", "role", "pointer-events", "font-family", "stroke-miterlimit")
MANY = 30  # points that lie as one path
PLACE = {"d", "transform", "x", "y", "x1", "y1", "x2", "y2", "width", "height", "id"}
OF_ONE = {"opacity", "clip-path"}  # what a group does not hand down to its parts


def slim(element: Element) -> None:
    """Leave out what is not seen: names, empty groups, hundredths of a pixel; what parts share, their group says."""
    bars, points = (f"mark-{kind}" in element.get("class", "") for kind in ("rect", "symbol"))
    if points and len(element) >= MANY:
        for part in element:
            lay(part)
    bars = bars or (points and len(element) >= MANY)
    parts = [part for child in element for part in slimmed(child)]
    parts = parts if not bars else sorted(parts, key=lambda part: str(look(part)))  # bars lie beside each other
    element[:] = [one for same, run in groupby(parts, look) for one in together(same, list(run), bars)]
    for name, value in list(element.attrib.items()):
        if name in NOT_SEEN or name.startswith("aria-") or DEFAULTS.get(name) == value:
            del element.attrib[name]
        else:
            element.set(name, re.sub(r"-?\d+\.\d+", lambda found: f"{round(float(found[0]), 1):g}", value))


def lay(part: Element) -> None:
    """A small mark of straight lines and arcs as a path where it lies: one move, and the rest from there."""
    (x, y), here, ways = place(part), (0.0, 0.0), list[str]()
    steps = re.findall(r"([A-Za-z])([^A-Za-z]*)", part.get("d", ""))
    if not {letter for letter, _ in steps} <= set("MLAZ"):
        return
    for letter, numbers in steps:
        *bent, end_x, end_y = (float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?", numbers)) if numbers else (*here,)
        at = (end_x + x, end_y + y) if letter == "M" else (end_x - here[0], end_y - here[1])
        ways.append(letter.lower() if letter != "M" else letter)
        ways.append(",".join(f"{round(n, 1):g}" for n in (*bent, *at)) if numbers else "")
        here = (end_x, end_y)
    part.set("d", "".join(ways))
    part.attrib.pop("transform", None)


def slimmed(child: Element) -> list[Element]:
    """An element, its parts where it is a group that says nothing, or nothing where there is nothing to see."""
    ground = child.get("class") in ("background", "foreground") and not (child.get("fill") or child.get("stroke"))
    slim(child)
    group = child.tag.endswith("}g")
    if ground or child.get("display") == "none" or (group and not len(child)):
        return []
    return list(child) if group and not child.attrib else [child]


def look(part: Element) -> tuple[Any, ...]:
    """What an element is and how it looks, wherever it lies."""
    return part.tag, *sorted((name, value) for name, value in part.attrib.items() if name not in PLACE)


def together(same: tuple[Any, ...], run: list[Element], bars: bool) -> list[Element]:
    """Neighbours that look the same: bars as one path, others in a group that says how they look."""
    looks = dict(same[1:])
    if len(run) < 3 or not looks or OF_ONE & looks.keys() or same[0].endswith(("}g", "}clipPath")):
        return run
    if bars and all(part.attrib.keys() - looks.keys() == {"d"} for part in run):
        return [ElementTree.Element(same[0], {**looks, "d": "".join(part.get("d", "") for part in run)})]
    group = ElementTree.Element(same[0].rpartition("}")[0] + "}g", looks)
    group[:] = run
    for part in run:
        part.attrib = {name: value for name, value in part.attrib.items() if name in PLACE}
    return [group]
