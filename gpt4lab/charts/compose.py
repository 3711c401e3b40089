"""Charts put together: more layers, a range shaded behind, room beside, charts over each other with the same rows."""

from __future__ import annotations

from typing import Any

import altair as alt

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis
from gpt4lab.charts.marks import RowList, data


def added(chart: alt.LayerChart, *layers: Any, **rows: Any) -> alt.LayerChart:
    """The chart with more layers on top, and the rows of their datasets."""
    datasets: Any = {**chart.datasets, **{name: list(given) for name, given in rows.items()}}
    every: Any = [*chart.layer, *layers]
    layered: Any = alt.layer(*every, datasets=datasets, width=chart.width, height=chart.height)
    return layered


def shaded(chart: alt.LayerChart, x: Axis, ranges: RowList) -> alt.LayerChart:
    """The chart with ranges of x behind it (dataset "ranges"): rows with "from", "to" and a "label"."""
    base = data("ranges")
    area = base.mark_rect(color=theme.INK, opacity=0.06, clip=True).encode(axes.x(x.at("from")), x2="to")
    words = base.mark_text(align="right", dx=-5, baseline="top", color=theme.SOFT)
    named = words.encode(axes.x(x.at("to")), y=alt.value(3), text=alt.Text("label", type="nominal", title="Range"))
    datasets: Any = {**chart.datasets, "ranges": list(ranges)}
    layers: Any = [area, *chart.layer, named.properties(name="range_words")]
    whole: Any = alt.layer(*layers, datasets=datasets, width=chart.width, height=chart.height)
    return whole


def roomy(chart: Any, right: int, bottom: int = 4) -> Any:
    """The chart with room, in px, right of the plot and below: for names and ticks that are not there yet."""
    return chart.properties(padding={"left": 4, "top": 4, "right": right, "bottom": bottom})


def stacked(*charts: Any) -> alt.VConcatChart:
    """Charts over each other; datasets of one name hold the same rows, of which each chart draws what it can."""
    datasets: Any = {name: rows for chart in charts for name, rows in chart.datasets.items()}
    for chart in charts:
        chart.datasets = alt.Undefined
    own: Any = "independent"
    return alt.vconcat(*charts, datasets=datasets, spacing=22).resolve_scale(color=own, strokeDash=own)
