"""Published logs of failures: how long a GPU lasted in each, for whoever assumes one of them."""

from __future__ import annotations

from gpt4lab import catalog
from gpt4lab.formulas.failures import years_per_gpu
from gpt4lab.quantities import values
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, change
from gpt4lab.units import show

#: What the reader calls a log, the catalog's measurement, and what of it are failures.
LOGS = {
    "Llama 3, H100, 2024": ("llama3-interruptions", ("unexpected_interruptions",)),
    "BLOOM, A100, 2022": ("bloom-failures", ("gpu_failures",)),
    "Meta's RSC-1, A100, to 2024": ("rsc-1-failures", ("hardware_failures",)),
    "OPT-175B, A100, 2021": ("opt-175b-restarts", ("restarts_at_least", "automatic_restarts")),
}


def years_in(log: str) -> float:
    """Years that a GPU lasted in a log, on average. Raises KeyError for a log that is not in `LOGS`."""
    slug, counted = LOGS[log]
    entry = catalog.measurements[slug]
    failed = sum(entry.measured[key] for key in counted)
    return round(years_per_gpu(float(entry.setup["gpus"]), float(entry.setup["days"]), failed), 2)


def as_in(log: str) -> dict[str, float | int]:
    """GPUs that last as long as in a log, as changes of a scenario."""
    return {"reliability.gpu_mtbf_years": years_in(log)}


def log_rows(scenario: Scenario) -> list[Row]:
    """Each log as a row: how long a GPU lasted, and what failures alone would do to a scenario's cluster."""
    return [_row(log, scenario) for log in LOGS]


def _row(log: str, scenario: Scenario) -> Row:
    asked = ("goodput.mtbf", "goodput.best_share", "training.full_mfu")
    every, useful, full = values(asked, change(scenario, as_in(log))).values()
    entry = catalog.measurements[LOGS[log][0]]
    return {
        "log": f"{log} ({catalog.references[entry.sources[0].reference].cite(within=True)})",
        "a GPU lasts": show(years_in(log), "year"),
        "the cluster fails every": show(every, "hour") if every >= 1 else show(every * 60, "minute"),
        "useful at best": show(useful, "fraction"),
        "MFU that is left": show(useful * full, "fraction"),
    }
