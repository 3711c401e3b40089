"""Lines with their names at the end, on linear or log axes, with the four marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis
from gpt4lab.charts.marks import LABEL_GAP, RowList, banded, data, layered, mark_layers, with_words


def line(
    rows: RowList,
    x: Axis,
    y: Axis,
    series: str | None = None,
    *,
    order: Sequence[str] = (),
    post: RowList | None = None,
    you: RowList | None = None,
    measured: RowList | None = None,
    published: RowList | None = None,
    recorded: RowList | None = None,
    band: RowList | None = None,
    last_value: str = "",
    width: int = theme.WIDTH,
    height: int = theme.HEIGHT,
) -> alt.LayerChart:
    """Lines through `rows` (dataset "data"), named on the line.

    `series` is the field that tells the lines apart (at most four; `order` lists its values, the first is drawn
    solid blue). `post`, `you`, `measured` and `published` are rows of the four marks and become datasets of those
    names; pass `[]` for rows that come later. `recorded` are rows of a run that somebody else made,
    drawn as pale lines with their names. `band` are rows with "low" and "high", shaded behind all. `last_value` is a
    number format (".2f") that writes each line's last value behind its name.

    Raises
    ------
    ValueError
        If there are more than four series: say it with two charts.

    """
    marks = with_words(post=post, you=you, measured=measured, published=published)
    look = _looks(series, list(order) or _names_of(rows, series))
    layers = [
        *([] if band is None else [banded(x, y)]),
        *([] if recorded is None else _pale(x, y, series or "")),
        data().mark_line(clip=True).encode(axes.x(x), axes.y(y), *look),
        *([_names(x, y, series, look, last_value)] if series else []),
        *mark_layers(x, y, marks),
    ]
    more = {name: rows for name, rows in (("recorded", recorded), ("band", band)) if rows is not None}
    return layered(layers, {"data": rows, **marks, **more}, width=width, height=height)


def _pale(x: Axis, y: Axis, series: str) -> list[alt.Chart]:
    """The lines of dataset "recorded", and their names."""
    rows = data("recorded").transform_filter(f"isValid(datum['{y.field}'])")
    last = rows.transform_aggregate(_last=f"argmax({x.field})", groupby=[series])
    last = last.transform_calculate(**{axis.field: f"datum._last['{axis.field}']" for axis in (x, y)})
    words = last.mark_text(align="left", dx=LABEL_GAP, color=theme.SOFT).encode(axes.x(x), axes.y(y))
    lines = rows.mark_line(clip=True, color=theme.SOFT, opacity=0.45, strokeWidth=1.5)
    return [
        lines.encode(axes.x(x), axes.y(y), detail=alt.Detail(series, type="nominal", title=axes.heading(series))),
        words.encode(text=alt.Text(series, type="nominal")).properties(name="recorded_words"),
    ]


def _names_of(rows: RowList, series: str | None) -> list[str]:
    return list(dict.fromkeys(row[series] for row in rows)) if series else []


def _looks(series: str | None, names: Sequence[str]) -> tuple[Any, Any]:
    """Colour and dash of each series, without a legend."""
    if not series:
        return alt.ColorValue(theme.BLUE), alt.StrokeDashValue([1, 0])
    if len(names) > len(theme.SERIES):
        raise ValueError(f"{len(names)} series in one chart ({', '.join(names)}); at most {len(theme.SERIES)}.")
    shades = alt.Scale(domain=list(names), range=list(theme.SERIES[: len(names)]))
    dashes: Any = alt.Scale(domain=list(names), range=list(theme.DASHES[: len(names)]))
    kind: Any = {"type": "nominal", "legend": None, "title": axes.heading(series)}
    return alt.Color(series, scale=shades, **kind), alt.StrokeDash(series, scale=dashes, **kind)


def _names(x: Axis, y: Axis, series: str, look: tuple[Any, Any], last_value: str) -> alt.Chart:
    """Each series' name, right of its last point that lies inside the plot.

    An aggregate, since it keeps one row a series, and with it the word's element, when another point becomes the last.
    """
    value = f" + '  ' + format(datum['{y.field}'], '{last_value}')" if last_value else ""
    return (
        data()
        .transform_filter(" && ".join([f"isValid(datum['{y.field}'])", *_inside(x), *_inside(y)]))
        .transform_aggregate(_last=f"argmax({x.field})", groupby=[series])
        .transform_calculate(**{axis.field: f"datum._last['{axis.field}']" for axis in (x, y)})
        .transform_calculate(_name=f"datum['{series}']{value}")
        .mark_text(align="left", dx=LABEL_GAP)
        .encode(axes.x(x), axes.y(y), look[0], text=alt.Text("_name", type="nominal"))
        .properties(name="series_words")
    )


def _inside(axis: Axis) -> list[str]:
    return [f"inrange(datum['{axis.field}'], [{axis.domain[0]}, {axis.domain[1]}])"] if axis.domain else []
