"""Chapter 08: a thousand measured layouts, predicted and found; and what a message costs as nodes are added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean, quantiles
from typing import Any

import altair as alt

from gpt4lab.catalog.playbook import playbook_scaling
from gpt4lab.charts import Axis, axes, theme
from gpt4lab.charts.compose import stacked
from gpt4lab.charts.line import line
from gpt4lab.charts.marks import data, layered
from gpt4lab.checks.playbook.layouts import MODELS, Compared, judged
from gpt4lab.panels.figure import Figure
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario

FOUND_MFU = Axis("found", "MFU, measured", form="percent", domain=(0, 0.5))
MFU = Axis("mfu", "MFU, by the step model", form="percent", domain=(0, 0.55))
FOUND_HELD = Axis("kept", "Peak memory of a GPU, measured, bytes", domain=(0, 9e10))
HELD = Axis("bytes", "Peak memory of a GPU, by the step model, bytes", domain=(0, 9e10))
PLAIN, BOTH = "ranks or stages, or one node", "ranks and stages, over several nodes"
#: What it is -> shape and colour.
LOOKS = {PLAIN: ("circle", theme.BLUE), BOTH: ("cross", theme.VERMILLION)}


def chosen(scenario: Scenario) -> list[Compared]:
    """The rows of the chosen size and nodes, those that ran."""
    asked = scenario.playbook
    sizes = MODELS if asked.model == "both" else (asked.model,)
    some = [one for one in judged() if one.ran and one.row.model in sizes]
    return [one for one in some if asked.nodes in ("any", f"{one.row.nodes}")]


def measured_view(scenario: Scenario) -> View:
    """Each layout as a point: what the model says, and what was measured."""
    ran = chosen(scenario)
    return View(
        label="How far the predicted MFU is off, in the mean",
        value=f"{mean(abs(one.points) for one in ran):.1f} points",
        sentence=_sentence(ran),
        rows={"data": [_row(one) for one in ran], "even": [*_even()]},
        alt="Measured against predicted, a point a layout: MFU above, peak memory below, each with the line on which "
        "both are equal.",
    )


def _row(one: Compared) -> Row:
    row = one.row
    kind = BOTH if one.both else PLAIN
    places = {"mfu": one.mfu, "found": row.mfu, "bytes": one.bytes, "kept": row.memory_bytes}
    return {**places, "kind": kind, "layout": one.words}


def _even() -> Iterator[Row]:
    for share in (0.0, 1.0):
        yield {name: share * most for name, most in {"mfu": 0.5, "found": 0.5, "bytes": 8.5e10, "kept": 8.5e10}.items()}


def _sentence(ran: Sequence[Compared]) -> str:
    plain = [abs(one.points) for one in ran if not one.both]
    best, picked = max(ran, key=lambda one: one.row.mfu or 0), max(ran, key=lambda one: one.mfu)
    low, *_, high = quantiles([one.share for one in ran], n=10)
    apart = f"; without ranks and stages at once over several nodes, {mean(plain):.1f}" if plain else ""
    return (
        f"{len(ran)} layouts ran{apart}. Memory is {low:.2f} to {high:.2f} of what was measured in the middle 80%. The "
        f"best reached {best.row.mfu or 0:.1%}; the one that the model would have picked reached "
        f"{picked.row.mfu or 0:.1%}."
    )


def measured_chart(view: View) -> Any:
    """Speed above, memory below."""
    return stacked(
        _scatter(view, MFU, FOUND_MFU, key=True, height=260), _scatter(view, HELD, FOUND_HELD, key=False, height=220)
    )


def _scatter(view: View, x: Axis, y: Axis, *, key: bool, height: int) -> alt.LayerChart:
    rows: Any = view.rows
    kinds: Any = {"type": "nominal", "legend": None, "title": "Kind"}
    shapes, shades = zip(*LOOKS.values(), strict=True)
    shape = alt.Shape("kind", scale=alt.Scale(domain=list(LOOKS), range=list(shapes)), **kinds)
    shade = alt.Color("kind", scale=alt.Scale(domain=list(LOOKS), range=list(shades)), **kinds)
    points = data().mark_point(size=26, opacity=1, strokeWidth=1, clip=True)
    even = data("even").mark_line(color=theme.SOFT, strokeDash=[4, 3], strokeWidth=1, clip=True)
    shown = axes.tooltip("layout", x, y)
    layers = [
        even.encode(axes.x(x), axes.y(y)),
        points.encode(axes.x(x), axes.y(y), shape, shade, tooltip=shown),
        *(_key() if key else ()),
    ]
    return layered(layers, {"data": rows["data"], "even": rows["even"]}, width=theme.WIDTH, height=height)


def _key() -> Iterator[alt.LayerChart]:
    """The kinds above the plot, each behind its shape; a line each, for a narrow page."""
    for row, (kind, (shape, colour)) in enumerate(reversed(LOOKS.items())):
        one = data().transform_filter(f"datum.kind == '{kind}'").transform_aggregate(_n="count()")
        place: Any = {"x": alt.value(6), "y": alt.value(-42 - 17 * row)}
        sign = one.mark_point(shape=shape, size=60, color=colour, strokeWidth=1.5, opacity=1).encode(**place)
        both: Any = alt.layer(sign, one.mark_text(align="left", dx=10, color=theme.INK, text=kind).encode(**place))
        yield both


measured = Panel(
    title="A thousand measured layouts",
    legend="Each point is a layout that the Ultra-Scale Playbook trained on H100, a Llama of one or eight billion "
    "parameters. On the dashed line the step model is right; below it the model is too fast, or sees too much memory.",
    controls=("playbook.model", "playbook.nodes"),
    presets={
        "8B on two nodes": "leak",
        "8B, all": {"playbook.nodes": "any"},
        "1B, all": {"playbook.model": "1B", "playbook.nodes": "any"},
        "1B on 64 nodes": {"playbook.model": "1B", "playbook.nodes": "64"},
    },
    view=measured_view,
    chart=measured_chart,
)


# --- why it falls -----------------------------------------------------------------------------------------------------

GPUS = Axis("gpus", "GPUs, eight a node", log=True, form="count", domain=(2, 512))
LEFT = Axis("left", "Rate over that on the fewest GPUs", form="percent", domain=(0, 1))
#: A line -> the series of the playbook, and GPUs for each of its steps.
LINES = {
    "replicas alone, 1B": ("dp_scaling_1B", 1),
    "tensor ranks alone, 3B": ("tp_scaling_3B", 1),
    "all-reduce": ("all_reduce_256MB_nodes", 8),
    "all-gather": ("all_gather_256MB_nodes", 8),
}


def kept_beyond_a_node() -> float:
    """What sixteen tensor ranks, on two nodes, keep of the speed of eight, on one."""
    ranks = playbook_scaling()["tp_scaling_3B"]
    return ranks[16] / ranks[8]


def falling_view() -> View:
    """Four series of the playbook, each over its first."""
    lost, all_ = 1 - kept_beyond_a_node(), playbook_scaling()["all_reduce_256MB_nodes"]
    return View(
        sentence=f"From one node to two, tensor ranks lose {lost:.0%} of their speed. An all-reduce has {all_[1]:.0f} "
        f"GB/s inside a node and {all_[64]:.0f} over 64.",
        rows={"data": [row for name in LINES for row in _line(name)]},
        alt="Rates of training and of collectives against GPUs, each over its first: all of them fall.",
    )


def _line(name: str) -> list[Row]:
    series, each = LINES[name]
    found = playbook_scaling()[series]
    first = next(iter(found.values()))
    return [{"gpus": each * at, "left": rate / first, "line": name} for at, rate in found.items()]


def falling_figure() -> Figure:
    """The figure; nothing in it moves."""
    return Figure(
        "Why it falls",
        falling_view(),
        chart=lambda view: line(view.rows["data"], GPUS, LEFT, "line", order=list(LINES), height=240),
        legend="Tokens a second and GPU, and the rate of collectives of 256 MB, as measured by the playbook.",
    )
