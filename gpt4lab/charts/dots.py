"""Dots with error bars: numbers of different kinds (said, yours, measured, published) side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis
from gpt4lab.charts.marks import LABEL_GAP, SIZES, RowList, data, layered

LANE = 30  # px
KINDS = list(theme.MARKS)


def dots(
    rows: RowList,
    x: Axis,
    y: Axis | str,
    *,
    bounds: tuple[str, str] | None = None,
    width: int = theme.WIDTH,
    height: int = theme.HEIGHT,
) -> alt.LayerChart:
    """One dot a row (dataset "data"), drawn by the row's `mark`: "post", "you", "measured" or "published".

    `y` is an axis, or the field of words that name the lanes. `bounds` names the fields of a lower and an upper bound
    along x. A row's `label`, if it has one, stands beside the dot.
    """
    across = axes.lanes(y, list(dict.fromkeys(row[y] for row in rows))) if isinstance(y, str) else axes.y(y)
    size: Any = {"height": alt.Step(LANE) if isinstance(y, str) else height, "width": width}
    named = data().transform_filter("isValid(datum.label)")
    words = named.mark_text(align="left", dx=LABEL_GAP + 2, dy=-LABEL_GAP)
    layers = [
        *([_error_bars(x, across, bounds)] if bounds else []),
        _points(x, across, y if isinstance(y, str) else "label"),
        words.encode(axes.x(x), across, _by_kind("colour"), text="label:N").properties(name="dot_words"),
    ]
    return layered(layers, {"data": rows}, **size)


def _points(x: Axis, across: Any, name: str) -> alt.Chart:
    shape = alt.Shape("mark", type="nominal", scale=_scale([mark.shape for mark in theme.MARKS.values()]), legend=None)
    fill = alt.Fill("mark", type="nominal", scale=_scale(_fills()), legend=None)
    edge = alt.Stroke("mark", type="nominal", scale=_scale(_edges()), legend=None)
    point = data().mark_point(strokeWidth=1.5, opacity=1)
    shown = axes.tooltip(name, "mark", x)
    size = alt.Size("mark", type="nominal", scale=_scale([SIZES[kind] for kind in KINDS]), legend=None)
    return point.encode(axes.x(x), across, shape, fill, edge, size, tooltip=shown).properties(name="dot_pull")


def _error_bars(x: Axis, across: Any, bounds: tuple[str, str]) -> alt.Chart:
    rule, high = data().mark_rule(strokeWidth=1.5, opacity=0.7), alt.X2(bounds[1], title=f"{x.title} (high)")
    return rule.encode(axes.x(x.at(bounds[0], " (low)")), across, _by_kind("colour"), x2=high)


def _by_kind(look: str) -> alt.Color:
    shades = [getattr(mark, look) for mark in theme.MARKS.values()]
    return alt.Color("mark", type="nominal", scale=_scale(shades), legend=None, title="Kind")


def _scale(values: Sequence[Any]) -> alt.Scale:
    return alt.Scale(type="ordinal", domain=KINDS, range=list(values))


def _fills() -> list[str]:
    return [mark.colour if mark.filled else "transparent" for mark in theme.MARKS.values()]


def _edges() -> list[str]:
    return [theme.PAPER if mark.filled else mark.colour for mark in theme.MARKS.values()]
