"""How many numbers there are, and how likely a closeness is, by hand."""

from __future__ import annotations

import math

import pytest

from gpt4lab.claims import ledger
from gpt4lab.quantities import value
from gpt4lab.scenario import change, load_scenario
from gpt4lab.verdict.coincidence import covered, fingerprints, in_tries
from gpt4lab.verdict.network import equations, numbers
from gpt4lab.verdict.rank import LOST, REBUILT, STATED, content

LEAK = load_scenario("leak")


def test_statements_are_claims_and_what_binds_them_is_known():
    assert all(one.claim in ledger() for one in numbers().values() if one.claim)
    assert {path for one in equations(True) for path in one.members()} == set(numbers())


def test_the_network_says_what_the_ledger_says():
    """A number that a claim states is the same there, or inside the stated range."""
    for path, one in numbers().items():
        if one.claim and ledger()[one.claim].stated and one.half:
            stated = sorted(one.value(LEAK) / number for number in ledger()[one.claim].stated)
            powers = [math.log10(ratio) for ratio in stated]
            assert min(abs(power - round(power)) for power in powers) < 0.05, path


def test_each_equation_takes_one_number_away_unless_it_brings_one():
    """Ten equations; one of them, of the newer machines, brings the utilisation that nobody states."""
    whole = content()
    assert whole.stated == 21
    assert whole.independent == whole.stated - (len(equations()) - 1)
    assert content(block=True).independent == whole.independent - 1  # two more equations, one more unknown


def test_striking_out_what_is_spare_loses_nothing():
    for path, spare in content().spare.items():
        after = content(frozenset([path]))
        assert (after.kinds[path] == REBUILT) is spare
        assert after.kinds[path] in (REBUILT, LOST)
        assert after.independent == content().independent - (not spare)


def test_striking_out_all_loses_all():
    after = content(frozenset(numbers()))
    assert set(after.kinds.values()) == {LOST}
    assert after.independent == 0


def test_more_struck_out_is_more_lost():
    gone, lost = set[str](), 0
    for path in content().spare:
        gone.add(path)
        after = content(frozenset(gone))
        assert len(after.lost) >= lost
        assert STATED not in {after.kinds[there] for there in gone}
        lost = len(after.lost)


def test_by_hand_cost_of_four_numbers():
    """GPUs, days, rent and cost obey one equation: any of them is rebuilt, two are not; MFU and compute bind two."""
    paths = ["cluster.usd_per_gpu_hour", "cluster.stated_usd"]
    assert content(frozenset(paths[:1])).kinds[paths[0]] == REBUILT
    assert {content(frozenset(paths)).kinds[path] for path in paths} == {LOST}


def test_quantities_count_the_same():
    assert value("verdict.statements", LEAK) == 21
    assert value("verdict.lost", change(LEAK, {"adjust.deleted": "14 15"})) == 2


def test_covered_by_hand():
    assert covered([10], math.log(2), 1, 100) == pytest.approx(math.log(4) / math.log(100))
    assert covered([10, 11], math.log(2), 1, 100) == pytest.approx(math.log(4.4) / math.log(100))
    assert covered([1], math.log(2), 1, 100) == pytest.approx(math.log(2) / math.log(100))
    assert covered([3], 50, 1, 100) == pytest.approx(1)


def test_tries_add_up():
    assert in_tries(0.1, 1) == pytest.approx(0.1)
    assert in_tries(0.1, 2) == pytest.approx(0.19)
    assert in_tries(1, 5) == 1


def test_a_fingerprint_is_at_least_as_likely_as_its_rounding():
    for one in fingerprints(LEAK):
        assert 0 < one.chance <= 1
        assert one.within >= one.rounding
        assert one.lo <= one.nearest <= one.hi
