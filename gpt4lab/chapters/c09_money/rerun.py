"""Chapter 09: the same run on newer machines, and the utilisation that its stated days hide."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis, line
from gpt4lab.charts.extras import pinned
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, get, load_scenario
from gpt4lab.units import show

DAYS = Axis("days", "Days of the second run", domain=(20, 180))
MFU = Axis("mfu", "MFU that it needs", form="percent", domain=(0, 1))


def rerun_view(scenario: Scenario) -> View:
    """Utilisation that the stated compute needs, over the days; published ones as levels."""
    found = values(
        ("rerun.implied_mfu", "rerun.rental", "rerun.times_cheaper", "rerun.price_performance", "rerun.mfu_ratio"),
        scenario,
    )
    mfu = found["rerun.implied_mfu"]
    return View(
        label="MFU that the second run needs",
        value=mfu,
        unit="fraction",
        post=value("rerun.implied_mfu", load_scenario("leak")),
        sentence=(
            f"{show(found['rerun.rental'], 'USD')}: {show(found['rerun.times_cheaper'], 'x')} cheaper than the stated "
            f"{show(scenario.cluster.stated_usd, 'USD')}. Of that, {show(found['rerun.price_performance'], 'x')} is "
            f"peak per dollar, which is hardware and price; the other "
            f"{show(found['rerun.mfu_ratio'], 'x')} is utilisation."
        ),
        rows={
            "data": [{"days": day, "mfu": _needed(scenario, day)} for day in range(20, 181, 2)],
            "you": [pinned({"days": scenario.rerun.days, "mfu": mfu}, DAYS, MFU)],
            "post": [_point("leak")],
            "published": [{**_point("gtc-2024"), "label": "NVIDIA, GTC 2024"}, *_levels()],
        },
        alt="Utilisation needed against days: a falling curve, the post's point high on it, published ones below.",
    )


def _needed(scenario: Scenario, days: float) -> float | None:
    """What the days need; nothing where it is more than the peak."""
    mfu = value("rerun.implied_mfu", scenario, {"rerun.days": days})
    return mfu if mfu <= 1 else None


def _point(name: str) -> dict[str, Any]:
    there = load_scenario(name)
    return {"days": get(there, "rerun.days"), "mfu": value("rerun.implied_mfu", there)}


def _levels() -> list[dict[str, Any]]:
    """Utilisations that were published for runs on H100."""
    runs = [run for run in catalog.published_mfu() if "H100" in (run.hardware or "")]
    return [{"mfu": run.mfu, "label": run.name} for run in runs]


def rerun_chart(view: View) -> Any:
    """The falling curve, the two claims on it, and the levels."""
    rows = view.datasets
    return line(rows["data"], DAYS, MFU, you=rows["you"], post=rows["post"], published=rows["published"])


rerun = Panel(
    title="The same run on newer machines",
    legend=(
        "The fewer days, the harder the GPUs must work: the curve is the utilisation that the post's compute needs. "
        "Dashed levels are utilisations that others published for H100; the triangle is NVIDIA's own figure of 2024."
    ),
    controls=(
        Slide("rerun.days", 20, 180),
        Slide("rerun.gpus", 1_000, 50_000),
        "rerun.accelerator",
        Slide("rerun.usd_per_gpu_hour", 0.5, 12),
        Slide("training.tokens", 1e12, 50e12),
    ),
    folded=(Slide("cluster.usd_per_gpu_hour", 0.3, 15), "cluster.accelerator", Slide("cluster.stated_usd", 1e6, 1e9)),
    presets={
        "The post": "leak",
        "At the first run's MFU": {"rerun.days": value("rerun.days_needed", load_scenario("leak"))},
        "NVIDIA at GTC 2024": {"rerun.gpus": 8000, "rerun.days": 90},
        "H100 at twice the price": {"rerun.usd_per_gpu_hour": 4},
    },
    claims=("C35", "C36"),
    view=rerun_view,
    chart=rerun_chart,
)
