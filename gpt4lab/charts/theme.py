"""One look for every chart of the book.

Four marks mean the same thing everywhere, by shape as well as by colour:

    POST       what the post says     hollow diamond, dashed rule, ink
    YOU        your assumptions       filled circle, blue
    MEASURED   measured here          filled square, green
    PUBLISHED  a published number     filled triangle, vermillion

and at most four series, told apart by colour and dash and named on the line. Colours are Okabe and Ito's, chosen to
be told apart by colour-blind readers (https://jfly.uni-koeln.de/color/). The charts hold the light values; chart.css
replaces them where the page is dark or printed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

INK, SOFT, PAPER = "#1a1a1a", "#595959", "#ffffff"
BLUE, VERMILLION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
ORANGE, SKY = "#e69f00", "#56b4e9"

SERIES = (BLUE, VERMILLION, GREEN, PURPLE)
DASHES: tuple[list[int], ...] = ([1, 0], [7, 3], [2, 2.5], [9, 3, 2, 3])  # type: ignore[assignment]
PARTS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)

FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
WIDTH, HEIGHT = 560, 320  # px of plot; with its axes this fits a notebook cell at 1280 px


@dataclass(frozen=True)
class Mark:
    """How one kind of number is drawn, in every chart."""

    name: str
    label: str
    shape: str
    colour: str
    filled: bool = True


POST = Mark("post", "the post", "diamond", INK, filled=False)
YOU = Mark("you", "you", "circle", BLUE)
MEASURED = Mark("measured", "measured here", "square", GREEN)
PUBLISHED = Mark("published", "published", "triangle-up", VERMILLION)
MARKS = {mark.name: mark for mark in (POST, YOU, MEASURED, PUBLISHED)}


def config() -> dict[str, Any]:
    """The Vega-Lite configuration behind the look."""
    axis = {
        "domainColor": SOFT,
        "tickColor": SOFT,
        "tickSize": 4,
        "labelPadding": 4,
        "labelColor": SOFT,
        "labelFontSize": 12,
        "titleColor": SOFT,
        "titleFontSize": 12.5,
        "titleFontWeight": "normal",
        "gridColor": "#d4d4d4",
        "gridWidth": 1,
    }
    return {
        "aria": False,  # one description for the whole picture (see view.js), not a label for every tick
        "background": None,
        "font": FONT,
        "view": {"stroke": None},
        "padding": 4,
        "axis": axis,
        "axisX": {"grid": False, "titlePadding": 8, "labelAngle": 0},
        "axisY": {
            "domain": False,
            "ticks": False,
            "minExtent": 36,
            "titleAngle": 0,
            "titleAlign": "left",
            "titleAnchor": "start",
            "titleX": -36,
            "titleY": -12,
            "titleBaseline": "bottom",
        },
        "line": {"strokeWidth": 2.25, "strokeCap": "round", "strokeJoin": "round"},
        "mark": {"color": BLUE},
        "text": {"fontSize": 12.5, "font": FONT, "color": INK},
        "range": {"category": list(SERIES)},
    }


def themed(spec: dict[str, Any]) -> dict[str, Any]:
    """The same chart with the look of the book; what the chart sets itself is kept."""
    own = {key: value for key, value in spec.get("config", {}).items() if key != "view" or "stroke" in value}
    return {**spec, "config": {**config(), **own}}


@cache
def css() -> str:
    """The stylesheet of a chart, colours included."""
    return read("tokens.css") + read("chart.css")


def styling(name: str, stylesheet: str) -> str:
    """JavaScript for the head of a widget's module: the page gets this stylesheet, once.

    A widget's own `_css` would be written again for each widget, and each time the browser styles the whole page anew:
    a chapter has ninety.
    """
    return f"""{{
  const id = "gpt4lab-{name}", text = {json.dumps(stylesheet)};
  const made = () => document.head.appendChild(Object.assign(document.createElement("style"), {{ id }}));
  const sheet = document.getElementById(id) ?? made();
  if (sheet.textContent !== text) sheet.textContent = text;
}}
"""


def read(name: str) -> str:
    """A text file that lies beside this module."""
    return files("gpt4lab.charts").joinpath(name).read_text(encoding="utf-8")


#: JavaScript that begins the module of each widget.
PATIENT = read("patient.js")
