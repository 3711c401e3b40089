"""How the best size grows with compute, N_best ~ C^a, from finished trainings: two ways, each with a bootstrap band.

Approach 2 of Hoffmann 2022 puts a parabola in log N through the runs of each budget and a power law through the lowest
points. Approach 3 fits L(N, D) = E + A/N^alpha + B/D^beta to all runs, by the Huber loss of log L, summed and not
averaged (Besiroglu 2024: an average lets the optimiser stop early); then a = beta/(alpha + beta). Any text and unit of
loss gives the same exponents. A band says what other draws of the same runs would give; it knows nothing of a learning
rate or a shape that favours one end, and those can weigh more. Needs scipy, and no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import isfinite, log10
from statistics import fmean
from typing import Any, NamedTuple

from gpt4lab import catalog
from gpt4lab.quantities.scaling import best_params

Row = dict[str, Any]
HUBER = 1e-3  # of log L: beyond it a run pulls with its sign alone (Hoffmann 2022, section 3.3)
STARTS = ((0.3, 0.8), (0.2, 0.6), (0.2, 0.6))  # E as a share of the least loss, alpha, beta
BOUNDS = (1e-3, 3.0)  # of alpha and beta: a fit that ends here has failed
PAPERS = {"Hoffmann 2022": "hoffmann2022-tex", "Besiroglu 2024": "besiroglu2024", "Muennighoff 2023": "muennighoff2023"}


class FitFailed(ValueError):
    """These runs do not determine what was asked of them."""


class Fit(NamedTuple):
    """L(N, D) = E + A/N^alpha + B/D^beta, and the root mean square of its errors in log L."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    error: float

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
    return [{"flop": flop, **_valley(group, of)} for flop, group in _groups(rows, "flop").items()]


def valley_exponent(rows: Sequence[Row], of: str = "parameters") -> float:
    """Approach 2: the power of C with which the optimum grows, through the budgets that have theirs inside."""
    import numpy as np

    found = [row for row in optima(rows, of) if row["inside"]]
    if len(found) < 2:
        raise FitFailed(f"an exponent needs two budgets with their optimum inside the sizes tried, not {len(found)}")
    return float(np.polyfit(np.log([row["flop"] for row in found]), np.log([row["optimum"] for row in found]), 1)[0])


def parametric(rows: Sequence[Row], start: Fit | None = None) -> Fit:
    """Approach 3. The best of eight starts, or from one given fit."""
    import numpy as np
    from scipy.optimize import least_squares

    N, D, L = (np.log(_values(rows, key)) for key in ("parameters", "tokens", "bpb"))
    if len({(n, d) for n, d in zip(N, D, strict=True)}) < 5:
        raise FitFailed("five constants need at least five different (N, D)")

    def errors(p: Any) -> Any:
        e, a, b, alpha, beta = p
        return np.logaddexp(np.logaddexp(a - alpha * N, b - beta * D), e) - L

    low, high = ([-20.0, -20.0, -20.0, BOUNDS[0], BOUNDS[0]], [L.min(), 60.0, 60.0, BOUNDS[1], BOUNDS[1]])
    starts = [_start(N.mean(), D.mean(), L, *s) for s in product(*STARTS)] if start is None else [_logs(start)]
    tries = [
        least_squares(errors, np.clip(s, low, high), bounds=(low, high), loss="huber", f_scale=HUBER) for s in starts
    ]
    best = min(tries, key=lambda found: found.cost)
    e, a, b, alpha, beta = (float(x) for x in best.x)
    if not best.success or any(np.isclose(x, BOUNDS, rtol=0.02).any() for x in (alpha, beta)):
        raise FitFailed(f"no fit of L(N, D): alpha = {alpha:.3g}, beta = {beta:.3g}")
    E, A, B = (float(np.exp(x)) for x in (e, a, b))
    return Fit(E, A, B, alpha, beta, float(np.sqrt(np.mean(errors(best.x) ** 2))))


