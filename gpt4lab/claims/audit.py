"""Judges every claim under a scenario: convert the units, recompute, compare, and name the verdict.

The order of the tests is the meaning of the verdicts. A claim that follows is consistent, with an assumption where it
needs one. An assumption that lies outside what was published is more than anyone has shown, and one that denies another
statement of the post is none (`allowed.py`). A claim may fail by its unit: a factor of 100 or 1000 repairs it. One that
denies another statement of the post is inconsistent with it; what remains is a mismatch.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import attrs

from gpt4lab.claims.allowed import denied, free, shown
from gpt4lab.claims.ledger import (
    ALONE,
    HELPED,
    HOLDS,
    NEEDS_MORE,
    NO_CLAIM,
    NOT_CHECKABLE,
    NOT_KNOWN,
    OPINION,
    Claim,
    ledger,
)
from gpt4lab.quantities import unit_of
from gpt4lab.quantities.registry import unchecked
from gpt4lab.scenario import NotKnown, Scenario
from gpt4lab.units import convert, show

#: Factors by which a slip of unit multiplies: cents for dollars, tera for giga, percent for a fraction.
SLIPS = (1e-3, 1e-2, 1e2, 1e3, 1e-6, 1e6)


@attrs.frozen
class Result:
    """What the audit found for one claim.

    stated: as written, in the unit of what recomputes it or of what it sets. recomputed: one number for each case
    and quantity, in the units of `units`.
    residual: (stated - recomputed) / recomputed: of several the largest, of a range or a choice the nearest; None
    where no number is stated or the stated one is itself an input.
    slip: the factor by which the unit as written is wrong, or 1.
    assumed: recomputed once more, with what the claim assumes, where its verdict rests on that.
    """

    claim: Claim
    stated: tuple[float, ...]
    recomputed: tuple[float, ...]
    units: tuple[str, ...]
    residual: float | None
    slip: float
    verdict: str
    assumed: tuple[float, ...] = ()

    @property
    def helped(self) -> Result | None:
        """The same with the help that the verdict names: what comes out then, and the residual that is left."""
        if self.assumed in ((), self.recomputed):
            return None
        residual = None if self.residual is None else _residual(self.claim.relation, self.stated, self.assumed)
        return attrs.evolve(self, recomputed=self.assumed, residual=residual, assumed=())

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None for one that arithmetic does not decide."""
        return None if not self.claim.checkable or self.verdict == NOT_KNOWN else self.verdict in HOLDS

    @property
    def meant(self) -> float:
        """The first stated number as it must be read: its slip of unit put right."""
        return self.stated[0] * self.slip

    @property
    def unit(self) -> str:
        """The unit of the first recomputed number."""
        return self.units[0] if self.units else ""

    def shown(self) -> str:
        """The recomputed numbers as a reader wants them: choices in a row, cases of one unit as a range."""
        if self.units and not self.recomputed:
            return "not known"
        numbers = sorted(set(self.recomputed))
        if len(set(self.units)) != 1:
            return "; ".join(map(show, self.recomputed, self.units))
        if self.claim.relation == "any":
            return ", ".join(show(number, self.unit) for number in numbers)
        return show(numbers if len(numbers) < 3 else [numbers[0], numbers[-1]], self.unit)


def audit(scenario: Scenario, ids: Sequence[str] | None = None) -> list[Result]:
    """The result of every claim (or of those named) under a scenario, in the order of the ledger."""
    return [judge(claim, scenario) for key, claim in ledger().items() if ids is None or key in ids]


