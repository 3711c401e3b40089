"""Which single assumption flips a verdict, and what a number depends on.

A verdict may flip back again (a stated number is right only in a narrow window), so the search walks outward from the
present value in small steps, to the nearest flip, instead of comparing the two ends. Where it is known what was
published for the same kind of thing, it looks no further: a number beyond that is no explanation. Behind a whole number
there may be a floor (GPUs beyond whole copies are idle), and verdicts that change with every next one: all next ones
are tried.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache

import attrs

from gpt4lab.claims.audit import holds, judge
from gpt4lab.claims.ledger import HELPED, NOT_KNOWN, Claim
from gpt4lab.quantities import leaves, value
from gpt4lab.scenario import FIELDS, Field, Scenario, ScenarioError, change, get
from gpt4lab.scenario.published import published
from gpt4lab.scenario.rules import SCENARIO_RULES
from gpt4lab.units import show

#: A step of the walk: narrower than the window of +-3% in which a stated number counts as right.
STEP = 1.025
#: Whole numbers next to the present one that are tried each: more than a copy of the post's model has GPUs.
EACH = 128
#: How far the walk goes: no assumption is off by more.
REACH = 1e3


@attrs.frozen
class Flip:
    """The nearest value of one field at which a claim begins or ceases to hold."""

    field: Field
    here: float
    there: float
    holds: bool  # whether it holds beyond

    @property
    def change(self) -> float:
        """Relative change that it takes: 0.05 for 5% more."""
        return (self.there - self.here) / abs(self.here) if self.here else math.inf

    def __str__(self) -> str:
        """For example "GPUs from 25,000 to 26,250 GPUs (+5.0%)"."""
        both = show([self.here, self.there], self.field.unit)
        percent = f" ({100 * self.change:+,.{0 if abs(self.change) >= 0.1 else 1}f}%)" if self.here else ""
        return f"{self.field.label} from {both}{percent}"


def flips(claim: Claim, scenario: Scenario, most: int | None = None) -> list[Flip]:
    """For each number that the claim depends on, the nearest value that flips it; the smallest change first.

    Empty for a claim that arithmetic does not decide, that needs what the scenario does not know, or that no single
    number within its bounds, and within what was published for its kind, flips.
    `most`: only the first few.
    """
    found: dict[str, Flip] = {}
    known = claim.checkable and judge(claim, scenario).verdict != NOT_KNOWN
    for flip in _arrived(claim, scenario, found) if known else ():
        found.setdefault(flip.field.path, flip)
        if len(found) == most:
            break
    return list(found.values())


def _arrived(claim: Claim, scenario: Scenario, found: Mapping[str, Flip]) -> Iterator[Flip]:
    """All flips, nearest first: every number is walked to both its limits at once, always the way that is shortest."""
    now = holds(claim, scenario)
    ways = [(FIELDS[path], limit) for path in walked(claim, scenario) for limit in limits(path, scenario)]
    walks = [_Way(claim, scenario, now, *way, order).walk(found) for order, way in enumerate(ways)]
    return (flip for _, _, flip in heapq.merge(*walks) if flip)


def walked(claim: Claim, scenario: Scenario) -> list[str]:
    """The numbers that are moved: all that the verdict depends on, but not those by whose assumption it holds."""
    assumed = set(claim.assume) if judge(claim, scenario).verdict == HELPED else set[str]()
    return [path for path in upstream(claim) if path not in assumed]


def limits(path: str, scenario: Scenario) -> tuple[float, float]:
    """How far a number may be walked each way: to its bounds, or to the ends of what was published, if it is inside."""
    field, known = FIELDS[path], published(path, scenario)
    if known is None:
        return field.lo, field.hi
    here = float(get(scenario, path))
    return max(field.lo, min(known.lo, here)), min(field.hi, max(known.hi, here))


def flips_in_words(claim: Claim, scenario: Scenario, most: int) -> str:
    """The nearest changes that flip a claim, as a reader sees them; a dash where arithmetic does not decide."""
    nearest = "; ".join(map(str, flips(claim, scenario, most)))
    return nearest or ("no single number" if claim.checkable else "–")


@cache
def pinned(claim: Claim) -> tuple[str, ...]:
    """What would move the verdict if the claim's own sentence did not state it: all numbers behind what it gives.

    Its sliders leave the verdict as it is; `upstream` are those that are left. Empty for a claim that gives nothing.
    """
    free, left = attrs.evolve(claim, given=({},), sets=""), upstream(claim)
    return tuple(path for path in upstream(free) if path not in left) if claim.checkable else ()


@cache
def upstream(claim: Claim) -> tuple[str, ...]:
    """The numeric fields that the claim's verdict depends on, apart from those that the claim itself states."""
    bounds = [bound for pair in claim.expect.values() for bound in pair if isinstance(bound, str)]
    given = {path for path in claim.given[0] if all(path in case for case in claim.given)} | {claim.sets}
    paths = leaves((*claim.quantity, *claim.expect, *bounds), tuple(given - {""}))
    return tuple(path for path in paths if path not in given and _numeric(path))


