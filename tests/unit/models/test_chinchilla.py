"""The refit of Chinchilla's points against Epoch's, its multiverse, its draws; parabolas against the law they read."""

from __future__ import annotations

from math import log

import pytest

from gpt4lab import catalog, value
from gpt4lab.catalog import chinchilla as points
from gpt4lab.claims import judge, ledger
from gpt4lab.models import chinchilla
from gpt4lab.models.chinchilla import Fitting, Law, bootstrap, left_out, misfit, ranked, refit
from gpt4lab.models.isoflop import BUDGETS, Grid, Surface, bottom, parabolas
from gpt4lab.quantities.topics.scaling import balance, best_params, best_tokens
from gpt4lab.scenario import ScenarioError, change, load_scenario
from gpt4lab.scenario.live import LAWS, ORDERS

LEAK = load_scenario("leak")
BY_LOSS, BY_RATIO, BY_MISFIT = ORDERS


def starved(law: Law, params: float = 1.8e12) -> float:
    """Best tokens over 13T."""
    return best_tokens(params, balance(law.alpha, law.beta, law.A, law.B), law.alpha, law.beta) / 13e12


def test_the_points() -> None:
    found = points.trained_points()
    assert [point.number for point in found] == list(range(1, 246))
    assert 4e7 < min(point.params for point in found) < 1e8
    assert max(point.flop for point in found) == pytest.approx(1.3e22, rel=0.05)


@pytest.mark.parametrize(
    ("order", "dropped", "ratio"),
    [
        (BY_LOSS, 0, 0.51), (BY_LOSS, 2, 1.03), (BY_LOSS, 3, 1.53), (BY_LOSS, 5, 2.09), (BY_LOSS, 8, 2.45),
        (BY_LOSS, 20, 5.45), (BY_RATIO, 5, 2.09), (BY_RATIO, 20, 2.40), (BY_MISFIT, 5, 1.98), (BY_MISFIT, 20, 1.22),
        (BY_MISFIT, 60, 0.61),
    ],
)  # fmt: skip
def test_what_is_dropped_decides(order: str, dropped: int, ratio: float) -> None:
    assert starved(refit(Fitting(dropped, order))) == pytest.approx(ratio, rel=0.01)


@pytest.mark.parametrize(("delta", "ratio"), [(1e-4, 2.17), (1e-2, 1.87), (0.1, 1.40)])
def test_the_border_of_the_huber_loss_matters_less(delta: float, ratio: float) -> None:
    assert starved(refit(Fitting(5, delta=delta))) == pytest.approx(ratio, rel=0.01)


def test_five_dropped_is_epochs_fit() -> None:
    """Within their standard errors, by a wide margin."""
    here, theirs = refit(Fitting(5)), catalog.constants["besiroglu2024"].values
    for symbol in Law._fields:
        assert abs(getattr(here, symbol) - theirs[symbol].value) < 0.2 * (theirs[symbol].se or 0), symbol


def test_the_gradient_is_that_of_the_loss() -> None:
    objective = chinchilla._objective([1] * 245, 1e-3)
    p, step = [0.6, -0.5, -0.9, 0.35, 0.4], 1e-6
    _, slope = objective(p)
    for at in range(5):
        up, down = (objective([x + by * (i == at) for i, x in enumerate(p)])[0] for by in (step, -step))
        assert (up - down) / (2 * step) == pytest.approx(slope[at], rel=1e-4, abs=1e-6)


def test_every_start_finds_the_same_law() -> None:
    objective = chinchilla._objective([int(n not in left_out(Fitting(5))) for n in range(1, 246)], 1e-3)
    far = [0.0, 0.0, 0.0, 0.8, 0.8]
    found = [chinchilla._lowest(objective, list(start))[0] for start in (*chinchilla.STARTS, far)]
    assert found == pytest.approx([found[0]] * 3, rel=1e-7)


def test_left_out_by_number_and_by_rank() -> None:
    worst = [point.number for point in ranked(BY_LOSS, 1e-3)]
    assert left_out(Fitting(2, without="9 12")) == {worst[0], worst[1], 9, 12}
    by_hand = " ".join(map(str, sorted(worst[:5])))
    assert refit(Fitting(0, without=by_hand)) == refit(Fitting(5))
    assert abs(misfit(refit(Fitting(5)), ranked(BY_MISFIT, 1e-3)[0])) > 0.2


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ScenarioError, match="20 points stay, and 40 must"):
        refit(Fitting(0, without=" ".join(map(str, range(1, 226)))))


def test_a_bootstrap_is_the_same_for_one_seed_and_holds_the_fit() -> None:
    draws = sorted(map(starved, bootstrap(Fitting(5), 60)))
    assert draws == sorted(map(starved, bootstrap(Fitting(5), 60)))
    assert draws[6] < starved(refit(Fitting(5))) < draws[-7]


def test_without_the_points_published_laws_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chinchilla, "trained_points", tuple)
    for cached in (chinchilla._columns, chinchilla._fitted, chinchilla.left_out, chinchilla.ranked):
        cached.cache_clear()
    odd = change(LEAK, {"chinchilla.delta": 2e-3})  # nothing of it is remembered
    assert judge(ledger()["C85"], odd).verdict == "not-known"
    assert value("chinchilla.ratio", change(odd, {"chinchilla.law": "Hoffmann"})) == pytest.approx(1.82, abs=0.01)


@pytest.mark.parametrize(("dropped", "holds"), [(0, False), (3, False), (5, True), (20, False)])
def test_the_word_of_the_claim_flips(dropped: int, holds: bool) -> None:
    assert judge(ledger()["C85"], change(LEAK, {"chinchilla.dropped": dropped})).holds is holds


def test_each_published_law_is_the_catalogs() -> None:
    for law, name in list(LAWS.items())[1:]:
        there = change(LEAK, {"chinchilla.law": law})
        assert value("chinchilla.ratio", there) == value(f"scaling.{name}_ratio_active", LEAK)
        counts = change(there, {"chinchilla.counts": "all"})
        assert value("chinchilla.ratio", counts) == value(f"scaling.{name}_ratio_total", LEAK)


EVEN, UNEVEN = Surface(400, 0.34, 400, 0.34), Surface(406.4, 0.34, 410.7, 0.28)


def test_parabolas_are_right_where_a_valley_is_symmetric() -> None:
    found = parabolas(EVEN, Grid(100, 1), 1e25)
    assert found.exponent == pytest.approx(0.5)
    assert found.params == pytest.approx(best_params(1e25, balance(0.34, 0.34, 400, 400), 0.34, 0.34))


def test_a_wider_grid_moves_the_bottom_and_a_wrong_aim_the_exponent() -> None:
    best = best_params(BUDGETS[0], balance(0.34, 0.28, 406.4, 410.7), 0.34, 0.28)
    off = [abs(log(bottom(UNEVEN, Grid(span, 1), BUDGETS[0]) / best)) for span in (3, 30, 300)]
    assert off == sorted(off)
    true = 0.28 / 0.62
    assert parabolas(UNEVEN, Grid(30, 1), 1e25).exponent == pytest.approx(true)
    assert parabolas(UNEVEN, Grid(30, 0.1), 1e25).exponent < true - 0.02
