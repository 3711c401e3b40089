"""How the best size grows with compute, N_best ~ C^a, from finished trainings: two ways, each with a bootstrap band.

Approach 2 of Hoffmann 2022 puts a parabola in log N through the runs of each budget and a power law through the lowest
points. Approach 3 fits L(N, D) = E + A/N^alpha + B/D^beta to all runs, by the Huber loss of log L, summed and not
averaged (Besiroglu 2024: an average lets the optimiser stop early); then a = beta/(alpha + beta). Any text and unit of
loss gives the same exponents. A band says what other draws of the same runs would give; it knows nothing of a learning
rate or a way of counting N that favours one end, and those can weigh more. Needs numpy and scipy, and no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import isfinite, log, log10
from typing import Any, NamedTuple

import numpy as np

from gpt4lab import catalog
from gpt4lab.catalog.chinchilla import trained_points
from gpt4lab.formulas.fit import differ
from gpt4lab.models.chinchilla import Fitting, refit
from gpt4lab.models.isoflop import BUDGETS
from gpt4lab.quantities.topics.scaling import best_params, tokens_of
from gpt4lab.rows import Row
from gpt4lab.toys.isoflop.runs import groups

Estimate = Callable[[Sequence[Row]], float]
HUBER = 1e-3  # of log L: beyond it a run pulls with its sign alone (Hoffmann 2022, section 3.3)
STARTS = ((0.3, 0.8), (0.2, 0.6), (0.2, 0.6))  # E as a share of the least loss, alpha, beta
LOWEST, HIGHEST = 1e-3, 3.0  # of alpha and beta: a fit that ends here has failed
LEAST = 5e-4  # what any change of the constants by one must move log L; trainings that fix them have 4e-3 and more
REFITS = {"Hoffmann 2022": "hoffmann2022-tex", "Besiroglu 2024": "besiroglu2024", "Muennighoff 2023": "muennighoff2023"}


class FitFailed(ValueError):
    """These runs do not determine what was asked of them."""


class LossLaw(NamedTuple):
    """L(N, D) = E + A/N^alpha + B/D^beta, and the root mean square of its errors in log L."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    error: float = 0.0

    @property
    def exponent(self) -> float:
        """The power of C with which the best N grows: that of the quantity, over ten times the compute."""
        return log10(best_params(60.0, 1.0, self.alpha, self.beta))


class Band(NamedTuple):
    """An estimate, what the central `level` of its bootstrap draws span, and the share of draws where it failed."""

    value: float
    low: float
    high: float
    failed: float


def optima(rows: Sequence[Row], of: str = "parameters") -> list[Row]:
    """The lowest point of each budget's valley: flop, optimum, bpb, inside, sizes. `of` names the axis: tokens, blocks.

    Where the parabola has its bottom, or the lowest loss lies, at the edge of the sizes tried, `inside` is False and
    `optimum` and `bpb` are None: nothing is known but that one should have tried further.
    """
    return [{"flop": flop, **_valley(budget, of)} for flop, budget in groups(rows, "flop").items()]


def valley_exponent(rows: Sequence[Row], of: str = "parameters") -> float:
    """Approach 2: the power of C with which the optimum grows, through the budgets that have theirs inside."""
    found = [row for row in optima(rows, of) if row["inside"]]
    if len(found) < 2 or not differ(_values(found, "flop")):
        raise FitFailed(f"an exponent needs two budgets with their optimum inside the sizes tried, not {len(found)}")
    return float(np.polyfit(np.log(_values(found, "flop")), np.log(_values(found, "optimum")), 1)[0])


def parametric(rows: Sequence[Row], start: LossLaw | None = None) -> LossLaw:
    """Approach 3. The best of eight starts, or from one given fit."""
    from scipy.optimize import least_squares

    N, D, L = (np.log(_values(rows, key)) for key in ("parameters", "tokens", "bpb"))
    if len(set(zip(N, D, strict=True))) < 5:
        raise FitFailed("five constants need at least five different (N, D)")
    low, high = [-20.0, -20.0, -20.0, LOWEST, LOWEST], [L.min(), 60.0, 60.0, HIGHEST, HIGHEST]
    how = {"bounds": (low, high), "loss": "huber", "f_scale": HUBER, "args": (N, D, L)}
    starts = _starts(N, D, L) if start is None else [[*np.log(start[:3]), *start[3:5]]]
    best = min((least_squares(_errors, np.clip(p, low, high), **how) for p in starts), key=lambda found: found.cost)
    E, A, B = (float(x) for x in np.exp(best.x[:3]))
    alpha, beta = (float(x) for x in best.x[3:])
    if not best.success or not all(1.02 * LOWEST < power < 0.98 * HIGHEST for power in (alpha, beta)):
        raise FitFailed(f"no fit of L(N, D): alpha = {alpha:.3g}, beta = {beta:.3g}")
    if _least_effect(best.x, N, D) < LEAST:
        raise FitFailed("no fit of L(N, D): these runs leave at least one of its constants open")
    return LossLaw(E, A, B, alpha, beta, float(np.sqrt(np.mean(best.fun**2))))


def bootstrap(rows: Sequence[Row], estimate: Estimate, draws: int = 200, seed: int = 0, level: float = 0.8) -> Band:
    """Draw as many runs of each budget, with replacement, again and again, and estimate from each draw."""
    if draws < 1 or not 0 < level < 1:
        raise ValueError(f"draws must be at least 1 and level between 0 and 1, not {draws} and {level}")
    value, random = estimate(rows), np.random.default_rng(seed)
    budgets = [np.array(budget, dtype=object) for budget in groups(rows, "flop").values()]
    drawn = ([row for budget in budgets for row in random.choice(budget, len(budget))] for _ in range(draws))
    held = [found for found in (_try(estimate, sample) for sample in drawn) if found is not None]
    if not held:
        raise FitFailed("the fit failed on every draw")
    low, high = np.quantile(held, [(1 - level) / 2, (1 + level) / 2])
    return Band(value, float(low), float(high), 1 - len(held) / draws)


