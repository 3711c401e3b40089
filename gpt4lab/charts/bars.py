"""Stacked bars: how a whole is made of parts, each part named where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis
from gpt4lab.charts.marks import LABEL_GAP, RowList, data, layered, point_look, with_words
from gpt4lab.charts.parts import key_row, part_colour, room, rounded, words_colour

BAR = 30  # px


def bars(
    rows: RowList,
    value: Axis,
    bar: str,
    part: str | None = None,
    *,
    order: Sequence[str] = (),
    post: RowList | None = None,
    published: RowList | None = None,
    measured: RowList | None = None,
    total: bool = True,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Horizontal bars (dataset "data"): one a value of field `bar`, stacked by field `part`.

    The parts are named in a row above and carry their number where it fits. `order` lists the parts.
    Rows of `post`, `published` and `measured` carry the field `bar` and the value, and are drawn over the bar.

    Raises
    ------
    ValueError
        If there are more than six parts.

    """
    parts = list(order) or (list(dict.fromkeys(row[part] for row in rows)) if part else [])
    names = list(dict.fromkeys(row[bar] for row in rows))
    marks = with_words(post=post, published=published, measured=measured)
    lane = axes.lanes(bar, names)
    layers = [
        _stack(value, lane, bar, part, parts).mark_bar(height=BAR, clip=True).encode(part_colour(part, parts)),
        *([_numbers(value, lane, bar, part, parts), *key_row(part, parts)] if part else []),
        *([_totals(value, lane, bar)] if total else []),
        *(layer for name in marks for layer in _marks(theme.MARKS[name], value, lane)),
    ]
    return layered(layers, {"data": rows, **marks}, width=width, height=alt.Step(BAR + 24))


def _stack(value: Axis, lane: alt.Y, bar: str, part: str | None, parts: Sequence[str]) -> alt.Chart:
    place = f"indexof({list(parts)}, datum['{part}'])" if part else "0"
    base = data().transform_calculate(_place=place)
    stacked = base.transform_stack(
        stack=value.field, as_=["_from", "_to"], groupby=[bar], sort=[alt.SortField("_place")]
    )
    shown = axes.tooltip(*filter(None, [bar, part]), value)
    return stacked.encode(axes.x(value.at("_from")), lane, x2="_to", tooltip=shown)


def _numbers(value: Axis, lane: alt.Y, bar: str, part: str, parts: Sequence[str]) -> alt.Chart:
    """The size of each part in its middle, where it fits."""
    words = _stack(value, lane, bar, part, parts).transform_calculate(
        _middle="(datum._from + datum._to) / 2", _words=rounded(value, f"datum['{value.field}']")
    )
    inside = f" && datum._middle <= {value.domain[1]}" if value.domain else ""
    fits: Any = alt.condition(room("_from", "_to", "_words") + inside, alt.value(1), alt.value(0))
    text = words.mark_text(baseline="middle").encode(axes.x(value.at("_middle")), lane, words_colour(part, parts))
    return text.encode(text=alt.Text("_words", type="nominal"), opacity=fits).properties(name="parts_on_colour")


def _totals(value: Axis, lane: alt.Y, bar: str) -> alt.Chart:
    """The bar's whole, in words behind its end; an arrow, where it goes on beyond the axis."""
    summed = data().transform_aggregate(_total=f"sum({value.field})", groupby=[bar])
    most, number = value.domain[1] if value.domain else "Infinity", rounded(value, "datum._total")
    words = summed.transform_calculate(
        _words=f"datum._total > {most} ? '→ ' + ({number}) : {number}", _end=f"min(datum._total, {most})"
    )
    text = words.mark_text(align="left", dx=6, color=theme.INK, fontWeight="bold")
    return text.encode(axes.x(value.at("_end")), lane, text=alt.Text("_words", type="nominal"))


def _marks(mark: theme.Mark, value: Axis, lane: alt.Y) -> list[Any]:
    """A line across the bar, the mark on top of it, its words beside the mark."""
    base, above = data(mark.name), -BAR / 2 - 8
    rule = base.mark_tick(thickness=1.5, size=BAR + 8, color=mark.colour)
    point = base.mark_point(yOffset=above, **point_look(mark))
    words = base.mark_text(yOffset=above, dx=LABEL_GAP + 3, align="left", color=mark.colour)
    return [
        rule.encode(axes.x(value), lane),
        point.encode(axes.x(value), lane, tooltip=axes.tooltip("label", value)),
        words.encode(axes.x(value), lane, text="label:N").properties(name=f"{mark.name}_words"),
    ]
