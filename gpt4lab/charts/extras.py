"""Small additions to the charts that the chapters' panels share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from gpt4lab.charts import Axis, axes, theme
from gpt4lab.charts.marks import LABEL_GAP, data


def added(chart: alt.LayerChart, *layers: Any, **rows: Any) -> alt.LayerChart:
    """The chart with more layers on top, and the rows of their datasets."""
    datasets: Any = {**chart.datasets, **{name: list(given) for name, given in rows.items()}}
    every: Any = [*chart.layer, *layers]
    layered: Any = alt.layer(*every, datasets=datasets, width=chart.width, height=chart.height)
    return layered


def ticks(x: Axis, y: Axis) -> tuple[alt.Chart, alt.Chart]:
    """Named places along a line (dataset "ticks"), quieter than a mark."""
    inside = [f"inrange(datum['{a.field}'], [{a.domain[0]}, {a.domain[1]}])" for a in (x, y) if a.domain]
    base = data("ticks").transform_filter(" && ".join(inside) or "true")
    dots = base.mark_point(shape="circle", size=28, fill=theme.SOFT, strokeWidth=0, opacity=1)
    words = base.mark_text(align="left", baseline="top", dx=LABEL_GAP - 2, dy=3, color=theme.SOFT)
    at = axes.x(x), axes.y(y)
    label = alt.Text("label", type="nominal", title="Which")
    return dots.encode(*at), words.encode(*at, text=label).properties(name="ticks_words")


def span(name: str, x: Axis, y: Axis) -> alt.Chart:
    """A stated range of x, as a broad pale bar behind a mark: its rows have "from" and "to"."""
    bar = data(name).transform_filter("isValid(datum.from)").mark_rule(strokeWidth=7, opacity=0.22, color=theme.INK)
    return bar.encode(axes.x(x.at("from", " (from)")), axes.y(y), x2=alt.X2("to", title=f"{x.title} (to)"))


def pinned(row: Mapping[str, Any], *within: Axis) -> dict[str, Any]:
    """The row, held at the edge of the plot where it lies outside, and then said to."""
    held = {a.field: min(max(row[a.field], a.domain[0]), a.domain[1]) for a in within if a.domain}
    outside = any(held[field] != row[field] for field in held)
    return {**row, **held, **({"label": "you, beyond the edge"} if outside else {})}
