"""Rows in, Altair chart out; one theme; the live chart. Charts know rows only, never a scenario.

    from gpt4lab.charts import Axis, LiveChart, line

    chart = line(rows, x=Axis("gpus", "GPUs", log=True), y=Axis("days", "Time, days"), you=[...], post=[...])
    LiveChart(chart, description="...")     # on the page, rows swapped in place

line           lines named at their end
bars           stacked parts
dots           numbers of different kinds with error bars
heat           a table as shades
timeline       what runs where and when
"""

from __future__ import annotations

import gpt4lab.schemas  # before Altair, which imports jsonschema as it is
from gpt4lab.charts.axes import Axis
from gpt4lab.charts.bars import bars
from gpt4lab.charts.dots import dots
from gpt4lab.charts.heat import heat
from gpt4lab.charts.line import line
from gpt4lab.charts.live import ChartError, LiveChart, drawn
from gpt4lab.charts.timeline import timeline
