"""The four marks (theme.py) as chart layers, and the words that stand in place of a legend.

A mark's rows carry the fields of the two axes and, if wanted, `label`. A row with both fields is a point; the post's
point has dashed lines to its axes. A row with one field only is a level: a rule across the whole plot.
Layers whose name ends in `words` are pushed apart on the page where they would overlap (view.js).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis

RowList = Sequence[Mapping[str, Any]]
LABEL_GAP = 8  # px between a mark and its words
ARROWS = (("←", "→"), ("↓", "↑"))  # out of the plot along x, along y
# The post's diamond stands around the reader's dot where the two agree.
SIZES = {"post": 190, "you": 80, "measured": 80, "published": 170}


def data(name: str = "data") -> alt.Chart:
    """A chart of one named dataset, whose rows can be swapped later."""
    return alt.Chart(alt.NamedData(name))


def layered(layers: Sequence[Any], datasets: Mapping[str, RowList], **size: Any) -> alt.LayerChart:
    """The layers over each other, words above all lines and points, with their rows."""
    listed: Any = {name: list(rows) for name, rows in datasets.items()}
    chart: Any = alt.layer(*sorted(layers, key=_is_words), datasets=listed, **size)
    return chart


def with_words(**rows: RowList | None) -> dict[str, list[dict[str, Any]]]:
    """Rows of the marks that are in use, each with a label: its own, or the mark's name."""
    return {
        name: [{"label": theme.MARKS[name].label, **row} for row in given]
        for name, given in rows.items()
        if given is not None
    }


def mark_layers(x: Axis, y: Axis, rows: Mapping[str, RowList]) -> list[Any]:
    """Layers for those of the four marks that have a dataset (an empty one too: rows may come later)."""
    named = [theme.MARKS[name] for name in ("published", "measured", "post", "you") if name in rows]
    return [layer for mark in named for layer in (*_points(mark, x, y), *_levels(mark, x, y))]


def _is_words(layer: Any) -> bool:
    return str(layer.name).endswith("words")


def pinned(row: Mapping[str, Any], *within: Axis) -> dict[str, Any]:
    """The row, held at the edge of the plot where it lies outside; its words then say so, with an arrow.

    within: the axis along x, then that along y.
    """
    held = {a.field: min(max(row[a.field], a.domain[0]), a.domain[1]) if a.domain else row[a.field] for a in within}
    ways = [ARROWS[i][row[a.field] > held[a.field]] for i, a in enumerate(within) if held[a.field] != row[a.field]]
    words = {"label": f"{row.get('label', theme.YOU.label)}, beyond the edge {''.join(ways)}"} if ways else {}
    return {**row, **held, **words}


def ticks(x: Axis, y: Axis) -> tuple[alt.Chart, alt.Chart]:
    """Named places along a line (dataset "ticks"), quieter than a mark."""
    inside = [f"inrange(datum['{a.field}'], [{a.domain[0]}, {a.domain[1]}])" for a in (x, y) if a.domain]
    base = data("ticks").transform_filter(" && ".join(inside) or "true")
    dots = base.mark_point(shape="circle", size=28, fill=theme.SOFT, strokeWidth=0, opacity=1)
    words = base.mark_text(align="left", baseline="top", dx=LABEL_GAP - 2, dy=3, color=theme.SOFT)
    at = axes.x(x), axes.y(y)
    return dots.encode(*at), words.encode(*at, text=_label()).properties(name="ticks_words")


def span(name: str, x: Axis, y: Axis) -> alt.Chart:
    """A stated range of x, as a broad pale bar behind a mark: its rows have "from" and "to"."""
    bar = data(name).transform_filter("isValid(datum.from)").mark_rule(strokeWidth=7, opacity=0.22, color=theme.INK)
    return bar.encode(axes.x(x.at("from", " (from)")), axes.y(y), x2=alt.X2("to", title=f"{x.title} (to)"))


def banded(x: Axis, y: Axis) -> alt.Chart:
    """A pale band between two bounds of y, along x (dataset "band"), with its edges; its rows have "low" and "high"."""
    edges: Any = {"color": theme.BLUE, "strokeWidth": 1, "strokeDash": [2, 2], "opacity": 0.7}
    area = data("band").mark_area(clip=True, color=theme.BLUE, opacity=0.16, line=edges)
    low, high = y.at("low", ": nine in ten above"), y.at("high", ": nine in ten below")
    return area.encode(axes.x(x), axes.y(high), y2=alt.Y2("low", title=low.heading))


def _points(mark: theme.Mark, x: Axis, y: Axis) -> list[Any]:
    both = data(mark.name).transform_filter(f"{_has(x)} && {_has(y)}")
    side = -1 if mark is theme.POST else 1  # the post's words stand left, the others' right: no word at the wrong mark
    words = both.mark_text(
        color=mark.colour, align="right" if side < 0 else "left", dx=side * (LABEL_GAP + 3), dy=-LABEL_GAP
    )
    return [
        *(_drop_lines(both, x, y) if mark is theme.POST else []),
        _pulled(mark, "point", both.mark_point(**point_look(mark))).encode(
            axes.x(x), axes.y(y), tooltip=axes.tooltip("label", x, y)
        ),
        words.encode(axes.x(x), axes.y(y), text=_label()).properties(name=f"{mark.name}_words"),
    ]


def _levels(mark: theme.Mark, x: Axis, y: Axis) -> list[Any]:
    level = data(mark.name).transform_filter(f"!{_has(x)} && {_has(y)}")
    moment = data(mark.name).transform_filter(f"{_has(x)} && !{_has(y)}")
    look: Any = {"color": mark.colour, "align": "left"}
    over = level.mark_text(dy=-5, baseline="bottom", **look).encode(axes.y(y), x=alt.value(4), text=_label())
    beside = moment.mark_text(dx=5, baseline="top", **look).encode(axes.x(x), y=alt.value(2), text=_label())
    return [
        level.mark_rule(**rule_look(mark)).encode(axes.y(y)),
        _pulled(mark, "moment", moment.mark_rule(**rule_look(mark))).encode(axes.x(x)),
        over.properties(name=f"{mark.name}_level_words"),
        beside.properties(name=f"{mark.name}_moment_words"),
    ]


def _pulled(mark: theme.Mark, kind: str, layer: Any) -> Any:
    """The reader's own mark has a name by which the page finds it (pull.js)."""
    return layer.properties(name=f"you_pull_{kind}") if mark is theme.YOU else layer


def _drop_lines(both: alt.Chart, x: Axis, y: Axis) -> list[Any]:
    rule = both.mark_rule(**rule_look(theme.POST))
    down = rule.encode(axes.x(x), axes.y(y), y2=alt.value("height"))
    return [down, rule.encode(axes.y(y), axes.x(x), x2=alt.value(0))]


def _has(axis: Axis) -> str:
    return f"isValid(datum['{axis.field}'])"


def _label() -> alt.Text:
    return alt.Text("label", type="nominal", title="Which")


def rule_look(mark: theme.Mark) -> dict[str, Any]:
    """A mark's value as a line across the plot."""
    return {"color": mark.colour, "strokeDash": [4, 3], "strokeWidth": 1, "opacity": 0.75}


def point_look(mark: theme.Mark) -> dict[str, Any]:
    """A mark as a point: filled with a rim of paper, or hollow."""
    fill, edge = (mark.colour, theme.PAPER) if mark.filled else ("transparent", mark.colour)
    return {
        "shape": mark.shape,
        "size": SIZES[mark.name],
        "fill": fill,
        "stroke": edge,
        "strokeWidth": 1.5,
        "opacity": 1,
    }
