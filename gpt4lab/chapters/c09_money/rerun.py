"""Chapter 09: the same run on newer machines, and the utilisation that its stated days hide."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.setting import Slide
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario


def published(_: Scenario) -> dict[str, Any]:
    """NVIDIA's run on the curve; and as levels the utilisations that were published for runs on H100."""
    there = load_scenario("gtc-2024")
    nvidia = {"days": there.rerun.days, "mfu": value("rerun.implied_mfu", there), "label": "NVIDIA, GTC 2024"}
    runs = [run for run in catalog.published_mfu() if "H100" in (run.hardware or "")]
    return {"published": [nvidia, *[{"mfu": run.mfu, "label": run.name} for run in runs]]}


rerun = Curve(
    title="The same run on newer machines",
    legend="The fewer days, the harder the GPUs must work: the curve is the utilisation that the post's compute needs. "
    "Dashed levels are utilisations that others published for H100; the triangle is NVIDIA's own figure of 2024.",
    of="rerun.implied_mfu",
    along="rerun.days",
    at=range(20, 181, 2),
    x=Axis("days", "Days of the second run", domain=(20, 180)),
    y=Axis("mfu", "MFU that it needs", form="percent", domain=(0, 1)),
    also=published,
    label="MFU that the second run needs",
    says="{rerun.rental}: {rerun.times_cheaper} cheaper than the stated {cluster.stated_usd}. Of that, "
    "{rerun.price_performance} is peak per dollar, which is hardware and price; the other {rerun.mfu_ratio} is "
    "the utilisation over the {budget.mfu} that the stated price would pay for.",
    alt="Utilisation needed against days: a falling curve, the post's point high on it, published ones below.",
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
)
