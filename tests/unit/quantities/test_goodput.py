"""Failures and checkpoints: by hand, by search, and as published."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt4lab.quantities.topics import goodput
from gpt4lab.scenario import load_scenario

LEAK = load_scenario("leak")


@pytest.mark.parametrize(("minutes", "hours"), [(5, 24), (1, 2), (10, 100), (0.1, 0.5)])
def test_daly_s_interval_is_where_most_work_is_done(minutes: float, hours: float) -> None:
    """Young's rule is the root of 2 delta M; Daly's series lies within 1% of the best of his exact formula."""
    young = goodput.young_interval(minutes / 60, hours)
    assert young == pytest.approx(math.sqrt(2 * minutes / 60 * hours))
    daly = goodput.daly_interval(young, minutes / 60, hours)
    tried = [daly * 1.001**step for step in range(-300, 301)]
    best = max(tried, key=lambda tau: goodput.share(tau, minutes / 60, 1 / 6, hours))
    assert daly == pytest.approx(best, rel=0.01)
    assert goodput.share(daly, minutes / 60, 1 / 6, hours) >= goodput.share(young, minutes / 60, 1 / 6, hours)


def test_daly_by_hand() -> None:
    """Five minutes and a day: 2 h (1 + (1/24)/3 + (1/24)²/9) less the five minutes; the root of 5/60/48 is 1/24."""
    assert goodput.young_interval(5 / 60, 24) == pytest.approx(2)
    assert goodput.daly_interval(2, 5 / 60, 24) == pytest.approx(2 * (1 + 1 / 72 + 1 / 5184) - 1 / 12, rel=1e-3)


@given(mtbf=st.floats(0.5, 1000), minutes=st.floats(0.1, 10), restart=st.floats(0.1, 60), times=st.floats(1.5, 20))
def test_young_s_interval_is_near_the_best(mtbf: float, minutes: float, restart: float, times: float) -> None:
    delta, R = minutes / 60, restart / 60
    best = goodput.young_interval(delta, mtbf)
    at_best, too_rare, too_often = (
        goodput.share(interval, delta, R, mtbf) for interval in (best, best * times, best / times)
    )
    assert 0 <= at_best <= 1
    assert at_best >= 0.97 * max(too_rare, too_often), "Young's rule is an approximation"
    by_daly = goodput.daly_interval(best, delta, mtbf)
    assert goodput.share(by_daly, delta, R, mtbf) >= at_best * (1 - 1e-4), "Daly's corrections do not harm"


def test_llama_3_kept_ninety_percent_with_quick_restarts() -> None:
    gpus, days, failures = 16_384, 54, 419
    mtbf = 24 / (failures / days)
    best = goodput.share(goodput.young_interval(0.5 / 60, mtbf), 0.5 / 60, 5 / 60, mtbf)
    assert 0.90 < best < 0.92
    assert gpus * days / 365.25 / failures == pytest.approx(LEAK.reliability.gpu_mtbf_years, rel=0.02)