def bootstrap(rows: Sequence[Row], estimate: Callable[[Sequence[Row]], float], draws: int = 200, seed: int = 0,
              level: float = 0.8) -> Band:  # fmt: skip
    """Draw as many runs of each budget, with replacement, again and again, and estimate from each draw."""
    import numpy as np

    if draws < 1 or not 0 < level < 1:
        raise ValueError(f"draws must be at least 1 and level between 0 and 1, not {draws} and {level}")
    value, random = estimate(rows), np.random.default_rng(seed)
    groups = [np.array(group, dtype=object) for group in _groups(rows, "flop").values()]
    found = [_estimate(estimate, [row for g in groups for row in random.choice(g, len(g))]) for _ in range(draws)]
    held = [x for x in found if x is not None]
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
        {
            "approach": name,
            "a": band.value,
            "b": 1 - band.value,
            "low": band.low,
            "high": band.high,
            "failed": band.failed,
        }
        for name, band in bands.items()
    ]


def published() -> list[Row]:
    """The exponent a of the papers, from the catalog: source, approach, a."""
    table = catalog.constants["hoffmann2022-exponents"].values
    own = [{"source": "Hoffmann 2022", "approach": name.replace("_", " "), "a": n.value} for name, n in table.items()]
    fits = [
        {"source": name, "approach": "refit of approach 3", "a": _law(slug).exponent} for name, slug in PAPERS.items()
    ]
    return [*own, *fits, {"source": "Kaplan 2020", "approach": "", "a": catalog.constants["kaplan2020"].N_exponent}]


def tuned(rows: Sequence[Row]) -> list[Row]:
    """The runs of each budget and size at whichever learning rate has the lower mean loss over the seeds."""
    kept: list[Row] = []
    for budget in _groups(rows, "flop").values():
        for size in _groups(budget, "width").values():
            kept += min(_groups(size, "lr").values(), key=lambda group: fmean(_values(group, "bpb")))
    return kept


def _valley(rows: list[Row], of: str) -> Row:
    """A parabola of the loss over the logarithm of the size, centred so that its coefficients are well conditioned."""
    import numpy as np

    x, y = np.log(_values(rows, of)), np.array(_values(rows, "bpb"))
    tried = sorted({float(size) for size in x})
    if len(tried) < 3:
        raise FitFailed(f"a parabola needs three sizes in each budget, not {len(tried)}")
    bend, slope, height = np.polyfit(x - x.mean(), y, 2)
    lowest = min(tried, key=lambda size: y[x == size].mean())
    at = x.mean() - slope / (2 * bend)
    inside = bool(bend > 0 and tried[0] < at < tried[-1] and lowest not in (tried[0], tried[-1]))
    bottom = {"optimum": float(np.exp(at)), "bpb": float(height - slope**2 / (4 * bend))}
    return {**(bottom if inside else dict.fromkeys(bottom)), "inside": inside, "sizes": len(tried)}


def _estimate(estimate: Callable[[Sequence[Row]], float], rows: list[Row]) -> float | None:
    try:
        return estimate(rows)
    except FitFailed:
        return None


def _start(N: float, D: float, L: Any, share: float, alpha: float, beta: float) -> list[float]:
    """From E as a share of the least loss; size and tokens share the rest of the middle run evenly."""
    import numpy as np

    rest = np.log((np.exp(L.mean()) - share * np.exp(L.min())) / 2)
    return [np.log(share) + L.min(), rest + alpha * N, rest + beta * D, alpha, beta]


def _logs(fit: Fit) -> list[float]:
    import numpy as np

    return [*np.log([fit.E, fit.A, fit.B]), fit.alpha, fit.beta]


def _law(slug: str) -> Fit:
    law = catalog.constants[slug]
    return Fit(law.E, law.A, law.B, law.alpha, law.beta, error=0.0)


def _groups(rows: Sequence[Row], by: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[by], []).append(row)
    return dict(sorted(groups.items()))


def _values(rows: Sequence[Row], key: str) -> list[float]:
    """A column of positive numbers."""
    values = [row[key] for row in rows]
    if not values or not all(isfinite(value) and value > 0 for value in values):
        raise ValueError(f"{key} must be a positive number in every run, and there must be runs")
    return values
