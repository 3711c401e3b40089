"""Which single assumption flips a verdict, and what a number depends on.

A verdict may flip back again (a stated number is right only in a narrow window), so the search walks outward from the
present value in small steps, to the nearest flip, instead of comparing the two ends.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import attrs

from gpt4lab.claims.audit import holds
from gpt4lab.claims.ledger import Claim
from gpt4lab.quantities import leaves, value
from gpt4lab.scenario import FIELDS, Field, Scenario, ScenarioError, change, get
from gpt4lab.units import show

#: A step of the walk: narrower than the window of +-3% in which a stated number counts as right.
STEP = 1.025
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
        here, there = show(self.here, self.field.unit), show(self.there, self.field.unit)
        once = here.removesuffix(" " + there.partition(" ")[2])
        percent = f" ({100 * self.change:+,.{0 if abs(self.change) >= 0.1 else 1}f}%)" if self.here else ""
        return f"{self.field.label} from {once} to {there}{percent}"


def flips(claim: Claim, scenario: Scenario, most: int | None = None) -> list[Flip]:
    """For each number that the claim depends on, the nearest value that flips it; the smallest change first.

    Empty for a claim that arithmetic does not decide, and for one that no single number within its bounds flips.
    `most`: only the first few.
    """
    found: dict[str, Flip] = {}
    if claim.checkable:
        ways = [(path, limit) for path in upstream(claim) for limit in (FIELDS[path].lo, FIELDS[path].hi)]
        walks = [_walk(claim, scenario, way, order, found) for order, way in enumerate(ways)]
        arrived = (flip for _, _, flip in heapq.merge(*walks) if flip)
        for flip in arrived:
            found.setdefault(flip.field.path, flip)
            if len(found) == most:
                break
    return list(found.values())


def flips_in_words(claim: Claim, scenario: Scenario, most: int) -> str:
    """The nearest changes that flip a claim, as a reader sees them; a dash where arithmetic does not decide."""
    nearest = "; ".join(map(str, flips(claim, scenario, most)))
    return nearest or ("no single number" if claim.checkable else "–")


def upstream(claim: Claim) -> list[str]:
    """The numeric fields that the claim's verdict depends on, apart from those that the claim itself states."""
    bounds = [bound for pair in claim.expect.values() for bound in pair if isinstance(bound, str)]
    given = {path for path in claim.given[0] if all(path in case for case in claim.given)} | {claim.sets}
    paths = leaves((*claim.quantity, *claim.expect, *bounds), tuple(given - {""}))
    return [path for path in paths if path not in given and _numeric(path)]


def _numeric(path: str) -> bool:
    return path in FIELDS and not (FIELDS[path].catalog or FIELDS[path].choices)


def _walk(
    claim: Claim, scenario: Scenario, way: tuple[str, float], order: int, found: Mapping[str, Flip]
) -> Iterator[tuple[float, int, Flip | None]]:
    """The way of one number to one of its limits: how far it is before each step, and the flip at last.

    All ways are walked at once, always the one that has come least far, so that flips arrive nearest first. A way ends
    where the opposite one has arrived.
    """
    path, limit = way
    field, here, now = FIELDS[path], float(get(scenario, path)), holds(claim, scenario)

    def flipped(there: float) -> bool:
        try:
            return holds(claim, scenario, {path: there}) != now
        except (ArithmeticError, ScenarioError):
            return False  # no scenario is so: more experts a token than there are, 120 layers on 14 stages

    def far(there: float) -> float:
        return abs(there - here) / (abs(here) or 1e-99)  # from zero, each step is farther than any from elsewhere

    before = here
    for after in _steps(here, limit, field.whole):
        yield far(before), order, None
        if path in found:
            return
        if flipped(after):
            there = _bisect(flipped, before, after, field.whole)
            if _possible(scenario, path, there):
                yield far(there), order, Flip(field, here, there, not now)
            return
        before = after


def _possible(scenario: Scenario, path: str, there: float) -> bool:
    try:
        return bool(change(scenario, {path: there}))
    except ScenarioError:
        return False


def _steps(here: float, limit: float, whole: bool) -> Iterator[float]:
    """Values from `here` to `limit`, or to the end of `REACH`: 2.5% apart, whole numbers at least 1 apart."""
    if here == 0:
        path = [limit * step / 100 for step in range(1, 101)]
    else:
        factor = STEP if limit > here else 1 / STEP
        steps = math.log(REACH) if limit == 0 else min(abs(math.log(limit / here)), math.log(REACH))
        path = [here * factor**step for step in range(1, int(steps / math.log(STEP)) + 1)]
        path += [limit] if limit == 0 or max(limit / here, here / limit) <= REACH else []
    yield from dict.fromkeys(map(float, map(round, path))) if whole else path


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