@attrs.frozen
class Tally:
    """How many claims there are of each kind; the first three are those that arithmetic decides.

    alone: hold as they stand. helped: hold if something is added. fail: do not. seen: settled by what was published
    and not by computing. The others: cannot be checked; opinions; no claims at all; not known under this scenario.
    """

    alone: int
    helped: int
    fail: int
    seen: int
    unchecked: int
    opinions: int
    no_claims: int
    unknown: int

    @property
    def holds(self) -> int:
        """Claims that hold, alone or with help."""
        return self.alone + self.helped

    @property
    def decided(self) -> int:
        """Claims that arithmetic decides."""
        return self.holds + self.fail

    def __str__(self) -> str:
        """For example "25 hold alone, 28 hold with help, 12 fail"."""
        parts = ((self.alone, "hold", " alone"), (self.helped, "hold", " with help"), (self.fail, "fail", ""))
        return ", ".join(f"{count} {verb}{'s' * (count == 1)}{more}" for count, verb, more in parts)

    def apart(self) -> str:
        """What stands apart, in words; nothing is said of a kind that is empty."""
        kinds = {
            "settled by what was published": self.seen,
            "not checkable": self.unchecked,
            f"opinion{'s' * (self.opinions != 1)}": self.opinions,
            f"no claim{'s' * (self.no_claims != 1)}": self.no_claims,
            "not known": self.unknown,
        }
        return ", ".join(f"{count} {words}" for words, count in kinds.items() if count)


def tally(results: Sequence[Result]) -> Tally:
    """How some claims fare: those that arithmetic decides in three parts, the others apart."""
    decided = Counter(result.verdict for result in results if result.holds is not None)
    typed = Counter(result.verdict for result in results if result.holds is None)
    apart = [typed[verdict] for verdict in (NOT_CHECKABLE, OPINION, NO_CLAIM, NOT_KNOWN)]
    fail = decided.total() - decided[ALONE] - decided[HELPED]
    return Tally(decided[ALONE], decided[HELPED], fail, typed.total() - sum(apart), *apart)


def judge(claim: Claim, scenario: Scenario) -> Result:
    """One claim under one scenario: "not-known" where it needs a number that the scenario does not know."""
    try:
        return _judged(claim, scenario)
    except NotKnown:
        units = tuple(unit_of(name) for name in claim.quantity)
        return Result(claim, _stated(claim), (), units, None, 1, claim.verdict or NOT_KNOWN)


def _judged(claim: Claim, scenario: Scenario) -> Result:
    slip, verdict = _verdict(claim, scenario)
    recomputed = tuple(_recompute(claim, scenario, slip))
    rests = bool(claim.assume) and verdict in (HELPED, NEEDS_MORE)
    assumed = tuple(_recompute(claim, scenario, slip, claim.assume)) if rests else ()
    units = tuple(unit_of(name) for _ in claim.given for name in claim.quantity)
    residual = None if claim.sets else _residual(claim.relation, _stated(claim), recomputed)
    return Result(claim, _stated(claim), recomputed, units, residual, slip, verdict, assumed)


def holds(claim: Claim, scenario: Scenario, settings: Mapping[str, Any] | None = None) -> bool:
    """Whether the claim holds, if need be under an allowed assumption; `settings` lie over the scenario, unchecked.

    A setting that the claim itself gives or sets stays as the claim has it.
    """
    over = settings or {}
    if _holds(claim, scenario, over):
        return True
    helped = _may_help(claim, scenario, over) and shown(claim.assume, scenario)
    return helped and _holds(claim, scenario, {**over, **claim.assume})


def _may_help(claim: Claim, scenario: Scenario, settings: Mapping[str, Any]) -> bool:
    """Whether what the claim assumes may be tried: it denies nothing, and the reader has not set it."""
    return bool(claim.assume) and not denied(claim) and free(claim, scenario, settings)


def _verdict(claim: Claim, scenario: Scenario) -> tuple[float, str]:
    if not claim.checkable:
        return 1, claim.verdict
    if _holds(claim, scenario, {}):
        return 1, HELPED if claim.assumption and not claim.assume else ALONE
    if _may_help(claim, scenario, {}) and _holds(claim, scenario, claim.assume):
        return 1, HELPED if shown(claim.assume, scenario) else NEEDS_MORE
    for slip in SLIPS if claim.may_slip else ():
        if _holds(claim, scenario, {}, slip):
            return slip, "unit-error"
    return 1, "internally-inconsistent" if claim.contradicts else "arithmetic-mismatch"