def exponents(rows: Sequence[Row], draws: int = 200, seed: int = 0, level: float = 0.8) -> list[Row]:
    """Both approaches: approach, a (of N), its low and high, b = 1 - a (of D, because C = 6 N D), failed."""
    whole = parametric(rows)
    approaches = {"valleys": valley_exponent, "parametric": lambda drawn: parametric(drawn, whole).exponent}
    bands = {name: bootstrap(rows, estimate, draws, seed, level) for name, estimate in approaches.items()}
    return [
        {"approach": name, "a": a, "low": low, "high": high, "b": 1 - a, "failed": failed}
        for name, (a, low, high, failed) in bands.items()
    ]


def of_points(near: float = 0.12) -> list[Row]:
    """Parabolas through the points of Chinchilla's own figure, and the law through them: approach, a.

    A point belongs to a budget of the paper where the logarithm of its FLOP lies that near.
    """
    nearest = [(min(BUDGETS, key=lambda C: abs(log(C / point.flop))), point) for point in trained_points()]
    rows: list[Row] = [
        {"flop": C, "parameters": point.params, "tokens": tokens_of(C, point.params), "bpb": point.loss}
        for C, point in nearest
        if abs(log(C / point.flop)) < near
    ]
    law = refit(Fitting(5))
    return [
        {"approach": "parabolas", "a": valley_exponent(rows)},
        {"approach": "one law", "a": law.beta / (law.alpha + law.beta)},
    ]


def published() -> list[Row]:
    """The exponent a of the papers, from the catalog: source, approach, a."""
    said = catalog.constants["hoffmann2022-exponents"].values
    rows = [("Hoffmann 2022", name.replace("_", " "), number.value) for name, number in said.items()]
    rows += [(source, "its L(N, D)", _law(slug).exponent) for source, slug in REFITS.items()]
    rows += [("Kaplan 2020", "without embeddings", catalog.constants["kaplan2020"].N_exponent)]
    return [dict(zip(("source", "approach", "a"), row, strict=True)) for row in rows]


def _valley(rows: list[Row], of: str) -> Row:
    """A parabola of the loss over the logarithm of the size, centred so that its coefficients are well conditioned."""
    x, y = np.log(_values(rows, of)), np.array(_values(rows, "bpb"))
    tried = np.unique(x.round(9))
    if len(tried) < 3:
        raise FitFailed(f"a parabola needs three sizes in each budget, not {len(tried)}")
    bend, slope, height = np.polyfit(x - x.mean(), y, 2)
    lowest, at = np.argmin([y[x.round(9) == size].mean() for size in tried]), x.mean() - slope / (2 * bend)
    bent = bend * np.ptp(x) ** 2 > 1e-6 * y.mean()  # more than rounding bends a level line
    inside = bool(bent and tried[0] < at < tried[-1] and 0 < lowest < len(tried) - 1)
    bottom = {"optimum": float(np.exp(at)), "bpb": float(height - slope**2 / (4 * bend))}
    return {**(bottom if inside else dict.fromkeys(bottom)), "inside": inside, "sizes": len(tried)}


def _errors(p: Any, N: Any, D: Any, L: Any) -> Any:
    """Of log L, from the logarithms of all that is positive: p holds those of E, A, B, then alpha and beta."""
    e, a, b, alpha, beta = p
    return np.logaddexp(np.logaddexp(a - alpha * N, b - beta * D), e) - L


def _least_effect(p: Any, N: Any, D: Any) -> float:
    """How much log L moves, root mean square, if the constants move by one where that matters least.

    The constants are log E, alpha and beta, and the logarithms of the other two terms in the middle of the runs.
    """
    e, a, b, alpha, beta = p
    terms = np.stack([np.full_like(N, e), a - alpha * N, b - beta * D])
    share = np.exp(terms - np.logaddexp.reduce(terms))  # of each term in L, (3, runs)
    moves = [*share, share[1] * (N - N.mean()), share[2] * (D - D.mean())]
    return np.linalg.svd(moves, compute_uv=False)[-1] / len(N) ** 0.5


def _starts(N: Any, D: Any, L: Any) -> list[list[float]]:
    """E as a share of the least loss; what remains of the middle run, half by its size and half by its tokens."""
    rest = {share: np.log((np.exp(L.mean()) - share * np.exp(L.min())) / 2) for share in STARTS[0]}
    return [
        [np.log(share) + L.min(), rest[share] + alpha * N.mean(), rest[share] + beta * D.mean(), alpha, beta]
        for share, alpha, beta in product(*STARTS)
    ]


def _try(estimate: Estimate, rows: list[Row]) -> float | None:
    try:
        return estimate(rows)
    except FitFailed:
        return None


def _law(slug: str) -> LossLaw:
    law = catalog.constants[slug]
    return LossLaw(law.E, law.A, law.B, law.alpha, law.beta)


def _values(rows: Sequence[Row], key: str) -> list[float]:
    """A column of positive numbers."""
    values = [row[key] for row in rows]
    if not values or not all(isfinite(value) and value > 0 for value in values):
        raise ValueError(f"{key} must be a positive number in every run, and there must be runs")
    return values
