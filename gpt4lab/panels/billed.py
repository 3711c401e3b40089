"""Chapter 09: the share of the peak that paid GPU-hours amount to, run by run, with the post's among them."""

from __future__ import annotations

from typing import Any

from gpt4lab.charts import Axis, LiveChart, dots
from gpt4lab.quantities import value
from gpt4lab.quantities.run_check import Billed, billed
from gpt4lab.scenario import load_scenario

SHARE = Axis(
    "mfu", "Six FLOP a parameter and token, over what the paid hours could compute", form="percent", domain=(0, 0.6)
)
DAYS = (90, 100)  # C28


def billed_rows() -> list[dict[str, Any]]:
    """Every run from the top, the post's range in its place."""
    rows = [*map(_row, billed()), _post()]
    return sorted(rows, key=lambda row: -row["mfu"])


def _row(run: Billed) -> dict[str, Any]:
    kind = ", experts" if run.experts else ""
    return {"run": f"{run.name} ({run.accelerator.split()[0]}{kind})", "mfu": run.mfu, "mark": "published"}


def _post() -> dict[str, Any]:
    leak = load_scenario("leak")
    high, low = (value("training.implied_mfu", leak, {"cluster.days": days}) for days in DAYS)
    return {"run": "the post (A100, experts)", "mfu": (low + high) / 2, "low": low, "high": high, "mark": "post"}


def billed_hours() -> LiveChart:
    """The figure; nothing in it moves."""
    rows = billed_rows()
    lines = "; ".join(f"{row['run']} {row['mfu']:.0%}" for row in rows)
    return LiveChart(dots(rows, SHARE, "run", bounds=("low", "high")), description=f"Whole-run utilisation: {lines}.")
