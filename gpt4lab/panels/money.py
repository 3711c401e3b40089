"""Chapter 09: the run in days and dollars."""

from __future__ import annotations

from typing import Any

from gpt4lab.charts import Axis, line
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

MFUS = [step / 100 for step in range(10, 81)]
MILLION = 1e6


def run_view(scenario: Scenario) -> View:
    """Cost over utilisation, with the reader's point and the post's."""
    found = values(("training.cost", "training.days"), scenario)
    cost, days = found["training.cost"], found["training.days"]
    curve = [{"mfu": mfu, "cost": value("training.cost", scenario, {"training.mfu": mfu}) / MILLION} for mfu in MFUS]
    return View(
        label="Cost of the run",
        value=cost,
        unit="USD",
        post=63e6,
        sentence=f"{scenario.cluster.gpus:,} GPUs are busy for {show(days, 'day')} and cost {show(cost, 'USD')}.",
        rows={"data": curve, "you": [{"mfu": scenario.training.mfu, "cost": cost / MILLION}]},
        alt="Cost of the training run against utilisation.",
    )


def run_chart(view: View) -> Any:
    """The curve, with the price that the post states as a level."""
    return line(
        view.rows["data"],
        x=Axis("mfu", "Utilisation (MFU)", form="percent", domain=(0.1, 0.8)),
        y=Axis("cost", "Cost, million $", domain=(0, 200)),
        you=view.rows["you"],
        post=[{"mfu": 0.34, "cost": 63}],
    )


run = Panel(
    title="Days and dollars",
    legend="The curve is the price of the run at each utilisation.",
    controls=("training.mfu", Slide("cluster.gpus", 1_000, 100_000), "cluster.accelerator", "cluster.usd_per_gpu_hour"),
    folded=("training.tokens", "model.top_k"),
    presets={"The post": "leak", "On H100": "h100-rerun"},
    view=run_view,
    chart=run_chart,
)
