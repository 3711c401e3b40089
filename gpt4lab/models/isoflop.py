"""Chinchilla's second approach on a law that is known: what a parabola through each budget's losses makes of it.

Without noise, and with the true optimum at hand, all that it is off by is the method's own (Czech 2026): a valley of
two powers is no parabola, and sizes around a wrong middle see one side of it only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log
from typing import Any, NamedTuple

from gpt4lab.formulas.arith import Num
from gpt4lab.formulas.arith import exp as e_to
from gpt4lab.formulas.arith import log as ln
from gpt4lab.quantities.topics.scaling import balance, best_params, loss, tokens_of

#: FLOP of the nine budgets of Hoffmann 2022's second approach.
BUDGETS = (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21)
STEPS = tuple(step / 4 for step in range(-4, 5))  # nine sizes, evenly apart in the logarithm, from -1 to 1


class Surface(NamedTuple):
    """A law of loss without its floor, which moves no optimum."""

    A: Num
    alpha: Num
    B: Num
    beta: Num


class Grid(NamedTuple):
    """Which sizes a budget is tried at.

    span: the largest over the smallest. aim: their middle over the best size, at the largest budget; at the smallest it
    is 1, and between them it grows by a power.
    """

    span: Num
    aim: Num


class Valleys(NamedTuple):
    """What the parabolas say: the power of C with which the best size grows, and the best size at one compute."""

    exponent: Any
    params: Any


def parabolas(surface: Surface, grid: Grid, flop: Num) -> Valleys:
    """The power law through the bottoms of all budgets, at so many FLOP."""
    bottoms = [ln(bottom(surface, grid, C)) for C in BUDGETS]
    x = [log(C) for C in BUDGETS]
    x_mean, y_mean = sum(x) / len(x), sum(bottoms) / len(x)
    spread = sum((each - x_mean) ** 2 for each in x)
    power = sum((each - x_mean) * y for each, y in zip(x, bottoms, strict=True)) / spread
    return Valleys(power, e_to(y_mean + power * (ln(flop) - x_mean)))


def bottom(surface: Surface, grid: Grid, C: float) -> Num:
    """The size where the parabola of one budget is lowest."""
    sizes = tried(surface, grid, C)
    _, slope, bend = parabola([loss_there(surface, N, C) for N in sizes])
    return sizes[len(STEPS) // 2] * grid.span ** (-slope / bend / 4)


def parabola(y: Sequence[Num]) -> tuple[Num, Num, Num]:
    """Height in the middle, slope and bend of the parabola through nine losses, the sizes going from -1 to 1."""
    flat = sum(x * x for x in STEPS) / len(STEPS)
    slope = sum(x * there for x, there in zip(STEPS, y, strict=True)) / sum(x * x for x in STEPS)
    bent = sum((x * x - flat) * there for x, there in zip(STEPS, y, strict=True))
    bend = bent / sum((x * x - flat) ** 2 for x in STEPS)
    return sum(y) / len(y) - bend * flat, slope, bend


def tried(surface: Surface, grid: Grid, C: float) -> list[Num]:
    """The sizes of one budget."""
    A, alpha, B, beta = surface
    best = best_params(C, balance(alpha, beta, A, B), alpha, beta)
    middle = best * grid.aim ** (log(C / BUDGETS[0]) / log(BUDGETS[-1] / BUDGETS[0]))
    return [middle * grid.span ** (step / 2) for step in STEPS]


def drawn(surface: Surface, grid: Grid, C: float, steps: int = 40) -> Iterator[tuple[float, float, float]]:
    """Size over the best one, and the losses above the lowest by the law and by the parabola, over the sizes tried."""
    sizes, A, alpha, B, beta = tried(surface, grid, C), *surface
    best = best_params(C, balance(alpha, beta, A, B), alpha, beta)
    floor = loss_there(surface, best, C)
    height, slope, bend = parabola([loss_there(surface, N, C) for N in sizes])
    for x in (step / steps for step in range(-steps, steps + 1)):
        N = sizes[len(STEPS) // 2] * grid.span ** (x / 2)
        yield N / best, loss_there(surface, N, C) - floor, height + slope * x + bend * x * x - floor


def loss_there(surface: Surface, N: Num, C: float) -> Num:
    """Loss above the floor of a model of N parameters that uses up C."""
    A, alpha, B, beta = surface
    return loss(N, tokens_of(C, N), 0, A, alpha, B, beta)
