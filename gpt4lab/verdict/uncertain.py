"""What uncertain assumptions leave of a quantity: the same formulas, asked many times with numbers that were drawn.

With numpy the formulas run on arrays; without it they run one by one, with fewer draws.
"""

from __future__ import annotations

import math
import random
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from statistics import NormalDist
from typing import Any

import attrs

from gpt4lab.quantities import leaves, value
from gpt4lab.scenario import FIELDS, NotKnown, Scenario, ScenarioError, get
from gpt4lab.scenario.published import published
from gpt4lab.verdict.network import numbers

DRAWS, FEW = 100_000, 1_000
#: Where numpy is not there; and for what a model computes, which takes no arrays.
FEWER = "Without numpy these are {few:,} draws instead of {many:,}: the ends of the band shake by a few percent."
NORMAL = NormalDist()


@attrs.frozen
class Spread:
    """One assumption as a distribution: even between lo and hi, on a log axis if `log`; claim: whose rounding it is."""

    path: str
    lo: float
    hi: float
    log: bool
    source: str
    cause: str = ""
    claim: str = ""

    def at(self, share: Any) -> Any:
        """The number below which this share of the draws lies: a number or an array of them."""
        if self.log:
            return self.lo * (self.hi / self.lo) ** share
        return self.lo + (self.hi - self.lo) * share


@attrs.frozen
class Sampled:
    """A quantity under uncertain assumptions: its draws, sorted, and what was drawn for them."""

    quantity: str
    numbers: Sequence[float]
    spreads: tuple[Spread, ...]
    note: str = ""

    def at(self, share: float) -> float:
        """The number below which this share of the draws lies."""
        return float(self.numbers[min(len(self.numbers) - 1, int(share * len(self.numbers)))])

    @property
    def median(self) -> float:
        """Half lie below. The median of a sum is not the sum of medians."""
        return self.at(0.5)

    @property
    def mean(self) -> float:
        """What adds up: the mean of a sum is the sum of the means."""
        return float(sum(self.numbers) / len(self.numbers))

    def band(self, share: float = 0.9) -> tuple[float, float]:
        """The middle share of the draws."""
        return self.at((1 - share) / 2), self.at((1 + share) / 2)

    def below(self, number: float) -> float:
        """The share of the draws below a number."""
        low, high = 0, len(self.numbers)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.numbers[middle] < number else (low, middle)
        return low / len(self.numbers)


@cache
def _declared() -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, float]]:
    told = tomllib.loads(files("gpt4lab.verdict").joinpath("uncertain.toml").read_text("utf-8"))
    return told["field"], told["cause"]


def causes() -> Mapping[str, float]:
    """What moves several assumptions together, and how strongly, from 0 to 1: this book's own judgement."""
    return _declared()[1]


def spreads(scenario: Scenario) -> dict[str, Spread]:
    """Every assumption that is drawn, around the scenario."""
    found = {path: _spread(path, told, scenario) for path, told in _declared()[0].items()}
    return {path: one for path, one in found.items() if one}


def _spread(path: str, told: Mapping[str, str], scenario: Scenario) -> Spread | None:
    if path in scenario.unknown:
        return None
    if told["from"] == "published":
        known = published(path, scenario)
        if known is None or known.lo == known.hi:  # a single one is a number, and no range
            return None
        return Spread(path, known.lo, known.hi, known.lo > 0, known.source, told.get("cause", ""))
    one, here = numbers()[path], float(get(scenario, path))
    if here != FIELDS[path].default:  # a reader's own number, or another model's, is not rounded by the post
        return None
    half = one.spread(scenario) / (1 / math.sqrt(3)) * here
    source = f"{one.claim}, as it is rounded"
    return Spread(path, here - half, here + half, False, source, told.get("cause", ""), one.claim)


def numpy() -> Any:
    """numpy, or None where it is not installed."""
    try:
        import numpy as np
    except ImportError:
        return None
    return np


def drawn(wanted: Sequence[Spread], draws: int, seed: int, np: Any = None) -> dict[str, Any]:
    """Numbers for each assumption: path -> array (a list without numpy). What shares a cause moves together."""
    shares = _arrays(wanted, draws, seed, np) if np else _lists(wanted, draws, seed)
    rounded = np.round if np else lambda numbers: [round(number) for number in numbers]
    found = {one.path: one.at(shares[one.path]) if np else list(map(one.at, shares[one.path])) for one in wanted}
    return {path: rounded(got) if FIELDS[path].whole else got for path, got in found.items()}


def _arrays(wanted: Sequence[Spread], draws: int, seed: int, np: Any) -> dict[str, Any]:
    known, found = np.random.default_rng(seed), dict[str, Any]()
    together = {cause: known.standard_normal(draws) for cause in sorted({one.cause for one in wanted} - {""})}
    cdf = np.vectorize(NORMAL.cdf)
    for one in wanted:
        if one.cause:
            rho = causes()[one.cause]
            own = known.standard_normal(draws)
            found[one.path] = cdf(math.sqrt(rho) * together[one.cause] + math.sqrt(1 - rho) * own)
        else:
            found[one.path] = known.random(draws)
    return found


def _lists(wanted: Sequence[Spread], draws: int, seed: int) -> dict[str, list[float]]:
    known, found = random.Random(seed), dict[str, list[float]]()
    shared = sorted({one.cause for one in wanted} - {""})
    together = {cause: [known.gauss(0, 1) for _ in range(draws)] for cause in shared}
    for one in wanted:
        if one.cause:
            a, b = math.sqrt(rho := causes()[one.cause]), math.sqrt(1 - rho)
            found[one.path] = [NORMAL.cdf(a * g + b * known.gauss(0, 1)) for g in together[one.cause]]
        else:
            found[one.path] = [known.random() for _ in range(draws)]
    return found


def sampled(quantity: str, scenario: Scenario, draws: int = DRAWS, seed: int = 17) -> Sampled:
    """A quantity, with all its uncertain assumptions drawn at once; what cannot go together is left out.

    Raises ScenarioError where nothing it depends on is uncertain, or nothing that was drawn can be.
    """
    below = set(leaves((quantity,)))
    wanted = tuple(one for path, one in spreads(scenario).items() if path in below)
    if not wanted:
        raise ScenarioError(f"Nothing that {quantity} depends on is drawn from a distribution.")
    np = numpy()
    if np:
        given = drawn(wanted, draws, seed, np)
        try:
            got = np.asarray(value(quantity, scenario, given), dtype=float)
            return _sorted(quantity, np.sort(got[np.isfinite(got)]), wanted, "")
        except ScenarioError:
            raise
        except (TypeError, ValueError, AttributeError):  # a model, which takes one scenario at a time
            pass
    few = min(draws, FEW)
    given = drawn(wanted, few, seed)
    each = [_one(quantity, scenario, {path: got[k] for path, got in given.items()}) for k in range(few)]
    note = FEWER.format(few=few, many=draws) if few < draws else ""
    return _sorted(quantity, sorted(one for one in each if one is not None), wanted, note)


def _sorted(quantity: str, got: Sequence[float], wanted: tuple[Spread, ...], note: str) -> Sampled:
    if not len(got):
        raise ScenarioError(f"No draw gives a {quantity}.")
    return Sampled(quantity, got, wanted, note)


def _one(quantity: str, scenario: Scenario, given: Mapping[str, float]) -> float | None:
    try:
        return float(value(quantity, scenario, given))
    except NotKnown:
        raise
    except ScenarioError:
        return None
