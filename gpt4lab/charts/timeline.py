"""What runs where and when: pipeline schedules, batching slots, failures of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from gpt4lab.charts import axes, theme
from gpt4lab.charts.axes import Axis
from gpt4lab.charts.marks import RowList, data, layered
from gpt4lab.charts.parts import key_row, part_colour, room, words_colour

LANE = 24  # px


def timeline(
    rows: RowList,
    start: Axis,
    end: str,
    lane: str,
    kind: str,
    *,
    kinds: Sequence[str] = (),
    text: str = "",
    lane_title: str = "",
    width: int = theme.WIDTH,
    lane_height: int = LANE,
) -> alt.LayerChart:
    """One bar a row (dataset "data") from field `start` to field `end`, in the lane `lane`, coloured by `kind`.

    `text` names a field written into the bar where it fits (a micro-batch, a request). The kinds are named once, in a
    row above the first lane.
    """
    names = list(kinds) or list(dict.fromkeys(row[kind] for row in rows))
    down = axes.lanes(lane, list(dict.fromkeys(row[lane] for row in rows)), lane_title)
    bar = data().mark_bar(height=lane_height - 4, stroke=theme.PAPER, strokeWidth=0.75)
    shown = axes.tooltip(lane, kind, *filter(None, [text]), start, start.at(end, " (end)"))
    layers = [
        bar.encode(axes.x(start), down, part_colour(kind, names), x2=end, tooltip=shown),
        *([_words(start, end, down, kind, names, text)] if text else []),
        *key_row(kind, names),
    ]
    return layered(layers, {"data": rows}, width=width, height=alt.Step(lane_height))


def _words(start: Axis, end: str, down: alt.Y, kind: str, names: Sequence[str], text: str) -> alt.Chart:
    middle = f"(datum['{start.field}'] + datum['{end}']) / 2"
    words = data().transform_calculate(_middle=middle).mark_text(fontSize=11)
    fits: Any = alt.condition(room(start.field, end, text), alt.value(1), alt.value(0))
    placed = words.encode(axes.x(start.at("_middle")), down, words_colour(kind, names))
    return placed.encode(text=alt.Text(text, type="nominal"), opacity=fits).properties(name="bars_on_colour")
