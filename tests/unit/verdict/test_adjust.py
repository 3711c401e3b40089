"""The adjustment, held against networks that were solved by hand."""

from __future__ import annotations

import math
import random

import attrs
import pytest

from gpt4lab.quantities import value
from gpt4lab.scenario import ScenarioError, change, load_scenario
from gpt4lab.verdict.adjust import adjust, adjustment, chi2_above, deciding, least_squares
from gpt4lab.verdict.linear import Singular, inverse, rank, reduced, solve
from gpt4lab.verdict.network import COUNTED, FREE, PINNED, equations, logs, numbers

LEAK = load_scenario("leak")
COST = next(one for one in equations() if one.title == "Cost")


def adjusted(**settings: str):
    return adjustment(change(LEAK, {f"adjust.{name}": words for name, words in settings.items()}))


def places(*paths: str) -> str:
    return " ".join(str(list(numbers()).index(path) + 1) for path in paths)


def test_one_equation_by_hand():
    """A product of three that should be a fourth: each gives in proportion to its variance."""
    mode = {path: COUNTED if path in COST.members() else PINNED for path in numbers()}
    found = adjust(LEAK, [COST], mode, dict.fromkeys(mode, 1.0))
    halves = {"cluster.gpus": 500 / 25e3, "cluster.days": 5 / 95, "cluster.usd_per_gpu_hour": 0.5}
    variance = {path: half**2 / 3 for path, half in halves.items()} | {"cluster.stated_usd": (0.5 / 63) ** 2 / 3}
    missing, total = math.log(63e6 / (25e3 * 24 * 95)), sum(variance.values())
    for path, own in variance.items():
        sign = -1 if path == "cluster.stated_usd" else 1
        assert math.log(found.rows[path].value / found.rows[path].stated) == pytest.approx(sign * missing * own / total)
        assert abs(found.rows[path].pull or 0) == pytest.approx(missing / math.sqrt(total))
    assert found.chi2 == pytest.approx(missing**2 / total)
    assert found.freedom == 1


def test_what_comes_out_obeys_every_equation():
    for settings in ({}, {"pinned": "14"}, {"counted": "18"}, {"block": "as in GPT-3"}, {"freed": "1 14"}):
        found = adjusted(**settings)
        x = {path: math.log(row.value) for path, row in found.rows.items()}
        for one in equations("block" in settings):
            assert one.residual(x, LEAK) == pytest.approx(0, abs=1e-6), one.title


def test_a_unit_changes_nothing():
    """Every number in a unit of its own: shifts and covariance stay."""
    bound, known = equations(), list(numbers())
    mode = {path: one.at_first for path, one in numbers().items()}
    spread = {path: one.spread(LEAK) or 1.0 for path, one in numbers().items()}
    units = {path: random.Random(path).uniform(-9, 9) for path in known}

    @attrs.frozen
    class Scaled:
        one: object

        def members(self):
            return self.one.members()

        def residual(self, x, scenario):
            return self.one.residual({path: x[path] - units[path] for path in x}, scenario)

        def slopes(self, x, scenario):
            return self.one.slopes({path: x[path] - units[path] for path in x}, scenario)

    stated = logs(LEAK)
    x, cov = least_squares(stated, spread, mode, bound, LEAK)
    there = {path: stated[path] + units[path] for path in stated}
    other, same = least_squares(there, spread, mode, [Scaled(one) for one in bound], LEAK)
    assert {p: other[p] - there[p] for p in x} == pytest.approx({p: x[p] - stated[p] for p in x}, abs=1e-9)
    assert same == pytest.approx(cov, rel=1e-6, abs=1e-15)


def test_pinned_stays_and_free_has_no_say():
    pinned = adjusted(pinned=places("cluster.usd_per_gpu_hour"))
    assert pinned.rows["cluster.usd_per_gpu_hour"].value == 1
    assert pinned.chi2 > adjusted().chi2
    free = adjusted(freed=places("cluster.stated_usd"))
    assert free.rows["cluster.stated_usd"].pull is None
    assert free.freedom == adjusted().freedom - 1
    assert free.chi2 < adjusted().chi2


def test_more_weight_is_less_shift():
    at, path = places("cluster.usd_per_gpu_hour"), "cluster.usd_per_gpu_hour"
    light, heavy = adjusted(), adjustment(change(LEAK, {"adjust.weighed": at, "adjust.weight": 30}))
    assert abs(heavy.rows[path].shift) < abs(light.rows[path].shift)


