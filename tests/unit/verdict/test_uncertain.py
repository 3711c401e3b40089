"""Draws go through the same formulas; what is known in closed form comes out."""

from __future__ import annotations

import math

import pytest

from gpt4lab.quantities import value
from gpt4lab.scenario import FIELDS, ScenarioError, change, load_scenario
from gpt4lab.verdict import uncertain
from gpt4lab.verdict.uncertain import FEW, Spread, drawn, sampled, spreads

LEAK = load_scenario("leak")
np = pytest.importorskip("numpy")


def test_every_distribution_has_a_source_and_a_range():
    found = spreads(LEAK)
    assert len(found) >= 15
    for path, one in found.items():
        assert one.source
        assert one.lo < one.hi
        assert path in FIELDS


def test_a_sum_of_two_by_hand():
    """All parameters: sixteen experts, even within half a billion, and the shared part: mean and variance add."""
    found = sampled("model.total_params", LEAK)
    variance = (16 * 0.5e9) ** 2 / 3 + 0.5e9**2 / 3
    assert found.mean == pytest.approx(1.831e12, rel=1e-4)
    assert float(np.std(found.numbers)) == pytest.approx(math.sqrt(variance), rel=0.02)


def test_every_draw_is_a_value_of_the_formula():
    wanted = tuple(spreads(LEAK).values())
    given = drawn(wanted, 50, 3, np)
    one = {path: float(got[7]) for path, got in given.items()}
    together = value("training.cost", LEAK, given)
    assert float(together[7]) == pytest.approx(value("training.cost", LEAK, one))


def test_medians_do_not_add_and_means_do():
    """First and second run share a market for rent, and both are skewed."""
    wanted = tuple(spreads(LEAK).values())
    given = drawn(wanted, 100_000, 17, np)
    one, other = (np.asarray(value(name, LEAK, given)) for name in ("training.cost", "rerun.cost"))
    assert np.mean(one + other) == pytest.approx(np.mean(one) + np.mean(other))
    assert np.median(one + other) > 1.01 * (np.median(one) + np.median(other))


def test_what_shares_a_cause_moves_together():
    given = drawn(tuple(spreads(LEAK).values()), 20_000, 5, np)
    rents = [np.log(given[f"{place}.usd_per_gpu_hour"]) for place in ("cluster", "rerun")]
    assert np.corrcoef(*rents)[0, 1] > 0.6
    assert abs(np.corrcoef(rents[0], given["training.tokens"])[0, 1]) < 0.05


def test_a_band_holds_what_it_says():
    found = sampled("training.cost", LEAK)
    low, high = found.band(0.9)
    assert found.below(high) - found.below(low) == pytest.approx(0.9, abs=0.01)
    assert low < found.median < high
    assert found.at(1) == found.numbers[-1]


def test_without_arrays_there_are_fewer_draws_and_a_sentence(monkeypatch: pytest.MonkeyPatch):
    many = sampled("training.cost", LEAK)
    monkeypatch.setattr(uncertain, "numpy", lambda: None)
    few = sampled("training.cost", LEAK)
    assert len(few.numbers) == FEW
    assert few.note
    assert few.median == pytest.approx(many.median, rel=0.1)


def test_what_nothing_uncertain_decides_is_refused():
    with pytest.raises(ScenarioError, match=r"model\.layers"):
        sampled("model.layers", LEAK)


def test_it_follows_the_scenario():
    dear = sampled("training.cost", change(LEAK, {"training.tokens": 26e12}))
    assert dear.median == pytest.approx(2 * sampled("training.cost", LEAK).median, rel=0.03)


def test_a_share_of_a_range():
    even, log = (Spread("training.mfu", 1, 100, way, "") for way in (False, True))
    assert (even.at(0.5), log.at(0.5)) == (50.5, pytest.approx(10))
