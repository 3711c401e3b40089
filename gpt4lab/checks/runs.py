"""The formula of this book's money, FLOP over FLOP/s, held against runs whose makers published what they spent.

Three questions: do days follow from a measured rate; do hours follow from a published utilisation; and what share of
the peak did whole runs reach, pauses included.
"""

from __future__ import annotations

from attrs import evolve, frozen

from gpt4lab import catalog
from gpt4lab.catalog import Measurement, PublishedModel
from gpt4lab.checks.catalogued import entries, measured, stated
from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities.topics import training

HOUR, DAY = 3600, 86_400
#: Models whose accelerator-hours are known, and what they ran on.
PUBLISHED = {
    "palm-540b": "tpu-v4",
    "glam-64b-64e": "tpu-v4",
    "llama-2-70b": "a100-sxm-80gb",
    "falcon-40b": "a100-sxm-40gb",
    "falcon-180b": "a100-sxm-40gb",
    "starcoder-15.5b": "a100-sxm-80gb",
    "deepseek-v2": "h800-sxm-80gb",
    "llama-3.1-405b": "h100-sxm-80gb",
    "deepseek-v3": "h800-sxm-80gb",
    "llama-4-maverick": "h100-sxm-80gb",
    "olmoe-1b-7b": "h100-sxm-80gb",
}
#: Models with hours that cannot be held against a peak, and why.
LEFT_OUT = {
    "gpt-3-175b": "The catalog has no peak of a V100 for half precision.",
    "gopher-280b": "The catalog has no TPU v3.",
    "switch-c": "The catalog has no TPU v3.",
    "mpt-30b": "It began on another GPU.",
    "gpt-oss-120b": "Its tokens are not published.",
    "gpt-4-leak": "It is the post itself.",
}
#: Measurements of hours that are not a run of their own: a part of one above, and several models together.
NO_RUN = ("deepseek-v3-training", "llama31-all")
#: Of these the utilisation between pauses is published too, and was not itself worked out from the hours.
MEASURED = ("palm-540b", "llama-3.1-405b")


@frozen
class WholeRun:
    """One run: what share of the dense bf16 peak its hours amount to."""

    name: str
    accelerator: str
    hours: float
    mfu: float
    experts: bool


def whole_runs() -> tuple[WholeRun, ...]:
    """Every run of the catalog whose hours can be held against a peak, whole-run utilisation from the top."""
    runs = [_whole(catalog.models[slug], accelerator) for slug, accelerator in PUBLISHED.items()]
    logged = [_logged(entry) for entry in entries() if entry.topic == "gpu_hours" and entry.slug not in NO_RUN]
    return tuple(sorted([*runs, *logged], key=lambda run: -run.mfu))


def _whole(model: PublishedModel, accelerator: str) -> WholeRun:
    chip = catalog.accelerators[accelerator]
    flop = training.flop(model.need("params_active"), model.need("training_tokens"))
    hours = model.need("accelerator_hours")
    share = flop / (hours * HOUR * chip.need("peak_bf16_flop_per_s"))
    return WholeRun(model.name, chip.name, hours, share, bool(model.n_experts))


def _logged(entry: Measurement) -> WholeRun:
    chip, hours = catalog.accelerators[str(entry.accelerator)], entry.measured["gpu_hours"]
    flop = training.flop(_number(entry, "params"), _number(entry, "tokens"))
    share = flop / (hours * HOUR * chip.need("peak_bf16_flop_per_s"))
    return WholeRun(entry.name, chip.name, hours, share, experts=False)


def days_checks() -> Checks:
    """Days from a measured rate: Table 2 of Narayanan (2021)."""
    found = [measured(e, "days", days(e, e.measured["flop_per_s_per_gpu"])) for e in entries(scheme="PTD-P")]
    return Checks(evolve(check, name=f"Megatron-LM, {check.name}") for check in found)


def days(entry: Measurement, rate: float) -> float:
    """Days at so many FLOP/s a GPU: 8 FLOP a parameter and token, since all is computed twice."""
    work = 8 * _number(entry, "params") * _number(entry, "tokens")
    return work / (_number(entry, "gpus") * rate * DAY)


def hours_checks() -> Checks:
    """Accelerator-hours from the utilisation that was measured while a run was running."""
    return Checks(_hours(catalog.models[slug], PUBLISHED[slug]) for slug in MEASURED)


def _hours(model: PublishedModel, accelerator: str) -> Check:
    run = _whole(model, accelerator)
    return stated(model, "accelerator_hours", run.hours * run.mfu / model.need("mfu"), by="mfu", unit="hour")


def _number(entry: Measurement, key: str) -> float:
    return float(entry.setup[key])
