"""Chapter 01: the map of all shapes that fit two stated sums."""

from __future__ import annotations

from typing import Any

import altair as alt

from gpt4lab.chapters.c01_parameters.named import named
from gpt4lab.charts import Axis, axes, line, theme
from gpt4lab.charts.compose import added, stacked
from gpt4lab.charts.marks import data, pinned
from gpt4lab.models.search.family import BESIDE, KINDS, WIDTHS, Some, by_width, count, family, stated
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import counted, show

WIDTH = Axis("width", "Width of the model", log=True, form="count", domain=(4096, 24_576))
HEADS = Axis("beside", "Width of all heads, over that of the model", log=True, domain=(0.25, 4))
LEFT = Axis("left", "Shapes of this width", log=True, form="count", domain=(1, 3000))
LABELS = {"one width for both sums": "one width", "wider, one key-value head": "wider"}


def curves(scenario: Scenario) -> list[dict[str, Any]]:
    """For each kind of attention the heads that give the stated parameters exactly, if they need not be whole."""
    attention, layers, *_ = stated(scenario)
    rows = list[dict[str, Any]]()
    for width in WIDTHS[::4]:
        for kind, shared in KINDS.items():
            both = attention / layers / (2 * width)
            beside = (both - shared * scenario.model.head_dim if shared else both / 2) / width
            if BESIDE[0] <= beside <= BESIDE[1]:
                rows.append({"width": width, "beside": beside, "kind": kind})
    return rows


def dots_of(scenario: Scenario) -> list[dict[str, Any]]:
    """The whole numbers among them, for heads of the scenario's size."""
    mine = (some for some in family(scenario) if some.head_dim == scenario.model.head_dim)
    return [{"width": some.width, "beside": some.beside, "kind": some.kind} for some in mine]


def place(scenario: Scenario) -> dict[str, Any]:
    """Where a shape is on the map."""
    model = scenario.model
    return {"width": model.d_model, "beside": model.heads * model.head_dim / model.d_model}


def map_view(scenario: Scenario) -> View:
    """All shapes that fit, those of each width, and the named ones."""
    shapes, post = family(scenario), load_scenario("leak")
    left = by_width(shapes)
    others = {name: shape for name, shape in named().items() if name != "the same, one key-value head"}
    return View(
        label="Shapes that fit",
        value=float(count(shapes)),
        unit="1",
        post=float(count(family(post))),
        whose="at the tolerance that the panel starts with",
        sentence=_sentence(scenario, shapes),
        rows={
            "data": [
                *curves(scenario),
                *({"width": at, "left": n, "what": "of any heads"} for at, n in sorted(left.items())),
            ],
            "fits": dots_of(scenario),
            "published": [{**place(shape), "label": LABELS.get(name, name)} for name, shape in others.items()],
            "you": [pinned({**place(scenario), "label": "you"}, WIDTH, HEADS)],
        },
        alt="Width of all heads over the model's width, against the model's width: three falling curves, one for each "
        "kind of attention, with dots where the numbers are whole. Below, how many shapes each width has.",
    )


def _sentence(scenario: Scenario, shapes: tuple[Some, ...]) -> str:
    if not shapes:
        return "No shape fits."
    left, width = by_width(shapes), scenario.model.d_model
    here = f"{left[width]:,} of them are {width:,} wide" if left[width] else f"none of them is {width:,} wide"
    ranks = scenario.cluster.tensor
    split = f", their heads shared out evenly over {ranks:,} GPUs" if ranks > 1 else ""
    return (
        f"With {counted(count(shapes), 'shape')} neither attention nor an expert is missed by more than "
        f"{show(scenario.nearness.tolerance, 'fraction')}{split}: from {min(left):,} to {max(left):,} wide, "
        f"{counted(len(left), 'width')}. If the width were known, {here}."
    )


def map_chart(view: View) -> Any:
    """The map above, and below it what each width would leave."""
    rows: Any = view.datasets
    look: Any = {"series": "kind", "order": list(KINDS)}
    above = line(rows["data"], WIDTH, HEADS, published=rows["published"], you=rows["you"], height=290, **look)
    shades = alt.Scale(domain=list(KINDS), range=list(theme.SERIES[: len(KINDS)]))
    colour = alt.Color("kind", type="nominal", scale=shades, legend=None, title="Attention")
    small = data("fits").mark_point(shape="circle", size=22, strokeWidth=1.2, clip=True, opacity=0.8)
    above = added(above, small.encode(axes.x(WIDTH), axes.y(HEADS), colour), fits=rows["fits"])
    return stacked(above, line(rows["data"], WIDTH, LEFT, "what", order=["of any heads"], height=110))


shapes = Panel(
    title="Every shape that fits",
    legend="Curves: what gives the stated attention, by kind. Rings: whole numbers of heads of the size that you set, "
    "with an expert that fits too. Triangles: shapes that somebody wrote down. Below: how many shapes of any head size "
    "have this width.",
    controls=(
        "nearness.tolerance",
        Slide("model.head_dim", 32, 256),
        Slide("cluster.tensor", 1, 16),
        Slide("model.layers", 24, 240),
        Slide("model.d_model", 4096, 24_576),
        Slide("model.heads", 8, 256),
    ),
    folded=(Slide("model.shared_params", 1e10, 4e11), Slide("model.expert_params", 1e10, 1e12)),
    presets={
        "Within one percent": "leak",
        "Any number of heads": {"cluster.tensor": 1},
        "Within a tenth of that": {"nearness.tolerance": 0.001},
        "Within five percent": {"nearness.tolerance": 0.05},
        "Heads of 192": {"model.head_dim": 192, "model.d_model": 12_288, "model.heads": 96},
    },
    tour=(
        (
            {"cluster.tensor": 1},
            "Attention of {model.shared_params} and an expert of {model.expert_params} leave curves, not a shape.",
        ),
        ({"cluster.tensor": 8}, "Let {cluster.tensor} share the heads evenly: fewer rings are left."),
        ({"nearness.tolerance": 0.001}, "A thousandth either side of {model.shared_params}, and a family is left."),
    ),
    claims=("C03", "C07", "C10"),
    view=map_view,
    chart=map_chart,
)
