"""How well a reader's confidence fits what came out. Pure arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import attrs

Forecast = tuple[float, bool]  # how sure, from 0.5 to 1; whether it came out so

#: What "50%, always" scores.
COIN = 0.25


def brier(forecasts: Sequence[Forecast]) -> float | None:
    """Mean of (p - o)², p how sure and o 1 for what came out so, else 0; None of no forecast.

    0 is perfect, `COIN` is knowing nothing. For one event that comes out or not, it is half of what Brier (1950) sums
    over both outcomes.
    """
    if not forecasts:
        return None
    return sum((sure - out) ** 2 for sure, out in forecasts) / len(forecasts)


@attrs.frozen
class Confidence:
    """All forecasts of one confidence: how many, and how many came out so."""

    sure: float
    count: int
    out: int


def steps(forecasts: Iterable[Forecast]) -> list[Confidence]:
    """Confidence by confidence; calibrated is who is right as often as they are sure."""
    found: dict[float, list[bool]] = defaultdict(list)
    for sure, out in forecasts:
        found[sure].append(out)
    return [Confidence(sure, len(outs), sum(outs)) for sure, outs in sorted(found.items())]
