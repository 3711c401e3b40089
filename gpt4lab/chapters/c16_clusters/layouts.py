"""Chapter 16: the same GPUs as ranks, stages and groups of experts, by the time of a token and its floor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import altair as alt
from attrs import evolve, frozen

from gpt4lab import catalog
from gpt4lab.charts import Axis, axes, theme
from gpt4lab.charts.marks import data, layered, mark_layers, pinned
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.report import PassReport, decode
from gpt4lab.models.in_scenario import chip_in, served_in, spread_in
from gpt4lab.models.inputs import Chip, Network
from gpt4lab.models.rules import LayoutError
from gpt4lab.models.search.layout_space import divisors
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import counted, show

MOST_RANKS = 64
MS = Axis("ms", "Time of a token at measured rates, ms", log=True, domain=(10, 2000))
FLOOR = Axis("floor", "At full peak, all else free, ms", log=True, domain=(5, 1500))
ROW, BOTH, DEALT = "stages in a row", "stages, experts dealt out", "experts dealt out alone"
#: What it is -> shape and colour.
LOOKS = {ROW: ("circle", theme.BLUE), BOTH: ("triangle-down", theme.ORANGE), DEALT: ("cross", theme.PURPLE)}


@frozen
class LaidOut:
    """One layout and the report of its decode step."""

    way: Deployment
    report: PassReport

    @property
    def kind(self) -> str:
        """Whether stages follow each other, experts are dealt out, or both."""
        return ROW if self.way.expert == 1 else BOTH if self.way.pipeline > 1 else DEALT

    @property
    def words(self) -> str:
        """Such as "8 ranks × 16 stages × 1 group"."""
        w = self.way
        return f"{counted(w.tensor, 'rank')} × {counted(w.pipeline, 'stage')} × {counted(w.expert, 'group')}"


def spreads(scenario: Scenario) -> list[LaidOut]:
    """Every layout of as many GPUs, with as many answers under way, that can be; the quickest first."""
    own = spread_in(scenario)
    gpus, answers = int(own.tensor * own.pipeline * own.expert), own.batch * own.expert
    return _spreads(served_in(scenario), evolve(own, batch=answers), chip_in(scenario), gpus)


@lru_cache(maxsize=64)
def _spreads(network: Network, whole: Deployment, chip: Chip, gpus: int) -> list[LaidOut]:
    found = list[LaidOut]()
    for expert in (e for e in divisors(gpus) if e <= min(network.experts, whole.batch)):
        for tensor in (t for t in divisors(gpus // expert) if t <= MOST_RANKS):
            stages = gpus // expert // tensor
            way = evolve(whole, tensor=tensor, pipeline=stages, expert=expert, batch=whole.batch / expert)
            try:
                found.append(LaidOut(way, decode(network, way, chip)))
            except LayoutError:  # more stages than layers
                continue
    return sorted(found, key=lambda one: float(one.report.time_s))


def layouts_view(scenario: Scenario) -> View:
    """All of them that fit, the reader's among them."""
    every = spreads(scenario)
    fit = [one for one in every if one.report.fits]
    here = LaidOut(spread_in(scenario), decode(served_in(scenario), spread_in(scenario), chip_in(scenario)))
    post = load_scenario("leak")
    return View(
        "A token takes, in your layout",
        here.report.time_s,
        "s",
        _said(here, every, fit),
        post=value("stages.token_s", post),
        rows={
            "data": [_row(one) for one in fit],
            "post": [{"ms": 1e3 * value("stages.token_s", post), "floor": 1e3 * value("stages.floor", post)}],
            "published": [*_measured()],
            "you": [pinned(_row(here), MS, FLOOR)],
        },
        alt="Layouts of the same GPUs by time of a token, at measured rates and at peak: stages in a row are slow, "
        "experts dealt out quick. Vertical lines are GPT-4 as measured in 2023.",
    )


def _row(one: LaidOut) -> Row:
    ms, floor = 1e3 * float(one.report.time_s), 1e3 * float(one.report.floor_s)
    return {"ms": ms, "floor": floor, "kind": one.kind, "layout": one.words}


def _measured() -> Iterator[Row]:
    for key, words in (("gpt-4-first", "GPT-4"), ("gpt-4-later", "later")):
        ms = catalog.latencies[key].ms_per_token
        yield {"ms": ms, "label": f"{words}, {ms:g}"}


