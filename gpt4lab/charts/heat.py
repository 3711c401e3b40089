"""A table of numbers as shades: router and experts, experts and domains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis
from gpt4lab.charts.marks import RowList, data, layered

CELL = 30  # px
FULL = 0.78  # the share of the full shade from which words on a cell are written in paper


def heat(
    rows: RowList,
    x: str,
    y: str,
    value: Axis,
    *,
    x_title: str = "",
    y_title: str = "",
    x_order: Sequence[Any] = (),
    y_order: Sequence[Any] = (),
    numbers: str = "",
    cell: int = CELL,
) -> alt.LayerChart:
    """One cell a row (dataset "data"): the more `value`, the more ink. `numbers` is a format that writes it inside.

    The shade is the opacity of one colour, so it reads alike on a light page, a dark one and on paper.
    `value.domain` fixes which value is empty and which is full; without it the largest value is full.
    """
    domain = list(value.domain) if value.domain else alt.Undefined
    shade = alt.Opacity(
        value.field,
        type="quantitative",
        title=value.title,
        legend=None,
        scale=alt.Scale(type="log" if value.log else "linear", domain=domain, range=[0.04, 1], zero=not value.log),
    )
    across = alt.X(x, type="ordinal", title=x_title or None, sort=list(x_order) or None, axis=_axis(x=True))
    down = alt.Y(y, type="ordinal", title=y_title or None, sort=list(y_order) or None, axis=_axis())
    cells = data().mark_rect(color=theme.BLUE).encode(across, down, shade, tooltip=axes.tooltip(x, y, value))
    layers = [cells, *([_numbers(value, across, down, numbers)] if numbers else [])]
    return layered(layers, {"data": rows}, width=alt.Step(cell), height=alt.Step(cell))


def _axis(x: bool = False) -> alt.Axis:
    angle = {"labelAngle": 0} if x else {"titleX": 0}
    return alt.Axis(domain=False, ticks=False, grid=False, minExtent=0, labelOverlap=True, **angle)  # type: ignore[arg-type]


def _numbers(value: Axis, across: alt.X, down: alt.Y, form: str) -> alt.Chart:
    """The number itself: paper on the fullest cells, ink on the others (the better contrast, light and dark)."""
    full = str(value.domain[1]) if value.domain else "datum._most"
    words = data().transform_joinaggregate(_most=f"max({value.field})").mark_text(fontSize=11)
    test = f"datum['{value.field}'] > {FULL} * {full}"
    shade = alt.condition(test, alt.value(theme.PAPER), alt.value(theme.INK))
    text = alt.Text(value.field, type="quantitative", format=form)
    return words.encode(across, down, text=text, color=shade).properties(name="cells_on_colour")
