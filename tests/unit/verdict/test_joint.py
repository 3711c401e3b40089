"""Joint flips are verified by substitution; a tornado stands on what was published."""

from __future__ import annotations

import itertools

import pytest

from gpt4lab.claims import ledger
from gpt4lab.claims.audit import holds
from gpt4lab.claims.sensitivity import flips, limits, walked
from gpt4lab.quantities import value
from gpt4lab.scenario import FIELDS, change, load_scenario
from gpt4lab.scenario.published import published
from gpt4lab.verdict.joint import in_words, joint_flip, moved, tornado

LEAK = load_scenario("leak")


@pytest.mark.parametrize("key", list(ledger()))
def test_a_joint_flip_flips(key: str):
    claim = ledger()[key]
    found = joint_flip(claim, LEAK)
    if not claim.checkable:
        assert found is None
        assert in_words(found, claim) == "–"
        return
    if found is None:
        assert in_words(found, claim) == "none"
        return
    assert holds(claim, LEAK, found.settings()) is found.holds is not holds(claim, LEAK)
    assert set(found.moves) <= set(walked(claim, LEAK))
    for path, (here, there) in found.moves.items():
        low, high = limits(path, LEAK)
        assert low <= there <= high
        assert here != there
    change(LEAK, found.settings())  # what is assumed can be


def test_a_joint_flip_is_no_larger_than_the_single_one():
    """The most that any of several must move is at most what one alone must, or there is something in between."""
    smaller = 0
    for claim in ledger().values():
        single, joint = next(iter(flips(claim, LEAK, 1)), None), joint_flip(claim, LEAK)
        smaller += bool(single and joint and len(joint.moves) > 1 and joint.change < abs(single.change))
    assert smaller >= 10


def test_two_numbers_by_hand():
    """C23: 7.5 million is 60 million times 2 / 16, within 3%: a batch 2.9% smaller flips it, before one 3.1% larger."""
    found = joint_flip(ledger()["C23"], LEAK)
    assert found is not None
    assert found.moves["training.batch_tokens"][1] == pytest.approx(7.5e6 / 1.03 * 8, rel=1e-3)


@pytest.mark.parametrize("quantity", ["training.cost", "rerun.improvement", "data.books_tokens", "training.days"])
def test_a_tornado_stands_on_published_ranges(quantity: str):
    bars, without = tornado(quantity, LEAK)
    assert bars
    assert [bar.width for bar in bars] == sorted((bar.width for bar in bars), reverse=True)
    for bar in bars:
        known = published(bar.path, LEAK)
        assert known is not None
        assert known.lo <= bar.lo < bar.hi <= known.hi
        assert bar.source == known.source
        assert value(quantity, change(LEAK, {bar.path: bar.hi})) == bar.at_hi
    assert not {bar.path for bar in bars} & set(without)
    assert all(published(path, LEAK) is None for path in without)


@pytest.mark.parametrize("key", ["C08", "C11", "C15", "C29", "C51", "F02"])
def test_no_corner_of_a_smaller_box_flips(key: str):
    """Every number up or down by nearly as much, in every combination: a direction that was not tried would show."""
    claim = ledger()[key]
    found = joint_flip(claim, LEAK)
    assert found is not None
    most = max(max(there / here, here / there) for here, there in found.moves.values())
    paths = [
        path for path in walked(claim, LEAK) if not FIELDS[path].whole and not FIELDS[path].unit.startswith("byte")
    ]
    for signs in itertools.product((1, -1), repeat=len(paths)):
        there = moved(LEAK, dict(zip(paths, signs, strict=True)), 1 + 0.98 * (most - 1))
        assert holds(claim, LEAK, there) == holds(claim, LEAK), there


def test_what_helps_is_how_far_a_number_is_from_its_bound():
    """C51: a penalty may not be less than how many times larger the model is; both sides move."""
    found = joint_flip(ledger()["C51"], LEAK)
    assert found is not None
    assert set(found.moves) >= {"model.expert_params", "model.shared_params"}
