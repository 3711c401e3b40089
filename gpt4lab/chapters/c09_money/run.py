"""Chapter 09: the run in days and dollars."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis, line
from gpt4lab.charts.compose import added
from gpt4lab.charts.marks import pinned, span, ticks
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

MILLION = 1e6
DAYS = Axis("days", "Days", domain=(0, 160))
RENT = Axis("rent", "Rent, million $", domain=(0, 120))
EPOCH = catalog.epoch["gpt-4"]
STATED = {"from": 90, "to": 100}  # C28
MFUS = (0.2, 0.25, 0.3, 0.4, 0.5, 0.6)


def run_view(scenario: Scenario) -> View:
    """Rent as the days go by: a straight line, on which the utilisation decides how far the run must go."""
    found = values(("training.cost", "training.days", "budget.days", "budget.mfu", "budget.price"), scenario)
    return View(
        label="Rent of the run",
        value=found["training.cost"],
        unit="USD",
        post=scenario.cluster.stated_usd,
        sentence=_needs(scenario, found),
        rows={
            "data": [_spent(day, scenario) for day in DAYS.domain or ()],
            "ticks": [{**_spent(_days_at(mfu, scenario), scenario), "label": f"{mfu:.0%}"} for mfu in MFUS],
            "you": [pinned(_spent(found["training.days"], scenario), DAYS, RENT)],
            "post": [_price_and_days_of_the_post(scenario)],
        },
        alt="Rent against days: a straight line with ticks for the utilisation; the post's price lies above it.",
    )


def _needs(scenario: Scenario, found: dict[str, float]) -> str:
    cluster = scenario.cluster
    return (
        f"{cluster.gpus:,} GPUs are busy for {show(found['training.days'], 'day')}. For "
        f"{show(cluster.stated_usd, 'USD')} they could be rented for {show(found['budget.days'], 'day')}; the work "
        f"would last that long at an MFU of {show(found['budget.mfu'], 'fraction')}. Over "
        f"{show(cluster.days, 'day')} they would cost that much at {show(found['budget.price'], 'USD')} an hour."
    )


def _spent(days: float, scenario: Scenario) -> dict[str, float]:
    return {"days": days, "rent": value("cluster.rental", scenario, {"cluster.days": days}) / MILLION}


def _days_at(mfu: float, scenario: Scenario) -> float:
    return value("training.days", scenario, {"training.mfu": mfu})


def _price_and_days_of_the_post(scenario: Scenario) -> dict[str, Any]:
    return {"days": sum(STATED.values()) / 2, "rent": scenario.cluster.stated_usd / MILLION, **STATED}


def run_chart(view: View) -> Any:
    """The line of rent with its ticks, the reader's point on it, and the post's beside it."""
    rows = view.datasets
    chart = line(rows["data"], DAYS, RENT, you=rows["you"], post=rows["post"])
    return added(chart, span("post", DAYS, RENT), *ticks(DAYS, RENT), ticks=rows["ticks"])


run = Panel(
    title="Days and dollars",
    legend="The line is the rent that these GPUs run up as the days go by. A run ends when its work is done; the ticks "
    "say at which share of the peak (MFU) it ends there. The diamond is the post's price, "
    "the pale bar its 90 to 100 days.",
    controls=(
        Slide("training.mfu", 0.1, 0.8),
        Slide("cluster.gpus", 1_000, 100_000),
        "cluster.accelerator",
        Slide("cluster.usd_per_gpu_hour", 0.3, 15),
        Slide("training.tokens", 1e12, 100e12),
    ),
    folded=("model.top_k", "cluster.days", Slide("cluster.stated_usd", 1e6, 1e9)),
    presets={
        "The post": "leak",
        "H100, as the post says": "h100-rerun",
        "H100, NVIDIA at GTC 2024": "gtc-2024",
        "The same author's 20,000": "semianalysis-2024",
        "Epoch's cloud price": {"cluster.usd_per_gpu_hour": EPOCH.cost_cloud_2026 / EPOCH.gpu_hours},
    },
    tour=(
        ({}, "By the post's GPUs, price and utilisation the run ends after {training.days}, for {training.cost}."),
        ({"cluster.gpus": 50_000}, "Twice the GPUs: {training.days}, and still {training.cost}. Their number cancels."),
        ({"training.mfu": 0.5}, "What does not cancel is the utilisation: at {training.mfu} it is {training.cost}."),
    ),
    claims=("C28", "C29", "C33"),
    view=run_view,
    number="training.cost",
    chart=run_chart,
    pulls={"days": Pull("training.mfu", "training.days")},
)
