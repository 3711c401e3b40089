"""The band of a quantity: where eight in ten draws of its uncertain assumptions lie, at one place or along an input.

The same draws and formulas as in `uncertain.py`. What a reader has set is theirs, and is not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from time import perf_counter
from typing import Any

import attrs

from gpt4lab.quantities import leaves, value
from gpt4lab.scenario import NotKnown, Scenario, ScenarioError, get, load_scenario
from gpt4lab.verdict.uncertain import Spread, drawn, numpy, spreads

#: Draws at each place; where formulas take no arrays, how often they are asked at most, and at some so many places.
DRAWS, MOST, PLACES = 400, 1_200, 20
#: So long may these take, of which the quickest of some tries tells; and fewer draws than these make no band.
SECONDS, TRIES, FEWEST = 0.3, 3, 25
SEED = 17
SHARES = (0.1, 0.9)
Ends = tuple[float, float] | None


@attrs.frozen
class Leeway:
    """The ends at each place, None where no draw can be; what was drawn, and how often at each place."""

    at: Sequence[float]
    ends: Sequence[Ends]
    spreads: tuple[Spread, ...]
    draws: int


def wanted(quantity: str, scenario: Scenario, along: str = "", start: str = "leak") -> tuple[Spread, ...]:
    """What is drawn for a quantity: all that is uncertain below it, but what a line runs along, and what was moved."""
    below, begun = set(leaves((quantity,), (along,) if along else ())) - {along}, load_scenario(start)
    found = spreads(scenario).items()
    return tuple(one for path, one in found if path in below and get(scenario, path) == get(begun, path))


def band(quantity: str, scenario: Scenario, along: str = "", at: Sequence[float] = (), start: str = "leak") -> Leeway:
    """The band of a quantity where the scenario stands, or along one of its inputs.

    Raises NotKnown where the scenario does not know what the quantity needs.
    """
    drawn_of = wanted(quantity, scenario, along, start)
    if not drawn_of:
        return Leeway(at, [None] * max(1, len(at)), (), 0)
    np = numpy()
    found = np and _on_arrays(quantity, scenario, along, at, drawn_of, np)
    if found is not None:
        return Leeway(at, found, drawn_of, DRAWS)
    apart = math.ceil(len(at) / PLACES) or 1
    each = [{along: there} for there in at[::apart]] or [{}]
    draws = _affordable(quantity, scenario, each, drawn_of)
    ends = _one_by_one(quantity, scenario, each, drawn_of, draws)
    if apart > 1:
        ends = between(ends, [_known(quantity, scenario, {along: there}) for there in at], apart)
    return Leeway(at, ends, drawn_of, draws)


@lru_cache(maxsize=32)
def _drawn(spreads_: tuple[Spread, ...], draws: int, arrays: bool) -> Mapping[str, Any]:
    return drawn(spreads_, draws, SEED, numpy() if arrays else None)


def _on_arrays(
    quantity: str, scenario: Scenario, along: str, at: Sequence[float], of: tuple[Spread, ...], np: Any
) -> list[Ends] | None:
    """All places and draws at once; None where a formula takes one scenario at a time."""
    given: dict[str, Any] = dict(_drawn(of, DRAWS, True))
    if at:
        given[along] = np.asarray(at, dtype=float)[:, None]
    try:
        got = np.asarray(value(quantity, scenario, given), dtype=float)
    except ScenarioError:
        raise
    except (TypeError, ValueError, AttributeError):
        return None
    rows = np.broadcast_to(got, (max(1, len(at)), DRAWS))
    return [_ends(sorted(row[np.isfinite(row)].tolist())) for row in rows]


Places = Sequence[Mapping[str, float]]


def _affordable(quantity: str, scenario: Scenario, each: Places, of: tuple[Spread, ...]) -> int:
    """How many draws at each place are made in time: what is wanted, or a half or a quarter of that ...; 0 for none."""
    took = list[float]()
    for given in _given(of, TRIES):
        begun = perf_counter()
        _known(quantity, scenario, {**given, **each[-1]})
        took.append(perf_counter() - begun)
    draws = min(DRAWS, MOST // len(each))
    while draws >= FEWEST and draws * len(each) * min(took) > SECONDS:
        draws //= 2
    return draws if draws >= FEWEST else 0


def _one_by_one(quantity: str, scenario: Scenario, each: Places, of: tuple[Spread, ...], draws: int) -> list[Ends]:
    made = _given(of, draws)
    return [_ends(sorted(_known(quantity, scenario, {**given, **place}) for given in made)) for place in each]


def between(ends: Sequence[Ends], line: Sequence[float], apart: int) -> list[Ends]:
    """The ends all along a line, drawn at places so far apart: elsewhere the line times what they are of it nearby.

    Straight from place to place they would leave a line that bends. None where that cannot be said.
    """
    shares = [_shares(one, line[k * apart]) for k, one in enumerate(ends)]
    found = list[Ends]()
    for k, here in enumerate(line):
        left, part = divmod(k, apart)
        one, other = shares[left], shares[min(left + (part > 0), len(shares) - 1)]
        if not part or not one or not other or not 0 < here < math.inf:
            found.append(None if part else ends[left])
        else:
            low, high = (here * (a + (b - a) * part / apart) for a, b in zip(one, other, strict=True))
            found.append((low, high))
    return found


def _shares(ends: Ends, here: float) -> Ends:
    return (ends[0] / here, ends[1] / here) if ends and 0 < here < math.inf else None


def _given(of: tuple[Spread, ...], draws: int) -> list[dict[str, float]]:
    """What is set for each draw."""
    lists = _drawn(of, draws, False)
    return [{path: numbers[k] for path, numbers in lists.items()} for k in range(draws)]


def _known(quantity: str, scenario: Scenario, given: Mapping[str, Any]) -> float:
    """The value; without end where these draws cannot go together."""
    try:
        return float(value(quantity, scenario, given))
    except NotKnown:
        raise
    except (ScenarioError, ArithmeticError):
        return math.inf


def _ends(numbers: list[float]) -> Ends:
    finite = [number for number in numbers if math.isfinite(number)]
    if not finite:
        return None
    low, high = (finite[min(len(finite) - 1, int(share * len(finite)))] for share in SHARES)
    return low, high
