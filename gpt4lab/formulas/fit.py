"""Straight lines through measured points: many laws of this book are straight on the right axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

ROUNDING = 1e-9  # values that differ by less than this share of the largest do not differ


class Line(NamedTuple):
    """y = slope x + intercept, and the share of y's variance that it explains (0 where y does not vary)."""

    slope: float
    intercept: float
    r_squared: float


def line(x: Sequence[float], y: Sequence[float], weights: Sequence[float] | None = None) -> Line:
    """Least squares; `weights` count the squared distances, all alike if not given.

    Raises ValueError unless there are as many y and weights as x, all finite, the weights positive, and x varies.
    """
    w = [1.0] * len(x) if weights is None else list(weights)
    _check(x, y, w)
    mean_x, mean_y = _mean(x, w), _mean(y, w)
    dx, dy = [a - mean_x for a in x], [b - mean_y for b in y]
    slope = _mean([a * b for a, b in zip(dx, dy, strict=True)], w) / _mean([a * a for a in dx], w)
    total = _mean([b * b for b in dy], w)
    left = _mean([(b - slope * a) ** 2 for a, b in zip(dx, dy, strict=True)], w)
    return Line(slope, mean_y - slope * mean_x, 1 - left / total if differ(y) else 0.0)


def differ(values: Sequence[float]) -> bool:
    """Whether some of the values differ by more than rounding can make them."""
    return bool(values) and max(values) - min(values) > ROUNDING * max(map(abs, values))


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)


def _check(x: Sequence[float], y: Sequence[float], w: Sequence[float]) -> None:
    if not len(x) == len(y) == len(w):
        raise ValueError(f"a line needs as many y and weights as x, not {len(x)}, {len(y)} and {len(w)}")
    if not all(isfinite(value) for value in (*x, *y, *w)):
        raise ValueError("a line needs finite numbers")
    if min(w, default=0) <= 0 or not differ(x):
        raise ValueError(f"a line needs positive weights and two different x, not x = {list(x)}")
