"""What GPT-4 answered by heart: 837 problems of Project Euler against their copies, difficulty and date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from math import exp, log10
from typing import Any

from gpt4lab.catalog.euler import ASKED, MODELS, Problem, problems
from gpt4lab.checks.check import Check, Checks
from gpt4lab.formulas.shares import chance, logistic, standard_errors, wilson
from gpt4lab.units import year_and_month

GPT4, BY_NUMBER = next(iter(MODELS)), next(iter(ASKED))
BY_TEXT = [*ASKED][1]
#: The published end of the training text of all three models: problems from this day on cannot have been in it.
CUTOFF = dt.date(2021, 9, 1)
CUTOFF_YEAR = CUTOFF.year + (CUTOFF.month - 1) / 12
#: Of repositories, from ... to below.
BINS = ((1, 600), (600, 800), (800, 1000), (1000, 1500), (1500, 5000), (5000, 8000), (8000, 20_000))
#: Words -> difficulty in the site's per cent, from ... to below.
STRATA = {"any": (0, 101), "easy: up to 15%": (0, 20), "middling: 20 to 45%": (20, 50), "hard: 50% and more": (50, 101)}


def first_day(date: float) -> dt.date:
    """Of the month in which a year with its fraction lies."""
    year, month = year_and_month(date)
    return dt.date(year, month + 1, 1)


def before(year: float = CUTOFF_YEAR) -> list[Problem]:
    """The problems that came out before the month of a cut-off."""
    return [problem for problem in problems() if problem.released < first_day(year)]


def after(year: float = CUTOFF_YEAR) -> list[Problem]:
    """Those from it on."""
    return [problem for problem in problems() if problem.released >= first_day(year)]


def of_stratum(which: str, chosen: Sequence[Problem]) -> list[Problem]:
    """Those of a difficulty."""
    low, high = STRATA[which]
    return [problem for problem in chosen if low <= problem.difficulty < high]


def copies(problem: Problem) -> float:
    """log10 of the repositories; one where none was found (a single problem, no. 174)."""
    return log10(max(1, problem.repositories))


def right(chosen: Sequence[Problem], model: str = GPT4, asked: str = BY_NUMBER) -> int:
    """How many were answered rightly."""
    return sum(problem.right[model, asked] for problem in chosen)


@cache
def fitted(model: str = GPT4, asked: str = BY_NUMBER, year: float = CUTOFF_YEAR) -> tuple[float, ...]:
    """Weights of the logistic curve through the problems before a cut-off: constant, and for ten times the copies."""
    chosen = before(year)
    return logistic([(copies(p),) for p in chosen], [p.right[model, asked] for p in chosen])


@cache
def with_difficulty(model: str = GPT4, asked: str = BY_NUMBER) -> tuple[float, ...]:
    """The same with a third weight, for ten per cent of difficulty."""
    chosen = before()
    return logistic([(copies(p), p.difficulty / 10) for p in chosen], [p.right[model, asked] for p in chosen])


def slope_spread() -> float:
    """Half of the 95% interval of the slope of GPT-4's curve."""
    return 1.96 * standard_errors([(copies(p),) for p in before()], fitted())[1]


def half_known(model: str = GPT4, asked: str = BY_NUMBER) -> float:
    """Repositories at which half of the answers are known."""
    constant, slope = fitted(model, asked)
    return 10 ** (-constant / slope)


def counted(chosen: Sequence[Problem], model: str = GPT4, asked: str = BY_NUMBER) -> list[dict[str, Any]]:
    """Share of right answers by repositories, with its interval; bins without a problem are left out."""
    rows = list[dict[str, Any]]()
    for low, high in BINS:
        inside = [p for p in chosen if low <= max(1, p.repositories) < high]
        if inside:
            hits = right(inside, model, asked)
            least, most = wilson(hits, len(inside))
            at = 10 ** (sum(map(copies, inside)) / len(inside))
            rows.append({"copies": at, "share": hits / len(inside), "low": least, "high": most,
                         "right": hits, "problems": len(inside)})  # fmt: skip
    return rows


def expected_after(model: str = GPT4, asked: str = BY_NUMBER) -> float:
    """Right answers that the late problems would have, if GPT-4 knew them as well as earlier ones with their copies."""
    weights = fitted(model, asked)
    return sum(chance(weights, (copies(problem),)) for problem in after())


def chance_of_none(model: str = GPT4, asked: str = BY_NUMBER) -> float:
    """Chance that none is right where so many are expected (Poisson)."""
    return exp(-expected_after(model, asked))


def strata() -> list[dict[str, Any]]:
    """Right by number, of how many, for each difficulty and number of copies, before the cut-off."""
    wide = {"below 1,000 copies": (0, 1000), "1,000 to 5,000": (1000, 5000), "above 5,000": (5000, 10**9)}
    rows = list[dict[str, Any]]()
    for which in [*STRATA][1:]:
        inside = of_stratum(which, before())
        row: dict[str, Any] = {"difficulty": which}
        for words, (low, high) in wide.items():
            these = [p for p in inside if low <= p.repositories < high]
            row[words] = f"{right(these)} of {len(these)}" if these else "none there"
        rows.append(row)
    return rows


def memorised_checks() -> Checks:
    """What the curve through copies alone expects, and what was found, where it was not fitted to just that."""
    early, weights = before(), fitted()
    parts = {"the first 100": [p for p in problems() if p.number <= 100]}
    parts |= {f"{which}, before": of_stratum(which, early) for which in [*STRATA][1:]} | {"after": after()}
    return Checks(
        Check("right answers", sum(chance(weights, (copies(p),)) for p in inside), right(inside), "1", "roberts2024",
              name)
        for name, inside in parts.items()
    )  # fmt: skip
