"""Chapter 05: how many bits a parameter holds, measured on the toy, and what that would be for GPT-4."""

from __future__ import annotations

from typing import Any

import altair as alt

from gpt4lab.charts import Axis, axes, theme
from gpt4lab.charts.compose import added
from gpt4lab.charts.marks import data, pinned
from gpt4lab.claims.prose import fill
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import values
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.toys.capacity.findings import held, most

OFFERED = Axis("load", "Offered, bits a parameter", log=True, domain=(0.5, 100))
HELD = Axis("held", "Held, bits a parameter", log=True, domain=(0.5, 20))
LOADS = [10 ** (step / 20 - 0.3) for step in range(47)]
ALL = "all that is offered"


def lines(bits: float) -> list[dict[str, Any]]:
    """What the toys held, what there was to hold, and a model that is full at so many bits."""
    found = [{**row, "model": f"toy, {row['parameters']:,} parameters"} for row in held()]
    ideal = [{"load": load, "held": min(load, bits), "model": "full at your capacity"} for load in LOADS]
    return [*found, *ideal, *({"load": load, "held": load, "model": ALL} for load in LOADS if load < 20)]


def capacity_view(scenario: Scenario) -> View:
    """GPT-4 by the same measure, if a mixture is as a dense model."""
    names = ("heart.offered", "heart.bits", "heart.room")
    here, post = values(names, scenario), values(names, load_scenario("leak"))
    places = [{"load": v["heart.offered"], "held": min(v["heart.offered"], v["heart.bits"])} for v in (post, here)]
    toys = " and ".join(f"{most(row['width']):.1f}" for row in held() if row["load"] == 1)
    return View(
        label="Of its text the model could hold",
        value=here["heart.room"],
        unit="fraction",
        post=post["heart.room"],
        sentence=fill(
            f"The toys held {toys} bits a parameter at most. At {{heart.bits:.2g}} bits a parameter "
            "{model.total_params} hold {heart.capacity}; "
            "what is new in its text is {heart.text}, {heart.offered:.2g} bits a parameter.",
            scenario,
        ),
        rows={"data": lines(scenario.heart.bits), "post": [places[0]], "you": [pinned(places[1], OFFERED, HELD)]},
        alt="Bits held against bits offered, for each parameter: the toys keep up at first, then level off.",
    )


def capacity_chart(view: View) -> Any:
    """Lines, and the deviation of the seeds."""
    order = [*dict.fromkeys(row["model"] for row in view.rows["data"])]
    chart = lines_chart(OFFERED, HELD, series="model", order=order, right=150)(view)
    low, high = axes.y(HELD.at("low", " (low)")), alt.Y2("high", title=f"{HELD.title} (high)")
    bars = data("data").transform_filter("isValid(datum.low)").mark_rule(strokeWidth=1.5, color=theme.INK, opacity=0.6)
    return added(chart, bars.encode(axes.x(OFFERED), low, high)).properties(padding=chart.padding)


capacity = Panel(
    title="How much is there room for?",
    legend="Toys were filled with random bytes, three seeds each; bars are one standard deviation. Nothing in them can "
    "be understood, so what the model saves of it, it holds by heart. The diamond: the post's model and text at "
    "the published 3.6 bits, as if a mixture held as much as dense models.",
    controls=(
        Slide("heart.bits", 0.5, 16),
        Slide("model.expert_params", 1e9, 1e12),
        Slide("model.experts", 1, 64),
        Slide("data.web_tokens", 1e11, 2e13),
    ),
    presets={
        "The post": "leak",
        "Two bits: facts, by Allen-Zhu and Li": {"heart.bits": 2},
        "Only one expert": {"model.experts": 1, "model.top_k": 1},
    },
    claims=("C99",),
    view=capacity_view,
    chart=capacity_chart,
)