def _numeric(path: str) -> bool:
    """Whether it is an amount: no word, and nothing that a network has or has not."""
    return path in FIELDS and not (FIELDS[path].catalog or FIELDS[path].choices or FIELDS[path].feature)


@attrs.frozen
class _Way:
    """The way of one number to one of its limits; `now`: whether the claim holds where it begins."""

    claim: Claim
    scenario: Scenario
    now: bool
    field: Field
    limit: float
    order: int

    def walk(self, found: Mapping[str, Flip]) -> Iterator[tuple[float, int, Flip | None]]:
        """How far it is before each step, and the flip at last. It ends where the opposite way has arrived."""
        before = here = float(get(self.scenario, self.field.path))
        for after in _steps(here, self.limit, self.field.whole):
            yield _far(here, before), self.order, None
            if self.field.path in found:
                return
            if self.flipped(after):
                there = _bisect(self.flipped, before, after, self.field.whole)
                yield _far(here, there), self.order, Flip(self.field, here, there, not self.now)
                return
            before = after

    def flipped(self, there: float) -> bool:
        """Whether the verdict is another one. What no scenario can be flips nothing: more experts than there are."""
        settings = {self.field.path: there}
        try:
            if holds(self.claim, self.scenario, settings) == self.now:
                return False
            return not _bound(self.field.path) or bool(change(self.scenario, settings))
        except (ArithmeticError, ScenarioError):
            return False


@cache
def _bound(path: str) -> bool:
    """Whether anything but its own bounds, within which it is walked, says what this number can be."""
    return path.startswith("model.") or any(path in held.paths for held in SCENARIO_RULES)


def _far(here: float, there: float) -> float:
    return abs(there - here) / (abs(here) or 1e-99)  # from zero, each step is farther than any from elsewhere


def _steps(here: float, limit: float, whole: bool) -> Iterator[float]:
    """Values from `here` to `limit`, or to the end of `REACH`: of whole numbers the next `EACH`, then 2.5% apart."""
    apart = _apart(here, limit)
    if not whole:
        return iter(apart)
    way = 1 if limit > here else -1
    last = int(here) + way * min(EACH, int(abs(limit - here)))
    far = (round(there) for there in apart if abs(round(there) - here) > EACH)
    return map(float, dict.fromkeys((*range(int(here) + way, last + way, way), *far)))


def _apart(here: float, limit: float) -> list[float]:
    """Values from `here` to `limit`, or to the end of `REACH`, 2.5% apart; from zero, a hundredth of the way."""
    if here == 0:
        return [limit * step / 100 for step in range(1, 101)]
    factor = STEP if limit > here else 1 / STEP
    steps = math.log(REACH) if limit == 0 else min(abs(math.log(limit / here)), math.log(REACH))
    path = [here * factor**step for step in range(1, int(steps / math.log(STEP)) + 1)]
    return path + ([limit] if limit == 0 or max(limit / here, here / limit) <= REACH else [])


def _bisect(flipped: Callable[[float], bool], before: float, after: float, whole: bool) -> float:
    """The border between `before`, not flipped, and `after`, flipped, on the flipped side."""
    for _ in range(60):
        middle = float(round((before + after) / 2)) if whole else (before + after) / 2
        if middle in (before, after) or math.isclose(before, after, rel_tol=1e-9):
            break
        before, after = (before, middle) if flipped(middle) else (middle, after)
    return after


def elasticities(quantity: str, scenario: Scenario, step: float = 1e-3) -> dict[str, float]:
    """Percent by which a quantity changes for one percent of each number behind it, the strongest first.

    Whole numbers are moved as if they were not. Left out: inputs that are zero, and those at which the quantity jumps.
    """
    now, found = value(quantity, scenario), dict[str, float]()
    for path in filter(_numeric, leaves((quantity,))):
        with suppress(ScenarioError):  # what only whole numbers can be, a model refuses in between
            here = get(scenario, path)
            if here and now:
                down, up = (value(quantity, scenario, {path: here * (1 + by)}) / now - 1 for by in (-step, step))
                if abs(up + down) <= 0.1 * abs(up - down) + 1e-9:
                    found[path] = (up - down) / (2 * step)
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))
