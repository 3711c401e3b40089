"""The four marks (theme.py) as chart layers, and the labels that stand in place of a legend.

A mark's rows carry the fields of the two axes and, if wanted, `label`. A row with both fields is a point; the post's
point has dashed lines down to its axes. A row with one field only is a level: a rule across the whole plot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis

if TYPE_CHECKING:
    import altair as alt

RowList = Sequence[Mapping[str, Any]]
Layers = list["alt.Chart | alt.LayerChart"]
POINT_SIZE = 90
LABEL_GAP = 8  # px between a mark and its words


def mark_layers(x: Axis, y: Axis, rows: Mapping[str, RowList]) -> Layers:
    """Layers for those of the four marks that have a dataset (an empty one too: rows may come later)."""
    named = [theme.MARKS[name] for name in ("published", "measured", "post", "you") if name in rows]
    return [layer for mark in named for layer in _one(mark, x, y)]


def with_words(rows: Mapping[str, RowList | None]) -> dict[str, list[dict[str, Any]]]:
    """Rows of the marks that are in use, each with a label: its own, or the mark's name."""
    return {
        name: [{"label": theme.MARKS[name].label, **row} for row in data]
        for name, data in rows.items()
        if data is not None
    }


def _one(mark: theme.Mark, x: Axis, y: Axis) -> Layers:
    import altair as alt

    base = alt.Chart(alt.NamedData(mark.name))
    at_x, at_y, words = axes.x(x), axes.y(y), alt.Text("label:N", title="which")
    valid_x, valid_y = f"isValid(datum['{x.field}'])", f"isValid(datum['{y.field}'])"
    both = base.transform_filter(f"{valid_x} && {valid_y}")
    level = base.transform_filter(f"!{valid_x} && {valid_y}")
    moment = base.transform_filter(f"{valid_x} && !{valid_y}")
    text = {"color": mark.colour, "align": "left"}
    return [
        *(_drop_lines(both, at_x, at_y) if mark is theme.POST else []),
        level.mark_rule(**_rule(mark)).encode(y=at_y),
        level.mark_text(dy=-6, baseline="bottom", **text).encode(y=at_y, x=alt.value(4), text=words),
        moment.mark_rule(**_rule(mark)).encode(x=at_x),
        moment.mark_text(dx=5, baseline="top", **text).encode(x=at_x, y=alt.value(2), text=words),
        both.mark_point(**_point(mark)).encode(x=at_x, y=at_y, tooltip=axes.tooltip(x, y)),
        both.mark_text(dx=LABEL_GAP + 2, dy=-LABEL_GAP, **text).encode(x=at_x, y=at_y, text=words),
    ]


def _drop_lines(base: Any, at_x: Any, at_y: Any) -> Layers:
    import altair as alt

    down = base.mark_rule(**_rule(theme.POST)).encode(x=at_x, y=at_y, y2=alt.value("height"))
    across = base.mark_rule(**_rule(theme.POST)).encode(y=at_y, x=at_x, x2=alt.value(0))
    return [down, across]


def _rule(mark: theme.Mark) -> dict[str, Any]:
    return {"color": mark.colour, "strokeDash": [4, 3], "strokeWidth": 1, "opacity": 0.75}


def _point(mark: theme.Mark) -> dict[str, Any]:
    fill = mark.colour if mark.filled else theme.PAPER
    edge = theme.PAPER if mark.filled else mark.colour
    return {"shape": mark.shape, "size": POINT_SIZE, "fill": fill, "stroke": edge, "strokeWidth": 1.5, "opacity": 1}
