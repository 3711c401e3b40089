"""Rows in, Altair chart out; one theme; the live chart. Charts know rows only, never a scenario.

line(rows, x=Axis(...), y=Axis(...), series="kind", you=[...], post=[...])   # an Altair chart
LiveChart(line(...), description="...")                                       # the same, on the page, live
"""

from __future__ import annotations

from gpt4lab.charts.axes import Axis
from gpt4lab.charts.line import line
from gpt4lab.charts.live import ChartError, LiveChart
