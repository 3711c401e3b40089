"""Which changes flip a verdict: a tornado over what was published, and the smallest change of several numbers at once.

The ranges are those of `scenario/published`: from sourced alternatives, never a flat percentage. What no allowed value
reaches is said to be none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from gpt4lab.claims import judge
from gpt4lab.claims.audit import holds
from gpt4lab.claims.ledger import NOT_KNOWN, Claim
from gpt4lab.claims.sensitivity import Flip, limits, walked
from gpt4lab.quantities import leaves, unit_of, value
from gpt4lab.quantities.registry import unchecked
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError, change, get
from gpt4lab.scenario.published import Published, published
from gpt4lab.units import show

#: A step of the walk, as a factor, and how far it goes: all numbers off by as much is no small change.
STEP, REACH = 1.01, 4.0
#: Numbers moved together at most, the most effective first.
MOST = 6
#: A slope below this is none.
FLAT = 1e-9


@attrs.frozen
class Bar:
    """One assumption in a tornado: the quantity at the least and the most that was published, all else as it is."""

    path: str
    lo: float
    hi: float
    at_lo: float
    at_hi: float
    source: str

    @property
    def width(self) -> float:
        """How far apart the two results are."""
        return abs(self.at_hi - self.at_lo)


def tornado(quantity: str, scenario: Scenario) -> tuple[list[Bar], list[str]]:
    """The bars, the widest first; and the inputs for which nothing was published, so that they have none."""
    found, without = list[Bar](), list[str]()
    for path in leaves((quantity,)):
        field = FIELDS.get(path)
        if field and not (field.catalog or field.choices or field.feature):
            known = published(path, scenario)
            bar = known and known.hi > known.lo and _bar(quantity, path, known, scenario)
            if bar:
                found.append(bar)
            elif not known:
                without.append(path)
    return sorted((bar for bar in found if bar.width), key=lambda bar: -bar.width), without


def _bar(quantity: str, path: str, known: Published, scenario: Scenario) -> Bar | None:
    ends = (max(known.lo, FIELDS[path].lo), min(known.hi, FIELDS[path].hi))
    try:
        at_lo, at_hi = (value(quantity, change(scenario, {path: end})) for end in ends)
    except (ScenarioError, ArithmeticError):
        return None
    return Bar(path, *ends, at_lo, at_hi, known.source)


@attrs.frozen
class Joint:
    """Several numbers, moved by the same percentage each (a whole one by the nearest), at which a verdict flips."""

    moves: Mapping[str, tuple[float, float]]  # path -> (here, there)
    holds: bool

    @property
    def change(self) -> float:
        """The largest relative change among them."""
        return max(abs(there / here - 1) for here, there in self.moves.values())

    def flips(self) -> list[Flip]:
        """Each move as words know it."""
        return [Flip(FIELDS[path], here, there, self.holds) for path, (here, there) in self.moves.items()]

    def __str__(self) -> str:
        """For example "GPUs from 25,000 to 25,600 GPUs, days from 95 to 97 days"."""
        told = [f"{FIELDS[p].label} from {show([a, b], FIELDS[p].unit)}" for p, (a, b) in self.moves.items()]
        return "; ".join(told)

    def settings(self) -> dict[str, float]:
        """What to set."""
        return {path: there for path, (_, there) in self.moves.items()}


def joint_flip(claim: Claim, scenario: Scenario) -> Joint | None:
    """The smallest change of several numbers, all by one factor, that flips a verdict; None where there is none.

    The most effective ones, each the way that helps, as far as was published for its kind. Numbers without which it
    flips as well are left where they are. Found by a walk outward from the present values, and verified by
    substitution. Where whole numbers jump, or what helps turns on the way, there may be a smaller one.
    """
    if not claim.checkable or judge(claim, scenario).verdict == NOT_KNOWN:
        return None
    now = holds(claim, scenario)
    ways = [way for way in _ways(claim, scenario) if len(way) > 1]
    found = [joint for way in ways if (joint := _along(claim, scenario, now, way))]
    return min(found, key=lambda joint: (joint.change, len(joint.moves)), default=None)


def _ways(claim: Claim, scenario: Scenario) -> list[dict[str, int]]:
    """Directions to try: with and against the slope of each number that the verdict reads, and of it over a bound."""
    ways = list[dict[str, int]]()
    for slopes in _margins(claim, scenario):
        strongest = sorted(slopes, key=lambda path: -abs(slopes[path]))[:MOST]
        for sign in (1, -1):
            way = {path: sign if slopes[path] > 0 else -sign for path in strongest}
            smooth = {path: there for path, there in way.items() if not FIELDS[path].whole}  # whole ones move in jumps
            ways += [one for one in (way, smooth) if one and one not in ways]
    return ways


def _margins(claim: Claim, scenario: Scenario) -> list[dict[str, float]]:
    """Slopes of each number that the verdict reads, and of its distance from each bound that moves as well."""
    found = [_slopes(name, claim, scenario) for name in dict.fromkeys((*claim.quantity, *claim.expect))]
    for name, bounds in claim.expect.items():
        for bound in dict.fromkeys(one for one in bounds if isinstance(one, str)):
            up, down = _slopes(name, claim, scenario), _slopes(bound, claim, scenario)
            apart = {path: up.get(path, 0.0) - down.get(path, 0.0) for path in {**up, **down}}
            found.append({path: slope for path, slope in apart.items() if abs(slope) > FLAT})
    return found


def _slopes(name: str, claim: Claim, scenario: Scenario) -> dict[str, float]:
    """Percent by which a quantity moves for one percent of each number; whole ones by at least one more."""
    base, found = claim.given[0], dict[str, float]()
    for path in walked(claim, scenario):
        here = float(get(scenario, path))
        if here and not FIELDS[path].unit.startswith("byte"):  # between two precisions there is none
            step = max(0.01, 1 / here) if FIELDS[path].whole else 0.01
            try:
                up, at = (unchecked((name,), scenario, {**base, path: x})[name] for x in (here * (1 + step), here))
                found[path] = math.log(up / at) / step if up > 0 and at > 0 else 0
            except (ArithmeticError, ScenarioError, ValueError, TypeError):
                continue
    return {path: slope for path, slope in found.items() if abs(slope) > FLAT}


def _along(claim: Claim, scenario: Scenario, now: bool, way: Mapping[str, int]) -> Joint | None:
    factor = STEP
    while factor <= REACH:
        if _flipped(claim, scenario, now, moved(scenario, way, factor)):
            return _least(claim, scenario, now, way, factor)
        factor *= STEP
    return None


def moved(scenario: Scenario, way: Mapping[str, int], factor: float) -> dict[str, float]:
    """Every number on its way, by the factor, but not beyond its limit."""
    found = dict[str, float]()
    for path, sign in way.items():
        here, (low, high) = float(get(scenario, path)), limits(path, scenario)
        there = min(max(here * factor**sign, low), high)
        found[path] = float(round(there)) if FIELDS[path].whole else there
    return found


def _flipped(claim: Claim, scenario: Scenario, now: bool, there: Mapping[str, Any]) -> bool:
    try:
        return holds(claim, scenario, there) != now and bool(change(scenario, there))
    except (ArithmeticError, ScenarioError):
        return False


def _least(claim: Claim, scenario: Scenario, now: bool, way: Mapping[str, int], factor: float) -> Joint | None:
    """The border, to a hundredth of a percent; then without each number that the flip does not need."""
    low, high = factor / STEP, factor
    while high / low > 1.0001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if _flipped(claim, scenario, now, moved(scenario, way, middle)) else (middle, high)
    kept = {path: there for path, there in moved(scenario, way, high).items() if there != get(scenario, path)}
    for path in sorted(kept, key=lambda path: -abs(kept[path] / float(get(scenario, path)) - 1)):
        less = {other: there for other, there in kept.items() if other != path}
        if less and _flipped(claim, scenario, now, less):
            kept = less
    return Joint({path: (float(get(scenario, path)), there) for path, there in kept.items()}, not now)


def in_words(joint: Joint | None, claim: Claim) -> str:
    """A joint flip as a reader sees it."""
    if joint is None:
        return "none" if claim.checkable else "–"
    return str(joint)


def told(bars: Sequence[Bar], quantity: str) -> list[dict[str, Any]]:
    """A tornado as rows of a table."""
    unit = unit_of(quantity)
    return [
        {
            "assumption": FIELDS[bar.path].label,
            "range": show([bar.lo, bar.hi], FIELDS[bar.path].unit),
            "result": show(sorted((bar.at_lo, bar.at_hi)), unit),
            "published by": bar.source,
        }
        for bar in bars
    ]
