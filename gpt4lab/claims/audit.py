"""Judges every claim under a scenario: convert the units, recompute, compare, and name the verdict.

The order of the tests is the meaning of the verdicts. A claim that follows is consistent, with an assumption where it
needs one. One that fails may fail by its unit: a factor of 100 or 1000 repairs it. One that denies another statement
of the post is inconsistent with it; what remains is a mismatch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from gpt4lab.claims.ledger import HOLDS, Claim, ledger
from gpt4lab.quantities import unit_of, value, values
from gpt4lab.scenario import Scenario
from gpt4lab.units import convert, show

#: Factors by which a slip of unit multiplies: cents for dollars, tera for giga, percent for a fraction.
SLIPS = (1e-3, 1e-2, 1e2, 1e3, 1e-6, 1e6)


@attrs.frozen
class Result:
    """What the audit found for one claim.

    stated: in `unit`, as written. recomputed: one number for each case and quantity, in the units of `units`.
    residual: (stated - recomputed) / recomputed, the largest where there are several; None where nothing is stated.
    slip: the factor by which the unit as written is wrong, or 1.
    """

    claim: Claim
    stated: tuple[float, ...]
    recomputed: tuple[float, ...]
    units: tuple[str, ...]
    residual: float | None
    slip: float
    verdict: str

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None for one that arithmetic does not decide."""
        return self.verdict in HOLDS if self.claim.checkable else None

    @property
    def meant(self) -> float:
        """The first stated number as it must be read: its slip of unit put right."""
        return self.stated[0] * self.slip

    @property
    def unit(self) -> str:
        """The unit of the first recomputed number."""
        return self.units[0] if self.units else ""

    def shown(self) -> str:
        """The recomputed numbers as a reader wants them; equal units are joined to a range."""
        if len(set(self.units)) == 1:
            return show(list(dict.fromkeys(self.recomputed)), self.unit)
        return "; ".join(show(number, unit) for number, unit in zip(self.recomputed, self.units, strict=True))


def audit(scenario: Scenario, ids: Sequence[str] | None = None) -> list[Result]:
    """The result of every claim (or of those named) under a scenario, in the order of the ledger."""
    return [judge(claim, scenario) for key, claim in ledger().items() if ids is None or key in ids]


def tally(results: Sequence[Result]) -> tuple[int, int]:
    """(claims that hold, claims that arithmetic decides)."""
    decided = [result for result in results if result.holds is not None]
    return sum(bool(result.holds) for result in decided), len(decided)


def judge(claim: Claim, scenario: Scenario) -> Result:
    """One claim under one scenario."""
    slip, verdict = _verdict(claim, scenario)
    recomputed = tuple(_recompute(claim, scenario, {}, slip))
    units = tuple(unit_of(name) for _ in claim.given for name in claim.quantity)
    stated = tuple(_stated(claim))
    return Result(claim, stated, recomputed, units, _residual(stated, recomputed), slip, verdict)


def _verdict(claim: Claim, scenario: Scenario) -> tuple[float, str]:
    if not claim.checkable:
        return 1, claim.verdict
    if _holds(claim, scenario, {}):
        return 1, "consistent-with-assumption" if claim.assumption else "consistent"
    if claim.assume and _holds(claim, scenario, claim.assume):
        return 1, "consistent-with-assumption"
    for slip in SLIPS if claim.stated else ():
        if _holds(claim, scenario, {}, slip):
            return slip, "unit-error"
    return 1, "internally-inconsistent" if claim.contradicts else "arithmetic-mismatch"


def _holds(claim: Claim, scenario: Scenario, assume: Mapping[str, Any], slip: float = 1) -> bool:
    """Whether the claim follows, its stated number read as `slip` times what is written."""
    recomputed = list(_recompute(claim, scenario, assume, slip))
    if claim.stated and not claim.sets and not _agrees(claim, [slip * v for v in _stated(claim)], recomputed):
        return False
    names = [name for _ in claim.given for name in claim.quantity]
    found = [(name, number) for name, number in zip(names, recomputed, strict=True) if name in claim.expect]
    return all(_inside(number, claim.expect[name], scenario, claim.tolerance) for name, number in found)


def _agrees(claim: Claim, stated: Sequence[float], recomputed: Sequence[float]) -> bool:
    pairs = zip(stated, recomputed, strict=False)
    slack = claim.tolerance
    if claim.relation == "at_least":
        return all(there >= here * (1 - slack) for here, there in pairs)
    if claim.relation == "at_most":
        return all(there <= here * (1 + slack) for here, there in pairs)
    return all(abs(here - there) <= slack * abs(there) for here, there in pairs)


def _inside(number: float, bounds: tuple[Any, Any], scenario: Scenario, slack: float) -> bool:
    low, high = (value(bound, scenario) if isinstance(bound, str) else bound for bound in bounds)
    return low * (1 - slack) <= number <= high * (1 + slack)


def _stated(claim: Claim) -> Iterator[float]:
    """The stated numbers in the unit of what recomputes them (or of what they set)."""
    target = unit_of(claim.sets or claim.quantity[0]) if claim.quantity else claim.stated_unit
    for number in claim.stated:
        yield convert(number, claim.stated_unit or target, target)


def _recompute(claim: Claim, scenario: Scenario, assume: Mapping[str, Any], slip: float) -> Iterator[float]:
    reading = {claim.sets: slip * next(_stated(claim))} if claim.sets else {}
    for given in claim.given:
        yield from values(claim.quantity, scenario, {**given, **assume, **reading}).values()


def _residual(stated: Sequence[float], recomputed: Sequence[float]) -> float | None:
    pairs = [(here, there) for here, there in zip(stated, recomputed, strict=False) if there and math.isfinite(there)]
    return max(((here - there) / there for here, there in pairs), key=abs, default=None)
