"""Curves of the scaling laws for charts: models of equal compute, and the best of them with and without answering."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite

from attrs import frozen

from gpt4lab import catalog
from gpt4lab.quantities.topics import scaling
from gpt4lab.scenario import ScenarioError, near


@frozen
class Point:
    """A model on a curve: parameters, training tokens, and the loss that a fit gives it."""

    params: float
    tokens: float
    loss: float


def iso_flop(fit: str, flop: float, params: Sequence[float] = ()) -> tuple[Point, ...]:
    """Models that cost the same compute, by size; without `params` 41 sizes over two decades each way.

    Raises ScenarioError for an unknown fit, or a number that is not positive and finite.
    """
    best = optimum(fit, flop).params
    sizes = tuple(params) or tuple(best * 10 ** (step / 10 - 2) for step in range(41))
    return tuple(_point(fit, _positive("params", N, "param"), scaling.tokens_of(flop, N)) for N in sizes)


def optimum(fit: str, flop: float) -> Point:
    """The model with the least loss for this compute. Raises as `iso_flop`."""
    law, C = _law(fit), _positive("flop", flop, "FLOP")
    exponents = (law["alpha"], law["beta"])
    N = scaling.best_params(C, scaling.balance(*exponents, law["A"], law["B"]), *exponents)
    return _point(fit, N, scaling.tokens_of(C, N))


def lifetime_optimum(fit: str, target: float, served_tokens: float) -> Point:
    """The model that reaches a loss with the least compute, `served_tokens` of answers included.

    Raises ScenarioError as `iso_flop`; also for a loss that no model reaches, and for answers below 0.
    """
    law = _law(fit)
    if not (isfinite(target) and target > law["E"]):
        raise ScenarioError(
            f"target = {target!r} nat/token is not above {law['E']:g}, which {fit} leaves to any model."
        )
    if not 0 <= served_tokens < inf:
        raise ScenarioError(f"served_tokens = {served_tokens!r} is out of range; allowed: 0 tokens and up, finite.")
    D = scaling.lifetime_tokens(target, served_tokens, **{k: v for k, v in law.items() if k != "A"})
    return Point(scaling.params_at_loss(target, D, **law), D, target)


def _point(fit: str, N: float, D: float) -> Point:
    return Point(N, D, scaling.loss(N, D, **_law(fit)))


def _law(fit: str) -> dict[str, float]:
    if fit not in scaling.FITS:
        raise ScenarioError(f"unknown fit {fit!r}{near(fit, scaling.FITS)}")
    constants = catalog.constants[scaling.FITS[fit]]
    return {symbol: getattr(constants, symbol) for symbol in scaling.LAW}


def _positive(name: str, number: float, unit: str) -> float:
    if not 0 < number < inf:
        raise ScenarioError(f"{name} = {number!r} is out of range; allowed: above 0 {unit}, finite.")
    return number
