"""Coloured parts of a bar: their colours, the words on them, and the row that names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis
from gpt4lab.charts.marks import data

LETTER = 7.2  # px, about, of the words in a chart
ON_DARK, ON_LIGHT = theme.PAPER, "#111111"
WORDS = {theme.BLUE: ON_DARK, theme.VERMILLION: ON_DARK}  # every other colour is light: dark words


def part_colour(field: str | None, names: Sequence[str]) -> Any:
    """The fill of each part.

    Raises
    ------
    ValueError
        If there are more parts than colours that all readers can tell apart.

    """
    if not field:
        return alt.ColorValue(theme.BLUE)
    if len(names) > len(theme.PARTS):
        raise ValueError(f"{len(names)} parts in one chart ({', '.join(names)}); at most {len(theme.PARTS)}.")
    scale = alt.Scale(domain=list(names), range=list(theme.PARTS[: len(names)]))
    return alt.Color(field, type="nominal", scale=scale, legend=None, title=axes.heading(field))


def words_colour(field: str, names: Sequence[str]) -> alt.Fill:
    """The colour of words on each part: light on the dark colours, dark on the light ones."""
    shades = [WORDS.get(colour, ON_LIGHT) for colour in theme.PARTS[: len(names)]]
    return alt.Fill(field, type="nominal", scale=alt.Scale(domain=list(names), range=shades), legend=None)


def key_row(field: str, names: Sequence[str]) -> list[alt.LayerChart]:
    """The parts' names above the plot, each behind a square of its colour; absent parts are left out.

    They stand in a row, or below each other where the plot has become narrower than the row.
    """
    ends = [sum(7 * len(name) + 32 for name in names[:i]) for i in range(len(names) + 1)]
    narrow = f"width < {ends[-1] - 80}"
    places = [
        (f"{narrow} ? 6 : {end + 6}", f"{narrow} ? {-16 - 17 * (len(names) - 1 - i)} : -16")
        for i, end in enumerate(ends[:-1])
    ]
    return [_key(field, name, place, colour) for name, place, colour in zip(names, places, theme.PARTS, strict=False)]


def _key(field: str, name: str, place: tuple[str, str], colour: str) -> alt.LayerChart:
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    one = data().transform_filter(f"datum['{field}'] == '{quoted}'").transform_aggregate(_n="count()")
    at: Any = {way: alt.value(alt.ExprRef(expr)) for way, expr in zip("xy", place, strict=True)}
    square = one.mark_point(shape="square", size=90, fill=colour, strokeWidth=0, opacity=1).encode(**at)
    both: Any = alt.layer(square, one.mark_text(align="left", dx=11, color=theme.INK, text=name).encode(**at))
    return both


def rounded(axis: Axis, expression: str) -> str:
    """The Vega expression for a number in three digits, written as on the axis."""
    return axis.text(expression).replace("',~g'", "',.3~r'").replace("'~s'", "'.3~s'").replace("'~%'", "'.3~p'")


def room(start: str, end: str, words: str) -> str:
    """The Vega test that `words` fit between two places on the x axis."""
    across = f"abs(scale('x', datum['{end}']) - scale('x', datum['{start}']))"
    return f"{across} > {LETTER} * length('' + datum['{words}']) + 4"
