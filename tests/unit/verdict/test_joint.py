"""Joint flips are verified by substitution; a tornado stands on what was published."""

from __future__ import annotations

import pytest

from gpt4lab.claims import ledger
from gpt4lab.claims.audit import holds
from gpt4lab.claims.sensitivity import flips, limits, walked
from gpt4lab.quantities import value
from gpt4lab.scenario import change, load_scenario
from gpt4lab.scenario.published import published
from gpt4lab.verdict.joint import in_words, joint_flip, tornado

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
    """C23: 7.5 million is 60 million times 2 / 16, within 3%: a batch 3.1% larger flips it."""
    found = joint_flip(ledger()["C23"], LEAK)
    assert found is not None
    assert found.moves["training.batch_tokens"][1] == pytest.approx(7.5e6 / 0.97 * 8, rel=1e-3)


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
