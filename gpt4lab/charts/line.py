"""Lines with their names at the end, on linear or log axes, with the four marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis
from gpt4lab.charts.marks import LABEL_GAP, RowList, mark_layers, with_words

if TYPE_CHECKING:
    import altair as alt


def line(
    rows: RowList,
    x: Axis,
    y: Axis,
    series: str | None = None,
    *,
    order: Sequence[str] = (),
    band: tuple[str, str] | None = None,
    post: RowList | None = None,
    you: RowList | None = None,
    measured: RowList | None = None,
    published: RowList | None = None,
    width: int = theme.WIDTH,
    height: int = theme.HEIGHT,
) -> alt.LayerChart:
    """Lines through `rows` (dataset "data"), named on the line.

    `series` is the field that tells the lines apart (at most four; `order` lists its values, the first is drawn
    solid blue). `band` names the fields of a lower and an upper bound. `post`, `you`, `measured` and `published` are
    rows of the four marks and become datasets of those names; pass `[]` for rows that come later.

    Raises
    ------
    ValueError
        If there are more than four series: say it with two charts.

    """
    import altair as alt

    names = list(order) or list(dict.fromkeys(row[series] for row in rows)) if series else []
    marks = with_words({"post": post, "you": you, "measured": measured, "published": published})
    layers = [
        *([_band(x, y, band, series, names)] if band else []),
        _lines(x, y, series, names),
        *([_names(x, y, series, names)] if series else []),
        *mark_layers(x, y, marks),
    ]
    datasets: Any = {"data": list(rows), **marks}
    return alt.layer(*layers, datasets=datasets, width=width, height=height)


def series_colour(series: str | None, names: Sequence[str]) -> Any:
    """The colour of each series, without a legend."""
    import altair as alt

    if not series:
        return alt.value(theme.BLUE)
    if len(names) > len(theme.SERIES):
        raise ValueError(f"{len(names)} series in one chart ({', '.join(names)}); at most {len(theme.SERIES)}.")
    scale = alt.Scale(domain=list(names), range=list(theme.SERIES[: len(names)]))
    return alt.Color(series, type="nominal", scale=scale, legend=None, title=series)


def series_dash(series: str | None, names: Sequence[str]) -> Any:
    """The dash of each series: told apart without colour."""
    import altair as alt

    if not series:
        return alt.value([1, 0])
    scale = alt.Scale(domain=list(names), range=list(theme.DASHES[: len(names)]))
    return alt.StrokeDash(series, type="nominal", scale=scale, legend=None)


def _lines(x: Axis, y: Axis, series: str | None, names: Sequence[str]) -> alt.Chart:
    import altair as alt

    return (
        alt.Chart(alt.NamedData("data"))
        .mark_line(clip=True)
        .encode(
            x=axes.x(x), y=axes.y(y), color=series_colour(series, names), strokeDash=series_dash(series, names)
        )
    )


def _names(x: Axis, y: Axis, series: str | None, names: Sequence[str]) -> Any:
    """Each series' name, right of its last point."""
    import altair as alt

    last, last_y = "_last", f"datum['{y.field}']"
    return (
        alt.Chart(alt.NamedData("data"))
        .transform_filter(f"isValid({last_y})")
        .transform_joinaggregate(**{last: f"max({x.field})"}, groupby=[str(series)])
        .transform_filter(f"datum['{x.field}'] == datum.{last}")
        .mark_text(align="left", dx=LABEL_GAP)
        .encode(x=axes.x(x), y=axes.y(y), text=alt.Text(str(series), type="nominal"), color=series_colour(series, names))
    )


def _band(x: Axis, y: Axis, band: tuple[str, str], series: str | None, names: Sequence[str]) -> Any:
    import altair as alt

    low, high = Axis(**{**vars(y), "field": band[0]}), band[1]
    return (
        alt.Chart(alt.NamedData("data"))
        .mark_area(opacity=0.18, clip=True)
        .encode(x=axes.x(x), y=axes.y(low), y2=high, color=series_colour(series, names))
    )
