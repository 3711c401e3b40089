"""What has been published for the same kind of thing as a field: the range inside which an assumption is allowed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

import attrs

from gpt4lab import catalog
from gpt4lab.scenario import Scenario, get


@attrs.frozen
class Published:
    """The least and the most that was published, in the unit of the field, and where and when."""

    lo: float
    hi: float
    source: str

    def has(self, number: float) -> bool:
        """Whether it lies inside, ends included."""
        return self.lo <= number <= self.hi


@cache
def _declared() -> Mapping[str, Published]:
    entries = tomllib.loads(files("gpt4lab.scenario").joinpath("published.toml").read_text("utf-8"))
    return {path: Published(entry["range"][0], entry["range"][1], entry["source"]) for path, entry in entries.items()}


def published(path: str, scenario: Scenario) -> Published | None:
    """The range of a field, None where none is known; the scenario's chip decides about rents and utilisations."""
    if path in _BY_CHIP:
        rows, chip_at = _BY_CHIP[path]
        return _range(rows(_chip(get(scenario, chip_at))))
    return _declared().get(path)


def ranges(scenario: Scenario) -> dict[str, Published]:
    """Every range that is known, by the path of its field."""
    found = {path: published(path, scenario) for path in (*_declared(), *_BY_CHIP)}
    return {path: one for path, one in found.items() if one}


Found = tuple[tuple[float, str], ...]  # a number, and who published it when


@cache
def _rents(chip: str) -> Found:
    """All rents of a chip, whatever its memory, on demand and with a commitment."""
    return tuple(
        (rent, f"{rental.vendor} {rental.date.year}")
        for key, accelerator in catalog.accelerators.items()
        if _chip(key) == chip
        for rental in accelerator.rentals
        for rent in (rental.on_demand, rental.one_year, rental.three_years)
        if rent is not None
    )


@cache
def _utilisations(chip: str) -> Found:
    """The MFUs of training runs on a chip, whole or in a phase, but the post's own and those that count work twice."""
    runs = (
        (run.mfu, f"{run.name} {run.released.year}")
        for run in catalog.published_mfu()
        if run.mfu is not None and _names(run.hardware or "", _family(chip)) and run.slug != "gpt-4-leak"
        if not getattr(run, "counts_recomputation", False)
    )
    phases = (
        (one.measured["mfu"], f"{one.name}, {catalog.references[one.sources[0].reference].year}")
        for one in catalog.measurements.values()
        if one.topic == "utilisation" and "mfu" in one.measured and _chip(one.accelerator or "") == chip
    )
    return (*runs, *phases)


def _chip(accelerator: str) -> str:
    """An accelerator without its memory: "a100-sxm-80gb" and -40gb are both an "a100-sxm"."""
    return accelerator.rpartition("-")[0] if accelerator.endswith("gb") and "-" in accelerator else accelerator


def _family(chip: str) -> str:
    """How a report of a run names a chip: "a100", "tpu v4"."""
    return chip.partition("-sxm")[0].partition("-pcie")[0].replace("-", " ")


def _names(hardware: str, family: str) -> bool:
    """Whether a report's hardware is of that family: an A100 is no A10."""
    return re.search(rf"\b{re.escape(family)}\b", hardware.lower()) is not None


@cache
def _range(rows: Found) -> Published | None:
    if not rows:
        return None
    (lo, first), (hi, last) = min(rows), max(rows)
    return Published(lo, hi, first if first == last else f"{first}; {last}")


_BY_CHIP: dict[str, tuple[Callable[[str], Found], str]] = {
    "training.mfu": (_utilisations, "cluster.accelerator"),
    "training.best_mfu": (_utilisations, "cluster.accelerator"),
    "rerun.mfu": (_utilisations, "rerun.accelerator"),
    "cluster.usd_per_gpu_hour": (_rents, "cluster.accelerator"),
    "serving.usd_per_gpu_hour": (_rents, "serving.accelerator"),
    "rerun.usd_per_gpu_hour": (_rents, "rerun.accelerator"),
}