def test_it_solves_anew_with_the_scenario():
    moved = adjustment(change(LEAK, {"cluster.days": 105}))
    assert moved.rows["cluster.days"].stated == 105
    assert moved.rent < adjusted().rent


def test_everything_pinned_is_left_as_it_is():
    all_of_them = " ".join(str(place + 1) for place in range(len(numbers())))
    found = adjusted(pinned=all_of_them)
    assert found.freedom == 0
    assert all(row.value == pytest.approx(row.stated) for row in found.rows.values())


@pytest.mark.parametrize("names", ["cluster.gpus cluster.days cluster.usd_per_gpu_hour cluster.stated_usd",
                                   "model.expert_params model.shared_params model.total_params"])  # fmt: skip
def test_pinned_numbers_that_contradict_each_other_are_said_to(names: str):
    """25,000 GPUs for 95 days at $1 are 57 million, not 63; 16 x 111 + 55 billion are 1.831 trillion, not 1.8."""
    found = adjusted(pinned=places(*names.split()))
    assert found.broken
    assert found.chance == 0
    assert not adjusted(pinned="14").broken


def test_everything_free_determines_nothing_and_does_not_fail():
    all_of_them = " ".join(str(place + 1) for place in range(len(numbers())))
    found = adjusted(freed=all_of_them)
    assert found.freedom == 0
    assert all(math.isfinite(row.value) for row in found.rows.values())


def test_measuring_what_one_measures_takes_its_own_spread_away():
    found = adjusted()
    known = [path for path, row in found.rows.items() if row.spread]
    total = sum(found.covariance[path, path] for path in known)
    for number, share in deciding(found):
        own = found.covariance[number.path, number.path] / total
        assert own - 1e-9 <= share <= 1 + 1e-9


def test_the_best_measurement_is_the_best_by_measuring():
    """Pinning a number where it stands leaves the spread that was promised, linear as the network is nearly."""
    found = adjusted()
    known = [path for path, row in found.rows.items() if row.spread]
    best, share = deciding(found)[0]
    after = adjusted(pinned=places(best.path))
    left = sum((after.rows[path].spread or 0) ** 2 for path in known)
    assert left == pytest.approx((1 - share) * sum(found.covariance[p, p] for p in known), rel=0.02)


def test_quantities_are_the_same_by_name():
    assert value("verdict.rent", LEAK) == pytest.approx(adjusted().rows["cluster.usd_per_gpu_hour"].value)
    assert value("verdict.newer_mfu", LEAK) == pytest.approx(value("rerun.implied_mfu", LEAK), rel=0.02)


@pytest.mark.parametrize(
    ("chi2", "freedom", "above"), [(3.841, 1, 0.05), (16.919, 9, 0.05), (0, 4, 1), (2, 2, 1 / math.e)]
)
def test_chi_square(chi2: float, freedom: int, above: float):
    assert chi2_above(chi2, freedom) == pytest.approx(above, abs=1e-4)
    assert chi2_above(1e4, freedom) == 0


def test_linear_algebra_by_hand():
    assert solve([[2, 1], [1, 3]], [[3], [5]]) == [[pytest.approx(0.8)], [pytest.approx(1.4)]]
    assert inverse([[0, 2], [4, 0]]) == [[0, 0.25], [0.5, 0]]
    assert rank([[1, 2, 3], [2, 4, 6], [0, 1, 1]]) == 2
    assert reduced([[1, 2, 3], [0, 1, 1]]) == [[1, 0, 1], [0, 1, 1]]
    with pytest.raises(Singular):
        solve([[1, 2], [2, 4]], [[1], [1]])


def test_a_solution_solves():
    chance = random.Random(3)
    a = [[chance.gauss(0, 1) for _ in range(9)] for _ in range(9)]
    x = [[chance.gauss(0, 1)] for _ in range(9)]
    b = [[sum(row[k] * x[k][0] for k in range(9))] for row in a]
    assert [row[0] for row in solve(a, b)] == pytest.approx([row[0] for row in x])


def test_no_value_near_is_one_clear_error():
    one = next(one for one in equations() if one.title == "Cost")
    stated = logs(LEAK)
    with pytest.raises((ScenarioError, OverflowError)):
        least_squares({**stated, "cluster.gpus": -math.inf}, dict.fromkeys(stated, 1.0),
                      dict.fromkeys(stated, FREE), [one], LEAK)  # fmt: skip