def _holds(claim: Claim, scenario: Scenario, assume: Mapping[str, Any], slip: float = 1) -> bool:
    """Whether the claim follows, its stated number read as `slip` times what is written."""
    cases = [unchecked(_names(claim), scenario, settings) for settings in _settings(claim, assume, slip)]
    if claim.stated and claim.quantity and not claim.sets:
        stated = [slip * number for number in _stated(claim)]
        recomputed = [case[name] for case in cases for name in claim.quantity]
        if not _RELATIONS[claim.relation](stated, recomputed, claim.tolerance):
            return False
    return all(_as_expected(claim, case) for case in cases)


Numbers = Sequence[float]


def _about(stated: Numbers, recomputed: Numbers, slack: float) -> bool:
    pairs = zip(stated, recomputed, strict=False)
    return all(abs(here - there) <= slack * abs(there) for here, there in pairs)


def _any(stated: Numbers, recomputed: Numbers, slack: float) -> bool:
    return any(_about(stated, [number], slack) for number in recomputed)


def _within(stated: Numbers, recomputed: Numbers, slack: float) -> bool:
    low, high = min(recomputed) * (1 - slack), max(recomputed) * (1 + slack)
    return all(low <= number <= high for number in stated)


def _at_least(stated: Numbers, recomputed: Numbers, slack: float) -> bool:
    return all(there >= here * (1 - slack) for here, there in zip(stated, recomputed, strict=False))


_RELATIONS: dict[str, Callable[[Numbers, Numbers, float], bool]] = {
    "about": _about,
    "any": _any,
    "within": _within,
    "at_least": _at_least,
}


def _as_expected(claim: Claim, found: Mapping[Any, Any]) -> bool:
    """Whether every quantity of `expect` lies between its bounds; a bound may be another quantity's name."""
    for name, bounds in claim.expect.items():
        least, most = (found[bound] if isinstance(bound, str) else bound for bound in bounds)
        if not least * (1 - claim.tolerance) <= found[name] <= most * (1 + claim.tolerance):
            return False
    return True


@cache
def _names(claim: Claim) -> tuple[str, ...]:
    """All that the claim's verdict reads: what recomputes it, what must hold beside it, and the bounds of that."""
    bounds = (bound for pair in claim.expect.values() for bound in pair if isinstance(bound, str))
    return tuple(dict.fromkeys((*claim.quantity, *claim.expect, *bounds)))


@cache
def _stated(claim: Claim) -> tuple[float, ...]:
    """The stated numbers in the unit of what recomputes them (or of what they set)."""
    target = unit_of(claim.sets or claim.quantity[0]) if claim.quantity else claim.stated_unit
    return tuple(convert(number, claim.stated_unit or target, target) for number in claim.stated)


def _settings(claim: Claim, assume: Mapping[str, Any], slip: float) -> Iterator[Mapping[str, Any]]:
    """What is set beside the scenario, once for each case that the claim names; what the claim says comes last."""
    reading = {claim.sets: slip * _stated(claim)[0]} if claim.sets else {}
    for given in claim.given:
        yield {**assume, **given, **reading}


def _recompute(
    claim: Claim, scenario: Scenario, slip: float, assume: Mapping[str, Any] | None = None
) -> Iterator[float]:
    for settings in _settings(claim, assume or {}, slip):
        yield from unchecked(claim.quantity, scenario, settings).values()


def _residual(relation: str, stated: Numbers, recomputed: Numbers) -> float | None:
    """The relative difference: of a range or a choice the nearest, of several numbers the largest."""
    if not stated or not recomputed:
        return None
    if relation in ("any", "within"):
        near = [_difference(stated[0], there) for there in recomputed]
        inside = relation == "within" and min(recomputed) <= stated[0] <= max(recomputed)
        return 0.0 if inside else min(near, key=abs)
    return max(map(_difference, stated, recomputed), key=abs)


def _difference(here: float, there: float) -> float:
    return (here - there) / there if there else math.inf
