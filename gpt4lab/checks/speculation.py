"""The theorem on speculative decoding, held against what the papers measured.

Leviathan's Table 2 measures, its Table 4 expects; their own parameters go into our formula. The expected column must
come back within its rounding; the measured one need not: the theorem leaves out the cost of checking. How many tokens
a pass yields is held against curves that InferenceX measured.
"""

from __future__ import annotations

from functools import cache

from gpt4lab.catalog import Measurement, measured_keys
from gpt4lab.catalog.acceptance import AcceptanceCurve, acceptance_curves
from gpt4lab.checks.catalogued import entries, measured
from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities.topics.speculation import speedup, tokens_per_pass


@cache
def published() -> tuple[Measurement, ...]:
    """The catalog's measurements that state acceptance, draft length and draft cost."""
    return tuple(entry for entry in entries() if entry.topic == "speculation" and "draft_cost" in entry.setup)


def speedup_checks(key: str = "speedup", remembered: bool = True) -> Checks:
    """The speed-up by the theorem, against the measured one, or against the "expected_speedup" of the paper.

    remembered: whether with the rows that have a number from memory.
    """
    return Checks(measured(row, key, _by_theorem(row)) for row in published() if remembered or not _from_memory(row))


def _from_memory(entry: Measurement) -> bool:
    return any(source.kind == "memory" for source in entry.sources)


def _by_theorem(entry: Measurement) -> float:
    alpha, gamma, c = (float(entry.setup[key]) for key in ("acceptance", "draft_tokens", "draft_cost"))
    return float(speedup(tokens_per_pass(alpha, gamma), gamma, c))


def yield_checks(*lengths: int) -> Checks:
    """Tokens a pass with so many drafted (default: all from 2), if every guess were kept as often as the first one."""
    return Checks(
        _from_first(curve, gamma)
        for curve in acceptance_curves()
        for gamma in lengths or range(2, len(curve.tokens_per_pass) + 1)
    )


def _from_first(curve: AcceptanceCurve, gamma: int) -> Check:
    label, unit = measured_keys["tokens_per_pass"].label, measured_keys["tokens_per_pass"].unit
    found, name = curve.tokens_per_pass[gamma - 1], f"{curve.name}, {gamma} drafted"
    return Check(label, float(tokens_per_pass(curve.first, gamma)), found, unit, "inferencex2026", name)
