"""The adjustment: values that obey all equations and depart least from what is written, each by its own fineness.

Least squares in log space under constraints, as physical constants and the flows of a plant are adjusted. It asks
whether the numbers fit each other, never whether they are true: a consistent invention passes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import attrs

from gpt4lab.scenario import Scenario, ScenarioError
from gpt4lab.units import show
from gpt4lab.verdict.linear import Singular, solve
from gpt4lab.verdict.network import COUNTED, FREE, GPT3, PINNED, Bond, Node, equations, logs, numbers, slopes

ROUNDS = 30
#: A number that the others check by less than this share of its own variance has no pull.
UNCHECKED = 1e-6
#: How loosely an open number is held where it stands, and how much an equation may give that repeats others.
EASE = 1e-7
#: When Newton's steps are at an end, and from which variance on nothing determines a number.
CLOSE, OPEN = 1e-12, 1e3
#: An equation that is missed by more, as a difference of logarithms, does not hold.
BROKEN = 1e-6
#: How a number counts that nobody states: as likely anywhere that was published for its kind.
AS_PUBLISHED = "as published"

Covariance = Mapping[tuple[str, str], float]


@attrs.frozen
class Adjusted:
    """One number after the adjustment.

    stated, value: before and after, in its unit. mode: counted, pinned or free. spread: relative standard deviation
    after it; None where nothing determines it. pull: the shift in units of its own standard deviation, which is normal
    of width 1 where all is well; None where nothing checks it.
    """

    number: Node
    mode: str
    stated: float
    value: float
    spread: float | None
    pull: float | None

    @property
    def shift(self) -> float:
        """Relative change."""
        return self.value / self.stated - 1

    @property
    def known(self) -> bool:
        """Whether anything determines it: what is written, what is pinned, or the others."""
        return self.spread is not None

    def __str__(self) -> str:
        after = show(self.value, self.number.unit) if self.known else "bound by nothing"
        words = f"{self.number.label}: {show(self.stated, self.number.unit)} to {after}"
        if not self.number.claim:
            words = f"{self.number.label}: {after}"
        return words if self.pull is None else f"{words}, pull {self.pull:+.1f}"


@attrs.frozen
class Adjustment:
    """All numbers, and how well they fit. freedom: equations that check something. chi2: sum of squares.

    broken: title of an equation that pinned numbers do not let hold -> ln(made / result), as it is left.
    """

    rows: Mapping[str, Adjusted]
    misfit: Mapping[str, float]  # title of an equation -> ln(made / stated) before the adjustment, in its own spreads
    freedom: int
    chi2: float
    covariance: Covariance
    broken: Mapping[str, float]

    @property
    def chance(self) -> float:
        """Chance of a chi-square at least so large, if each digit were rounded at random and nothing else were off."""
        return 0.0 if self.broken else chi2_above(self.chi2, self.freedom)

    @property
    def worst(self) -> Adjusted:
        """The number that is pulled most."""
        return max(self.rows.values(), key=lambda row: abs(row.pull or 0))

    @property
    def strain(self) -> float:
        """The largest pull, without its sign."""
        return abs(self.worst.pull or 0)

    @property
    def rent(self) -> float:
        """Of an A100 for an hour."""
        return self.rows["cluster.usd_per_gpu_hour"].value

    @property
    def days(self) -> float:
        """Of the first run."""
        return self.rows["cluster.days"].value

    @property
    def newer_mfu(self) -> float:
        """Of the second run."""
        return self.rows["rerun.mfu"].value

    @property
    def width(self) -> float:
        """Of the model."""
        return self.rows["model.d_model"].value


def chi2_above(chi2: float, freedom: int) -> float:
    """P(chi-square of so many degrees of freedom > chi2), by the series of the incomplete gamma function."""
    if freedom == 0:
        return 1.0
    half, s = chi2 / 2, freedom / 2
    if half > s + 30 + 12 * math.sqrt(s):
        return 0.0
    term = total = 1 / s
    k = s
    while term > total * 1e-16:
        k += 1
        term *= half / k
        total += term
    return max(0.0, 1 - total * math.exp(-half + s * math.log(half) - math.lgamma(s)) if half else 1.0)


def modes(scenario: Scenario) -> dict[str, str]:
    """How each number counts: as the file has it, unless the reader has said otherwise."""
    told = scenario.adjust
    paths = list(numbers())
    found = {path: one.at_first for path, one in numbers().items()}
    for words, mode in ((told.counted, COUNTED), (told.freed, FREE), (told.pinned, PINNED)):
        found |= {paths[int(word) - 1]: mode for word in words.split()}
    return found


def adjustment(scenario: Scenario) -> Adjustment:
    """The network of a scenario, adjusted as its reader wishes. Raises ScenarioError where that cannot be."""
    return _adjustment(scenario)


@lru_cache(maxsize=64)
def _adjustment(scenario: Scenario) -> Adjustment:
    told = scenario.adjust
    weight = dict.fromkeys(numbers(), 1.0)
    paths = list(numbers())
    weight |= {paths[int(word) - 1]: told.weight for word in told.weighed.split()}
    return adjust(scenario, equations(told.block == GPT3), modes(scenario), weight)


def adjust(
    scenario: Scenario, bound: Iterable[Bond], mode: Mapping[str, str], weight: Mapping[str, float]
) -> Adjustment:
    """The adjustment by some of the equations, each number counting by its mode and weight."""
    stated = logs(scenario, mode)
    mode = {path: _mode(path, mode[path], scenario) for path in mode}
    spread = {path: numbers()[path].spread(scenario) / weight[path] or 1.0 for path in mode}
    told = tuple(bound)
    bound = tuple(one for one in told if any(mode[path] != PINNED for path in one.members()))
    x, cov = least_squares(stated, spread, mode, bound, scenario)
    left = {one.title: one.residual(x, scenario) for one in told if set(one.members()) <= set(mode)}
    broken = {title: by for title, by in left.items() if abs(by) > BROKEN}
    return attrs.evolve(_told(scenario, bound, mode, spread, stated, x, cov), broken=broken)


def least_squares(
    stated: Mapping[str, float],
    spread: Mapping[str, float],
    mode: Mapping[str, str],
    bound: Sequence[Bond],
    scenario: Scenario,
) -> tuple[dict[str, float], Covariance]:
    """ln of the adjusted values, and their covariance: Newton's method on the equations of Lagrange.

    stated, spread: ln of each number and its standard deviation. Raises ScenarioError where nothing near obeys `bound`.
    """
    moved, x = [path for path in mode if mode[path] != PINNED], dict(stated)
    counted = [mode[path] == COUNTED for path in moved]
    for _ in range(ROUNDS):
        left = [one.residual(x, scenario) for one in bound]
        if not all(map(math.isfinite, left)):
            raise ScenarioError("No values near these obey the equations: set one of the pinned numbers free.")
        aim = [[(stated[p] - x[p]) / spread[p] * own] for p, own in zip(moved, counted, strict=True)]
        step = _kkt(_scaled(bound, x, moved, spread, scenario), counted, [*aim, *([-one] for one in left)])
        by = [size * spread[path] for path, (size,) in zip(moved, step, strict=False)]
        x |= {path: x[path] + one for path, one in zip(moved, by, strict=True)}
        if max(map(abs, by), default=0) < CLOSE:
            break
    return x, _covariance(_scaled(bound, x, moved, spread, scenario), counted, moved, spread)


def _covariance(
    rows: list[list[float]], counted: list[bool], moved: list[str], spread: Mapping[str, float]
) -> Covariance:
    """The upper left part of the inverse of the equations of Lagrange."""
    unit = [[float(i == j) for j in range(len(moved))] for i in range(len(moved))]
    block = _kkt(rows, counted, [*unit, *([0.0] * len(moved) for _ in rows)]) if moved else []
    return {(a, b): block[i][j] * spread[a] * spread[b] for i, a in enumerate(moved) for j, b in enumerate(moved)}


def _mode(path: str, mode: str, scenario: Scenario) -> str:
    """A number that is counted with no spread is a count, and stands; one that nobody states and bounds is free."""
    if mode == COUNTED and not numbers()[path].spread(scenario):
        return PINNED if numbers()[path].claim else FREE
    return mode


def _scaled(
    bound: Sequence[Bond], x: Mapping[str, float], moved: list[str], spread: Mapping[str, float], s: Scenario
) -> list[list[float]]:
    columns = list(x)
    at = [columns.index(path) for path in moved]
    return [[row[k] * spread[path] for k, path in zip(at, moved, strict=True)] for row in slopes(bound, x, s)]


def _kkt(rows: list[list[float]], counted: list[bool], right: list[list[float]]) -> list[list[float]]:
    """Solve [[W, A'], [A, 0]] z = right, W one for what is counted; what is left open stays where it is."""
    n, m = len(counted), len(rows)
    left = [[float(i == j) * counted[i] for j in range(n)] + [rows[k][i] for k in range(m)] for i in range(n)]
    left += [[*row, *([0.0] * m)] for row in rows]
    for open_numbers, repeated in ((0.0, 0.0), (EASE, 0.0)):
        with suppress(Singular):
            return solve(_eased(left, counted, open_numbers, repeated), right)
    return solve(_eased(left, counted, EASE, EASE), right)


def _eased(left: list[list[float]], counted: list[bool], open_numbers: float, repeated: float) -> list[list[float]]:
    """The same, with numbers that none determines held where they stand, and equations that repeat others."""
    by = [open_numbers * (not own) for own in counted] + [-repeated] * (len(left) - len(counted))
    return [[*row[:k], row[k] + by[k], *row[k + 1 :]] for k, row in enumerate(left)]


def _told(
    scenario: Scenario,
    bound: tuple[Bond, ...],
    mode: Mapping[str, str],
    spread: Mapping[str, float],
    stated: Mapping[str, float],
    x: Mapping[str, float],
    cov: Covariance,
) -> Adjustment:
    counted = [path for path in mode if mode[path] == COUNTED]
    chi2 = sum(((x[path] - stated[path]) / spread[path]) ** 2 for path in counted)
    kept = sum(1 - cov[path, path] / spread[path] ** 2 for path in counted)
    here = {path: numbers()[path].value(scenario) for path in mode}
    adjusted = {path: _row(path, mode[path], here[path], x[path] - stated[path], spread[path], cov) for path in mode}
    return Adjustment(adjusted, _misfit(scenario, bound, mode, spread), round(kept), chi2, cov, {})


def _row(path: str, mode: str, stated: float, shift: float, spread: float, cov: Covariance) -> Adjusted:
    variance = max(0.0, cov.get((path, path), 0.0))
    checked = spread**2 - variance
    has_pull = mode == COUNTED and checked > UNCHECKED * spread**2
    pull = shift / math.sqrt(checked) if has_pull else None
    known = None if mode == FREE and variance > OPEN else math.sqrt(variance)
    return Adjusted(numbers()[path], mode, stated, stated * math.exp(shift), known, pull)


def _misfit(
    scenario: Scenario, bound: tuple[Bond, ...], mode: Mapping[str, str], spread: Mapping[str, float]
) -> dict[str, float]:
    """Of each equation without an open number, by how many of its own standard deviations the stated ones miss it."""
    x, found = logs(scenario, mode), dict[str, float]()
    for one in bound:
        if all(mode[path] != FREE for path in one.members()):
            loose = sum((spread[p] * by) ** 2 for p, by in one.slopes(x, scenario).items() if mode[p] == COUNTED)
            found[one.title] = one.residual(x, scenario) / math.sqrt(loose)
    return found


def deciding(found: Adjustment) -> list[tuple[Node, float]]:
    """Which one number to measure: the share of all variance that its exact value would take away, the largest first.

    Of numbers as they depend on each other here, so whatever would be found: the shrinking does not depend on it.
    """
    known = [path for path, row in found.rows.items() if row.spread]
    total = sum(found.covariance[p, p] for p in known)
    gains = {p: sum(found.covariance[p, q] ** 2 for q in known) / found.covariance[p, p] for p in known}
    return [(numbers()[p], gain / total) for p, gain in sorted(gains.items(), key=lambda item: -item[1])]


def told(found: Adjustment) -> list[dict[str, Any]]:
    """The numbers as rows of a table; of one that nobody states there is no shift, and no value if nothing binds it."""
    return [
        {
            "number": row.number.label,
            "claim": row.number.claim or "nobody",
            "counts": AS_PUBLISHED if row.mode == COUNTED and not row.number.claim else row.mode,
            "stated": show(row.stated, row.number.unit) if row.number.claim else "–",
            "adjusted": show(row.value, row.number.unit) if row.known else "bound by nothing",
            "shift": f"{row.shift:+.1%}" if row.number.claim else "–",
            "pull": "–" if row.pull is None else f"{row.pull:+.1f}",
        }
        for row in found.rows.values()
    ]
