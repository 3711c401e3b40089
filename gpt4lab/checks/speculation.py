"""The theorem on speculative decoding, held against what the papers measured.

Leviathan's Table 2 measures, its Table 4 expects; their own parameters go into our formula. The expected column must
come back within its rounding; the measured one need not: the theorem leaves out the cost of checking.
"""

from __future__ import annotations

from functools import cache

from gpt4lab import catalog
from gpt4lab.catalog import Measurement
from gpt4lab.checks.step import Check, Rows
from gpt4lab.quantities.topics.speculation import speedup, tokens_per_pass


@cache
def published() -> tuple[Measurement, ...]:
    """The catalog's measurements that state acceptance, draft length and draft cost."""
    found = [entry for entry in catalog.measurements.values() if entry.topic == "speculation"]
    return tuple(entry for entry in found if "acceptance" in entry.setup)


def speedup_checks(measured: bool = True) -> Rows:
    """Return the speed-up by the theorem, against the measured one or against the one that the paper expected."""
    column = "speedup" if measured else "expected_speedup"
    return tuple(_check(entry, column) for entry in published())


def _check(entry: Measurement, column: str) -> Check:
    alpha, gamma, c = (float(entry.setup[key]) for key in ("acceptance", "draft_tokens", "draft_cost"))
    predicted = float(speedup(tokens_per_pass(alpha, gamma), gamma, c))
    return Check(entry.name, column, "x", entry.measured[column], predicted, entry.sources[0].reference)
