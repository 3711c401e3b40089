"""Three laws of a good batch, held against every training whose batch, tokens and size are published."""

from __future__ import annotations

from functools import cache
from math import exp, log
from statistics import mean, stdev
from typing import Any

from gpt4lab import catalog
from gpt4lab.quantities import values
from gpt4lab.scenario import load_scenario

LAWS = {"DeepSeek": "batch.deepseek", "Step Law": "batch.step_law", "Kaplan, critical": "batch.critical_kaplan"}


@cache
def published() -> list[dict[str, Any]]:
    """Every training whose batch, tokens and size are published: its compute, its largest batch, and the three laws."""
    models = [(m.name, m.batch_tokens, m.params_active, m.training_tokens) for m in catalog.models.values()
              if m.slug != "gpt-4-leak"]  # fmt: skip
    grew = [(ramp.name, ramp.rows[-1][1], ramp.params_active, ramp.training_tokens) for ramp in catalog.ramps.values()]
    runs = [_run(name, *known) for name, *known in (*models, *grew)]
    return sorted((run for run in runs if run), key=lambda run: run["flop"])


def _run(name: str, batch: float | None, params: float | None, tokens: float | None) -> dict[str, Any]:
    if not (batch and params and tokens):
        return {}
    given = {"model.active_params": params, "training.tokens": tokens}
    found = values(("training.flop", *LAWS.values()), load_scenario("leak"), given)
    return {"run": name, "flop": found["training.flop"], "batch": batch, **{law: found[q] for law, q in LAWS.items()}}


def scatter(law: str) -> tuple[float, float]:
    """Published batch over what a law asks for: the geometric mean, and the factor of one standard deviation."""
    ratios = [log(run["batch"] / run[law]) for run in published()]
    return exp(mean(ratios)), exp(stdev(ratios))


def table() -> list[dict[str, Any]]:
    """A row a run: its batch over what each law asks for."""
    return [
        {"run": run["run"], "compute": run["flop"], "batch": run["batch"]}
        | {f"over {law}": run["batch"] / run[law] for law in LAWS}
        for run in published()
    ]
