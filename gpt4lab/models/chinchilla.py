"""Chinchilla's third approach, done again: L(N, D) = E + A/N^alpha + B/D^beta through the points of the paper's figure.

As Hoffmann 2022 (section 3.3) and Besiroglu 2024 do it: the sum of the Huber loss of log L, from several starts, by
BFGS with the gradient written out. Sizes and tokens are counted from their means, so that the five constants hardly
depend on each other: some fifty steps from any start, ten milliseconds in plain Python; a draw of the bootstrap begins
at the best fit and takes two.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from math import exp, inf, log
from statistics import fmean
from typing import Any, NamedTuple

from gpt4lab import catalog
from gpt4lab.catalog.chinchilla import TrainedPoint, trained_points
from gpt4lab.quantities.topics.scaling import FITS, LAW, balance, best_tokens
from gpt4lab.scenario import NotKnown, ScenarioError
from gpt4lab.scenario.live import LAWS, ORDERS

Vector = list[float]
Objective = Callable[[Sequence[float]], tuple[float, Vector]]

FEWEST = 40  # points that must stay
FAR = 60.0  # no logarithm of a constant is as far from 0; beyond it the search turns back
LEAST, MOST = 0.02, 3.0  # of alpha and beta: a fit that ends beyond has failed
GONE = "The points of Chinchilla's figure are not part of this copy of the book; choose a published law."


class Law(NamedTuple):
    """L(N, D) = E + A/N^alpha + B/D^beta, in nats a token."""

    E: Any
    A: Any
    alpha: Any
    B: Any
    beta: Any


class Fitting(NamedTuple):
    """How the points are fitted: how many are dropped, which first, the border of the Huber loss, which others.

    law: whose fit it is; the first of `LAWS` is ours.
    """

    dropped: Any
    order: str = ORDERS[0]
    delta: Any = 1e-3
    without: str = ""
    law: str = next(iter(LAWS))


class Sizes(NamedTuple):
    """The parameters of a mixture that a token meets, all of them, and which count."""

    counts: str
    active: Any
    all: Any


def counted(sizes: Sizes) -> Any:
    """The size of the dense model that the mixture is taken for."""
    return sizes.active if sizes.counts == "active" else sizes.all


def stretched(flop: Any) -> Any:
    """Compute over that of the largest training behind the points."""
    if not trained_points():
        raise NotKnown(GONE, ["chinchilla.law"])
    return flop / max(point.flop for point in trained_points())


def chosen_law(choice: Fitting) -> Law:
    """The law of that name, fitted anew where it is to be. Arrays of choices give arrays of constants."""
    if name := LAWS[choice.law]:
        constants = catalog.constants[FITS[name]]
        return Law(*(getattr(constants, symbol) for symbol in LAW))
    if not (hasattr(choice.dropped, "ndim") or hasattr(choice.delta, "ndim")):
        return refit(choice)
    import numpy as np

    each = np.broadcast(choice.dropped, choice.delta)
    fitted = [refit(choice._replace(dropped=float(k), delta=float(d))) for k, d in each]
    return Law(*np.array(fitted).T.reshape(5, *each.shape))


def refit(choice: Fitting) -> Law:
    """The law through the points that stay. Raises ScenarioError where too few do, or they leave it open."""
    return _law(_fitted(left_out(choice), choice.delta)[0])


@lru_cache(maxsize=512)
def left_out(choice: Fitting) -> frozenset[int]:
    """The numbers of the points that are dropped, by their rank or by name."""
    first = ranked(choice.order, choice.delta)[: round(choice.dropped)]
    out: set[int] = {point.number for point in first}
    return frozenset(out | {int(number) for number in choice.without.split()})


@lru_cache(maxsize=64)
def ranked(order: str, delta: float) -> tuple[TrainedPoint, ...]:
    """All points, those that are dropped first in front."""
    keys: dict[str, Callable[[TrainedPoint], float]] = {
        ORDERS[0]: lambda point: -point.loss,
        ORDERS[1]: lambda point: point.tokens / point.params,
        ORDERS[2]: lambda point: -abs(misfit(_law(_fitted(frozenset[int](), delta)[0]), point)),
    }
    return tuple(sorted(trained_points(), key=keys[order]))


def misfit(law: Law, point: TrainedPoint) -> float:
    """The logarithm of the loss that the law gives over that of the training."""
    return log((law.E + law.A / point.params**law.alpha + law.B / point.tokens**law.beta) / point.loss)


def bootstrap(choice: Fitting, draws: int, seed: int = 0) -> list[Law]:
    """The laws of so many draws of the points that stay, with replacement: what other luck would have given."""
    out, rng = left_out(choice), random.Random(seed)
    best, bent = _fitted(out, choice.delta)
    kept = [point.number - 1 for point in trained_points() if point.number not in out]
    drawn = [Counter(rng.choices(kept, k=len(kept))) for _ in range(draws)]
    weights = [[counted[at] for at in range(len(trained_points()))] for counted in drawn]
    return [_law(_lowest(_objective(each, choice.delta), best, bent)[1]) for each in weights]


def best_for(law: Law, size: float) -> float:
    """Tokens at which a model of this size is the best use of its compute."""
    return best_tokens(size, balance(law.alpha, law.beta, law.A, law.B), law.alpha, law.beta)


@lru_cache(maxsize=64)
def band(choice: Fitting, size: float, draws: int = 60, seed: int = 0) -> tuple[float, float]:
    """Between which tokens the middle four fifths of the draws have the optimum of a size."""
    found = sorted(best_for(law, size) for law in bootstrap(choice, draws, seed))
    return found[draws // 10], found[-1 - draws // 10]


# --- the fit ----------------------------------------------------------------------------------------------------------
#
# p holds the logarithms of E and of the other two terms at the mean of log N and log D, then alpha and beta.


@cache
def _columns() -> tuple[Vector, Vector, Vector, float, float]:
    """log N and log D from their means, log L, and the means."""
    points = trained_points()
    if not points:
        raise NotKnown(GONE, ["chinchilla.law"])
    N, D, L = ([log(getattr(point, key)) for point in points] for key in ("params", "tokens", "loss"))
    n, d = fmean(N), fmean(D)
    return [x - n for x in N], [x - d for x in D], L, n, d


def _law(p: Sequence[float]) -> Law:
    *_, n, d = _columns()
    e, a, b, alpha, beta = p
    return Law(exp(e), exp(a + alpha * n), alpha, exp(b + beta * d), beta)


#: E, and the other two terms at the means: near and far from where they will be.
STARTS = tuple([log(E), log(rest), log(rest), power, power] for E, rest, power in ((1.6, 0.6, 0.5), (1.9, 0.4, 0.3)))


@lru_cache(maxsize=512)
def _fitted(out: frozenset[int], delta: float) -> tuple[Vector, list[Vector]]:
    """The best of all starts, and the inverse curvature there."""
    weights = [int(point.number not in out) for point in trained_points()]
    if trained_points() and sum(weights) < FEWEST:
        raise ScenarioError(f"{sum(weights)} points stay, and {FEWEST} must: leave fewer of them out.")
    objective = _objective(weights, delta)
    _, best, bent = min((_lowest(objective, start) for start in STARTS), key=lambda found: found[0])
    if not all(LEAST < power < MOST for power in best[3:]):
        raise ScenarioError("The points that stay leave the law open: keep some of other sizes or tokens.")
    return best, bent


def _objective(weights: Sequence[int], delta: float) -> Objective:
    """p -> the weighted mean of the Huber loss of log L, in units of delta, and its gradient."""
    U, V, Y, *_ = _columns()
    rows = [row for row in zip(U, V, Y, weights, strict=True) if row[3]]
    scale = 1 / (delta * sum(weights))

    def objective(p: Sequence[float]) -> tuple[float, Vector]:
        if max(map(abs, p)) > FAR:
            return inf, [0.0] * 5
        e, a, b, alpha, beta = p
        E, total, of_e, of_a, of_b, of_alpha, of_beta = exp(e), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for u, v, y, w in rows:  # a hundred thousand times for one answer
            of_size, of_tokens = exp(a - alpha * u), exp(b - beta * v)
            L = E + of_size + of_tokens
            error = log(L) - y
            held = error if -delta < error < delta else delta if error > 0 else -delta  # the Huber loss, derived
            total += w * held * (error - held / 2)
            pull = w * held / L
            sized, read = pull * of_size, pull * of_tokens
            of_e += pull
            of_a += sized
            of_b += read
            of_alpha -= sized * u
            of_beta -= read * v
        return total * scale, [scale * part for part in (of_e * E, of_a, of_b, of_alpha, of_beta)]

    return objective


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _lowest(objective: Objective, p: Vector, bent: list[Vector] | None = None) -> tuple[float, Vector, list[Vector]]:
    """BFGS: the least value, its place and the inverse curvature there; `bent` is the curvature to begin with."""
    curved = bent or [[float(i == j) for j in range(5)] for i in range(5)]
    value, slope = objective(p)
    for _ in range(300):
        way = [-_dot(row, slope) for row in curved]
        down = _dot(way, slope)
        if down > -1e-16:
            break
        length, there, found, steep = _step(objective, p, way, value, down)
        if not found <= value:
            break
        moved, turned = [length * x for x in way], [b - a for a, b in zip(slope, steep, strict=True)]
        still = value - found < 1e-13 and max(map(abs, moved)) < 1e-9
        p, value, slope = there, found, steep
        if still:
            break
        curved = _bent(curved, moved, turned)
    return value, p, curved


def _step(
    objective: Objective, p: Vector, way: Vector, value: float, down: float
) -> tuple[float, Vector, float, Vector]:
    """A length that goes down far enough and not too short (Wolfe's conditions), by halving and doubling."""
    length, low, high = 1.0, 0.0, inf
    for _ in range(40):
        there = [x + length * y for x, y in zip(p, way, strict=True)]
        found, steep = objective(there)
        if not found <= value + 1e-4 * length * down:
            high = length
        elif _dot(way, steep) < 0.9 * down:
            low = length
        else:
            break
        length = (low + high) / 2 if high < inf else 2 * low
    return length, there, found, steep  # pyright: ignore[reportPossiblyUnboundVariable]


def _bent(H: list[Vector], moved: Vector, turned: Vector) -> list[Vector]:
    """The inverse curvature after a step, with what the gradient's turn tells of it."""
    along = _dot(moved, turned)
    if along <= 0:
        return H
    across = [_dot(row, turned) for row in H]
    more = (1 + _dot(turned, across) / along) / along
    return [
        [H[i][j] + more * moved[i] * moved[j] - (across[i] * moved[j] + moved[i] * across[j]) / along for j in range(5)]
        for i in range(5)
    ]
