"""The failure simulation: cases done by hand, time that must add up, and the formulas whose means it plays out."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.quantities import value
from gpt4lab.scenario import ScenarioError, change, load_scenario
from gpt4lab.simulate.failures import Habits, draw, play, simulate, spend
from gpt4lab.simulate.one_run import CHECKPOINT, KEPT, LOST, RESTART, gaps, hours_of, pieces

#: Two hours of work, a quarter of an hour to save it, half an hour to restart.
HABITS = Habits(mtbf_h=10, interval_h=2, checkpoint_h=0.25, restart_h=0.5)
hours = st.floats(0.01, 200)
nothing_or_hours = st.just(0.0) | st.floats(1e-299, 5)  # smaller ones are refused
rest = {"interval_h": st.floats(0.05, 50), "checkpoint_h": nothing_or_hours, "restart_h": nothing_or_hours}
habits = st.builds(Habits, mtbf_h=st.floats(0.5, 1000), **rest)
failing = st.builds(Habits, mtbf_h=st.floats(0.5, 100), **rest)  # within a hundred hours


def four(spent) -> tuple[float, ...]:
    return spent.useful, spent.lost, spent.checkpoint, spent.restart


# By hand


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (0.3, (0, 0, 0, 0.3)),  # fails again while it restarts
        (1.0, (0, 0.5, 0, 0.5)),  # half an hour of work, never saved
        (2.6, (0, 2, 0.1, 0.5)),  # the checkpoint was not finished: nothing is kept
        (3.0, (2, 0.25, 0.25, 0.5)),  # one round kept, a quarter of an hour lost
        (0.5 + 3 * 2.25 + 1, (6, 1, 0.75, 0.5)),
    ],
)
def test_a_gap_that_ends_in_a_failure(gap: float, expected: tuple[float, ...]):
    assert four(spend(gap, HABITS)) == pytest.approx(expected)


def test_the_first_gap_needs_no_restart():
    assert four(spend(1.0, HABITS, fresh=1)) == pytest.approx((0, 1, 0, 0))


def test_work_under_way_at_the_end_is_not_lost():
    assert four(spend(1.0, HABITS, fresh=1, failed=0)) == pytest.approx((1, 0, 0, 0))


def test_a_run_of_two_failures():
    """Day of 24 h, failures at 5 h and 12 h.

    0-5: rounds to 2.25 and 4.5, then 0.5 lost. 5-12: restart 0.5, two rounds of 2.25, 2 of work and no checkpoint.
    12-24: restart 0.5, five rounds of 2.25, 0.25 of work under way.
    """
    spent = play(np.array([[5.0, 7.0, 100.0]]), HABITS, 24)
    assert four(spent) == pytest.approx((4 + 4 + 10.25, 0.5 + 2, 0.5 + 0.5 + 1.25, 1))
    assert spent.failures == 2


def test_the_same_run_piece_by_piece():
    run = list(pieces([5.0, 7.0, 100.0], HABITS, 24))
    assert [piece.end for piece in run if piece.failed] == [5, 12]
    assert [(piece.kind, piece.end) for piece in run[:7]] == [
        (KEPT, 2), (CHECKPOINT, 2.25), (KEPT, 4.25), (CHECKPOINT, 4.5), (LOST, 5), (RESTART, 5.5), (KEPT, 7.5)
    ]  # fmt: skip
    assert hours_of(run, LOST, 4.75, 5.1) == 0.25


def test_without_failures_only_checkpoints_cost():
    spent = simulate(Habits(1e12, 2, 0.25, 0.5), hours=2.25 * 400, runs=3)
    assert spent.share == pytest.approx(2 / 2.25, rel=1e-9)
    assert not spent.failures.any()


# What must always hold


@given(habits, hours, st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_every_hour_is_spent_on_something(habits: Habits, hours: float, seed: int):
    spent = simulate(habits, hours, runs=5, seed=seed)
    assert spent.total == pytest.approx(np.full(5, hours), rel=1e-9)
    assert all((part >= -1e-9).all() for part in four(spent))


@given(habits, hours)
@settings(max_examples=40, deadline=None)
def test_arrays_equal_numbers(habits: Habits, hours: float):
    gaps = np.array([hours, 3 * hours])
    together = np.stack(four(spend(gaps, habits)))
    assert together == pytest.approx(np.transpose([four(spend(float(gap), habits)) for gap in gaps]), abs=1e-9)


@given(failing, st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_pieces_are_what_the_arrays_sum(habits: Habits, seed: int):
    between = draw(habits, 100, 1, seed)
    run, found = list(pieces(between[0].tolist(), habits, 100)), play(between, habits, 100)
    hours = [hours_of(run, kind) for kind in (KEPT, LOST, CHECKPOINT, RESTART)]
    assert hours == pytest.approx([part[0] for part in four(found)], abs=1e-6)
    assert sum(piece.failed for piece in run) == found.failures[0]
    assert all(piece.hours > 0 for piece in run)


def test_luck_has_the_mean_that_was_asked_for():
    many = gaps(3.0, seed=1)
    assert sum(next(many) for _ in range(20_000)) / 20_000 == pytest.approx(3, rel=0.03)


@given(habits)
@settings(max_examples=40, deadline=None)
def test_the_same_luck_with_rarer_failures_fails_less(habits: Habits):
    rarer = Habits(2 * habits.mtbf_h, habits.interval_h, habits.checkpoint_h, habits.restart_h)
    often, seldom = (simulate(each, 200, runs=8, seed=3).failures for each in (habits, rarer))
    assert (seldom <= often).all()


# Against the formulas


@pytest.mark.parametrize("mtbf", [0.7, 2, 5, 20])
@pytest.mark.parametrize("interval", [0.3, 1, 3])
def test_mean_share_is_dalys(mtbf: float, interval: float):
    """Daly (2006) gives the exact mean for failures at random; the end of a run may add what no failure struck."""
    habits = Habits(mtbf, interval, 0.1, 0.4)
    exact = interval / (mtbf * math.exp(0.4 / mtbf) * (math.exp(habits.round_h / mtbf) - 1))
    share = simulate(habits, hours=1000, runs=200, seed=5).share
    error = share.std() / math.sqrt(len(share))
    assert share.mean() == pytest.approx(exact, abs=4 * error + interval / 1000)
    assert error < 0.005


def test_rare_failures_follow_youngs_first_order():
    """While everything is short beside the mean time: delta/tau for checkpoints, (tau/2 + R)/M for each failure."""
    habits = Habits(mtbf_h=500, interval_h=5, checkpoint_h=0.025, restart_h=0.5)
    lost = habits.checkpoint_h / habits.interval_h + (habits.interval_h / 2 + habits.restart_h) / habits.mtbf_h
    spent = simulate(habits, hours=20_000, runs=200, seed=2)
    assert 1 - spent.share.mean() == pytest.approx(lost, rel=0.03)


def test_youngs_interval_is_the_best_in_the_simulation_too():
    best = math.sqrt(2 * 0.02 * 10)
    shares = [
        simulate(Habits(10, tau, 0.02, 0.2), 5000, 100, seed=4).share.mean() for tau in (best / 3, best, 3 * best)
    ]
    assert max(shares) == shares[1]


def test_the_quantity_says_the_same():
    leak = change(load_scenario("leak"), {"reliability.checkpoint_interval_hours": 0.5})
    minutes = leak.reliability.checkpoint_minutes / 60, leak.reliability.restart_minutes / 60
    spent = simulate(Habits(value("goodput.mtbf", leak), 0.5, *minutes), hours=2000, runs=100, seed=6)
    assert spent.share.mean() == pytest.approx(value("goodput.share", leak), rel=0.01)


# Errors and manners


@pytest.mark.parametrize("wrong", [{"mtbf_h": 0}, {"interval_h": 0}, {"checkpoint_h": -1}, {"restart_h": -1}])
def test_impossible_habits_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Habits(**{"mtbf_h": 1, "interval_h": 1, "checkpoint_h": 1, "restart_h": 1, **wrong})


@pytest.mark.parametrize("bad", [None, "x", -1, math.nan, math.inf, 1j, [1], 10**400])
def test_what_cannot_be_played_is_one_sentence(bad: Any):
    doors: dict[str, Callable[[], Any]] = {
        **{name: lambda name=name: evolve(HABITS, **{name: bad}) for name in ("mtbf_h", "interval_h", "restart_h")},
        "hours": lambda: simulate(HABITS, bad, 3),
        "runs": lambda: simulate(HABITS, 10, bad),
    }
    for name, door in doors.items():
        with pytest.raises(ScenarioError, match=f"{name} = .{{1,80}}; allowed"):
            door()


def test_more_failures_than_there_is_room_for_are_refused():
    with pytest.raises(ScenarioError, match="more than the 10,000,000 that can be played"):
        simulate(evolve(HABITS, mtbf_h=1e-9), 10)


def test_importing_the_package_loads_no_numpy():
    code = "import sys, gpt4lab.simulate; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
