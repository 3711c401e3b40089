"""Shares and their fit, GPT-4's answers against copies, and the recorded canaries on the same axes."""

from __future__ import annotations

from math import inf, log, log10
from random import Random
from statistics import stdev

import pytest

from gpt4lab import catalog
from gpt4lab.catalog.euler import ASKED, MODELS, problems
from gpt4lab.checks import memorised
from gpt4lab.formulas.shares import bits_lost, chance, logistic, wilson
from gpt4lab.quantities import value
from gpt4lab.scenario import load_scenario
from gpt4lab.toys.memorisation import findings

LEAK = load_scenario("leak")


# --- shares


def test_an_interval_holds_its_share_and_narrows() -> None:
    assert wilson(0, 76) == pytest.approx((0, 0.0481), abs=1e-4)  # as textbooks have it
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(50, 100)[0] > wilson(5, 10)[0]
    for hits, of in ((-1, 3), (4, 3), (0, 0)):
        with pytest.raises(ValueError, match="share"):
            wilson(hits, of)


def test_a_logistic_fit_finds_the_odds_that_were_counted() -> None:
    causes, hits = [(0.0,)] * 10 + [(1.0,)] * 10, [True] * 2 + [False] * 8 + [True] * 7 + [False] * 3
    constant, slope = logistic(causes, hits)
    assert constant == pytest.approx(log(2 / 8))
    assert constant + slope == pytest.approx(log(7 / 3))


@pytest.mark.parametrize("hits", [[True] * 4, [False, False, True, True]])
def test_without_a_curve_the_fit_says_so(hits: list[bool]) -> None:
    with pytest.raises(ValueError, match="logistic"):
        logistic([(0.0,), (1.0,), (2.0,), (3.0,)], hits)


def test_what_hits_cost() -> None:
    assert bits_lost([0.5, 0.25], [True, False]) == pytest.approx(1 + log(4 / 3, 2))
    assert bits_lost([0.0], [True]) == inf
    assert chance((0.0, 1.0), (-800.0,)) == pytest.approx(0)


# --- the answers


def test_the_data_are_those_that_the_ledger_counts() -> None:
    early, late = memorised.before(), memorised.after()
    assert (len(problems()), len(early), len(late)) == (837, 761, 76)
    assert memorised.right([p for p in problems() if p.number <= 100]) == 86
    assert [memorised.right(early, model) for model in MODELS] == [129, 204, 61]
    for model in MODELS:
        for asked in ASKED:
            assert memorised.right(late, model, asked) == 0


def test_the_curve_in_the_catalog_is_the_fit() -> None:
    fit = catalog.constants["roberts2024-gpt4"]
    _, slope = memorised.fitted()
    assert memorised.half_known() == pytest.approx(fit.h, rel=1e-5)
    assert slope / log(10) == pytest.approx(fit.a, rel=1e-5)
    assert memorised.right(memorised.before()) / 761 == pytest.approx(fit.p, rel=1e-5)
    famous, rare = memorised.counted(memorised.before())[-2:], memorised.counted(memorised.before())[1]
    counts = [sum(row[name] for row in famous) for name in ("right", "problems")]
    assert counts == [fit.r_f, fit.n_f] == [85, 98]
    assert [rare["right"], rare["problems"]] == [fit.r_r, fit.n_r] == [11, 161]
    for k in (500, 5600):
        assert value("heart.known", LEAK, {"heart.copies": k}) == pytest.approx(
            chance(memorised.fitted(), (log10(k),)), rel=1e-4
        )


def test_the_interval_of_the_slope_is_what_other_draws_give() -> None:
    """Drawn anew with replacement, the problems have slopes that spread as far as the formula says."""
    luck, early = Random(0), memorised.before()
    drawn = [luck.choices(early, k=len(early)) for _ in range(60)]
    slopes = [
        logistic([(memorised.copies(p),) for p in some], [p.right[memorised.GPT4, memorised.BY_NUMBER] for p in some])[
            1
        ]
        for some in drawn
    ]
    assert 1.96 * stdev(slopes) == pytest.approx(memorised.slope_spread(), rel=0.35)


def test_the_toy_s_slopes_are_too_uncertain_to_be_called_the_same() -> None:
    found = findings.slopes()
    assert all(row["give or take"] > 1.5 for row in found)
    deepest = next(row for row in found if all(row[name] == most for name, most in findings.DEEPEST.items()))
    assert deepest["slope"] == pytest.approx(findings.toy_curve()[1])


def test_copies_matter_where_difficulty_stands_still() -> None:
    _, by_copies, by_difficulty = memorised.with_difficulty()
    assert by_copies > 3
    assert -1 < by_difficulty < 0
    few, some, many = list(memorised.strata()[1].values())[1:]
    assert (few, some, many) == ("10 of 185", "15 of 68", "19 of 26")


def test_every_problem_is_in_one_stratum_and_one_bin() -> None:
    early = memorised.before()
    assert sum(len(memorised.of_stratum(which, early)) for which in [*memorised.STRATA][1:]) == len(early)
    assert sum(row["problems"] for row in memorised.counted(early)) == len(early)


def test_more_copies_more_readings_and_a_larger_model_give_more_away() -> None:
    rows = findings.chosen(findings.results(), kind="problem", **findings.DEEPEST)
    shares = [row["share"] for row in findings.counted(rows)]
    assert shares[0] == 0, "the control was never planted"
    assert shares[-1] == 1
    assert len(findings.by("width")) == 6