def _said(here: LaidOut, every: list[LaidOut], fit: list[LaidOut]) -> str:
    floor = f"Reading and computing at full peak would take {show(here.report.floor_s, 's')}."
    own = "" if here.report.fits else " Yours does not fit the cards."
    if not fit:
        return f"{floor}{own} None of {counted(len(every), 'layout')} fits."
    quick = fit[0]
    return (
        f"{floor}{own} Of {counted(len(every), 'layout')} of these GPUs {len(fit)} fit. The quickest is {quick.words}, "
        f"with {show(quick.report.time_s, 's')}, and {show(quick.report.usd_per_1k, 'USD')} instead of "
        f"{show(here.report.usd_per_1k, 'USD/ktoken')}."
    )


def layouts_chart(view: View) -> Any:
    """Points by kind, the marks on top."""
    rows: Any = view.datasets
    kinds: Any = {"type": "nominal", "legend": None, "title": "Kind"}
    shapes, shades = zip(*LOOKS.values(), strict=True)
    shape = alt.Shape("kind", scale=alt.Scale(domain=list(LOOKS), range=list(shapes)), **kinds)
    shade = alt.Color("kind", scale=alt.Scale(domain=list(LOOKS), range=list(shades)), **kinds)
    points = data().mark_point(size=44, opacity=1, strokeWidth=1.5, clip=True)
    points = points.encode(axes.x(MS), axes.y(FLOOR), shape, shade, tooltip=axes.tooltip("layout", "kind", MS, FLOOR))
    marks = {name: rows[name] for name in ("post", "published", "you")}
    layers = [points, *_key(), *mark_layers(MS, FLOOR, marks)]
    return layered(layers, {"data": rows["data"], **marks}, width=theme.WIDTH, height=theme.HEIGHT)


def _key() -> Iterator[alt.LayerChart]:
    """The kinds above the plot, a row each, behind their shapes: on a phone there is no room beside each other."""
    for row, (kind, (shape, colour)) in enumerate(LOOKS.items()):
        one = data().transform_filter(f"datum.kind == '{kind}'").transform_aggregate(_n="count()")
        at: Any = {"x": alt.value(6), "y": alt.value(-72 + 16 * row)}
        sign = one.mark_point(shape=shape, size=60, color=colour, strokeWidth=1.5, opacity=1).encode(**at)
        both: Any = alt.layer(sign, one.mark_text(align="left", dx=10, color=theme.INK, text=kind).encode(**at))
        yield both


layouts = Panel(
    title="The same GPUs, laid out otherwise",
    legend="Each point is a way to lay the model over as many GPUs: tensor ranks × stages in a row × groups that "
    "share the experts, each group with its part of the answers. As many answers are under way in all of them, so that "
    "the quicker is the cheaper, too. Those that do not fit are left out. Point at one to read it.",
    controls=(
        Slide("serving.tensor", 1, 64),
        Slide("serving.pipeline", 1, 32),
        Slide("stages.groups", 1, 16),
        Slide("serving.tokens_in_flight", 16, 16_384),
        "serving.accelerator",
        "serving.bytes_per_weight",
    ),
    folded=(Slide("serving.mean_context", 128, 8_192),),
    presets={
        "The post": {},
        "Eight ranks, sixteen groups": {"serving.pipeline": 1, "stages.groups": 16},
        "Two stages, eight groups": {"serving.pipeline": 2, "stages.groups": 8},
        "128 H100": {"serving.accelerator": "h100-sxm-80gb", "serving.usd_per_gpu_hour": 2},
        "Few answers": {"serving.tokens_in_flight": 256},
    },
    tour=(
        ({}, "The post’s layout: a token takes {stages.token_s}; at full peak it would take {stages.floor}."),
        ({"serving.pipeline": 4, "stages.groups": 4}, "Deal the experts out over four groups: {stages.token_s}."),
        (
            {"serving.pipeline": 1, "stages.groups": 16},
            "Sixteen groups, no stages: {stages.token_s}, and at full peak {stages.floor}.",
        ),
    ),
    claims=("C80",),
    view=layouts_view,
    chart=layouts_chart,
)
