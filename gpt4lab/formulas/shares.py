"""Shares of yes and no: how sure a counted one is, and how one rises with its causes."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, log1p, sqrt

Z = 1.96  # standard deviations: 95% lie within
STEPS = 60
ENOUGH = 1e-9


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The interval of a share that was counted, 95% (Wilson 1927). Raises ValueError unless 0 <= hits <= of, of > 0."""
    if not 0 <= hits <= of or of < 1:
        raise ValueError(f"a share needs 0 to all hits of at least one, not {hits} of {of}")
    share, extra = hits / of, Z * Z / of
    middle, half = share + extra / 2, Z * sqrt(share * (1 - share) / of + extra / (4 * of))
    return max(0.0, (middle - half) / (1 + extra)), min(1.0, (middle + half) / (1 + extra))


def chance(weights: Sequence[float], causes: Sequence[float]) -> float:
    """The logistic share: 1 / (1 + exp(-(w0 + w1 x1 + ...))), without overflow."""
    score = weights[0] + sum(w * x for w, x in zip(weights[1:], causes, strict=True))
    return 1 / (1 + exp(-score)) if score > 0 else 1 - 1 / (1 + exp(score))


def logistic(causes: Sequence[Sequence[float]], hits: Sequence[bool]) -> tuple[float, ...]:
    """The weights (w0, w1, ...) under which these hits are likeliest, by Newton's method.

    causes: of each case. Raises ValueError where there is no such fit: no hit, no miss, or a border between the two.
    """
    if len(causes) != len(hits) or len(set(hits)) < 2:
        raise ValueError("a logistic curve needs hits and misses, and the causes of each")
    rows, weights = [(1.0, *case) for case in causes], [0.0] * (len(causes[0]) + 1)
    for _ in range(STEPS):
        step = _newton(rows, hits, weights)
        weights = [w + s for w, s in zip(weights, step, strict=True)]
        if max(map(abs, step)) < ENOUGH * (1 + max(map(abs, weights))):
            return tuple(weights)
    raise ValueError("no logistic curve: hits and misses are parted by a border")


def standard_errors(causes: Sequence[Sequence[float]], weights: Sequence[float]) -> tuple[float, ...]:
    """How far chance moves each weight of such a curve, as one standard error, if the cases do not hang together."""
    size, rows = len(weights), [(1.0, *case) for case in causes]
    spread = [share * (1 - share) for share in (chance(weights, row[1:]) for row in rows)]
    told = [[sum(v * r[i] * r[j] for v, r in zip(spread, rows, strict=True)) for j in range(size)] for i in range(size)]
    units = ([float(i == one) for i in range(size)] for one in range(size))
    return tuple(
        _solved([[*row, right] for row, right in zip(told, unit, strict=True)])[one] ** 0.5
        for one, unit in enumerate(units)
    )


def bits_lost(shares: Sequence[float], hits: Sequence[bool]) -> float:
    """What the hits cost, in bits, whoever expects them with these chances; infinite where one was excluded."""
    wrong = [1 - share if hit else share for share, hit in zip(shares, hits, strict=True)]
    return -sum(log1p(-miss) for miss in wrong) / log(2) if max(wrong) < 1 else float("inf")


def _newton(rows: Sequence[tuple[float, ...]], hits: Sequence[bool], weights: Sequence[float]) -> list[float]:
    size = len(weights)
    system = [[0.0] * (size + 1) for _ in range(size)]
    for row, hit in zip(rows, hits, strict=True):
        share = chance(weights, row[1:])
        for i in range(size):
            system[i][size] += (hit - share) * row[i]
            for j in range(size):
                system[i][j] += share * (1 - share) * row[i] * row[j]
    return _solved(system)


def _solved(system: list[list[float]]) -> list[float]:
    """Gauss: rows of coefficients, each with its right side last."""
    for i, pivot in enumerate(system):
        if abs(pivot[i]) < 1e-12:
            raise ValueError("no logistic curve: hits and misses are parted by a border")
        for below in system[i + 1 :]:
            by = below[i] / pivot[i]
            below[i:] = [b - by * p for b, p in zip(below[i:], pivot[i:], strict=True)]
    found: list[float] = []
    for i, row in reversed([*enumerate(system)]):
        found.insert(0, (row[-1] - sum(a * x for a, x in zip(row[i + 1 : -1], found, strict=True))) / row[i])
    return found
