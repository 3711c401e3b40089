"""Chapter 09: the share of the peak that whole runs reached, pauses included, with the post's among them."""

from __future__ import annotations

from typing import Any

from gpt4lab.charts import Axis, dots
from gpt4lab.checks.runs import WholeRun, whole_runs
from gpt4lab.panels.figure import Figure
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import load_scenario

SHARE = Axis("mfu", "Share of the peak, over all hours of the run", form="percent", domain=(0, 0.6))
DAYS = (90, 100)  # C28


def runs_view() -> View:
    """Every run from the top, the post's range in its place."""
    post, runs = _post_by_its_days(), [_row(run) for run in whole_runs()]
    higher = sum(run["mfu"] > post["mfu"] for run in runs)
    return View(
        label="Whole-run utilisation of the post",
        value=post["mfu"],
        unit="fraction",
        sentence=f"Of {len(runs)} runs whose hours are known, {higher} made more of them than the post's.",
        rows={"data": sorted([*runs, post], key=lambda row: -row["mfu"])},
        alt="Whole-run utilisation, one line a run, highest first.",
    )


def _row(run: WholeRun) -> dict[str, Any]:
    kind = ", experts" if run.experts else ""
    return {"run": f"{run.name} ({run.accelerator.split()[0]}{kind})", "mfu": run.mfu, "mark": "published"}


def _post_by_its_days() -> dict[str, Any]:
    leak = load_scenario("leak")
    high, low = (value("training.implied_mfu", leak, {"cluster.days": days}) for days in DAYS)
    return {"run": "the post (A100, experts)", "mfu": (low + high) / 2, "low": low, "high": high, "mark": "post"}


def runs_figure() -> Figure:
    """The figure; nothing in it moves."""
    return Figure(
        "Whole runs, pauses included",
        runs_view(),
        chart=lambda view: dots(view.rows["data"], SHARE, "run", bounds=("low", "high")),
        legend="Six FLOP for each active parameter and token, over all that the accelerator-hours of the run could "
        "have computed in bf16. Triangles are published runs; the post's bar goes from its 100 to its 90 days.",
    )
