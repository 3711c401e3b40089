"""Strands by hand, and what must hold of any evidence."""

from __future__ import annotations

import itertools

import pytest

from gpt4lab import catalog
from gpt4lab.quantities import value
from gpt4lab.scenario import ScenarioError, change, load_scenario
from gpt4lab.verdict.strands import (
    BY_STRAND,
    COUNTINGS,
    DERIVED,
    EVERY,
    ONE,
    Item,
    grouped,
    moves,
    posterior,
    questions,
    weigh,
    weighed,
)

LEAK = load_scenario("leak")
ALL = [(name, items) for name, (_, items) in questions().items()]


def test_by_hand():
    """Prior one in five, witnesses worth 10, 2 and 1/2: odds 1/4 x 10 = 2.5."""
    assert posterior(0.2, [10, 2, 0.5]) == pytest.approx(2.5 / 3.5)


def test_two_words_of_one_source_are_the_stronger_one():
    a, b = Item("the-article", (4, 4), ""), Item("the-article", (3, 3), "")
    assert weigh("", 0.5, {"leak": [a, b]}, 0.5).posterior == pytest.approx(0.8)
    assert weigh("", 0.5, {"1": [a], "2": [b]}, 0.5).posterior == pytest.approx(12 / 13)


@pytest.mark.parametrize(("name", "items"), ALL)
def test_merging_two_strands_never_says_more(name: str, items: tuple[Item, ...]):
    """What they say together, away from one, shrinks or stays on each side."""
    for lean in (0, 0.5, 1):
        groups = grouped(items, BY_STRAND, {})
        for one, other in itertools.combinations(groups, 2):
            rest = {key: of for key, of in groups.items() if key not in (one, other)}
            apart = [strand.ratio for strand in weigh(name, 0.2, groups, lean).strands if strand.name in (one, other)]
            merged = weigh(name, 0.2, {**rest, "both": [*groups[one], *groups[other]]}, lean).strands[-1].ratio
            if DERIVED not in (one, other) and min(apart) >= 1:
                assert merged <= apart[0] * apart[1] + 1e-12
            if DERIVED not in (one, other) and max(apart) <= 1:
                assert merged >= apart[0] * apart[1] - 1e-12


@pytest.mark.parametrize(("name", "items"), ALL)
def test_what_is_derived_says_nothing(name: str, items: tuple[Item, ...]):
    kept = [item for item in items if item.entry.strand != DERIVED]
    with_it, without = (weigh(name, 0.3, grouped(of, BY_STRAND, {}), 1).posterior for of in (items, kept))
    assert with_it == pytest.approx(without)


@pytest.mark.parametrize("name", list(questions()))
def test_one_rumour_is_less_than_every_article(name: str):
    told = [weighed(change(LEAK, {"strands.question": name, "strands.counting": way})) for way in COUNTINGS]
    by_strand, every, one = (found.posterior for found in told)
    items = questions()[name][1]
    if all(item.band[0] >= 1 for item in items):
        assert one <= by_strand <= every
    assert all(found.low <= found.posterior <= found.high for found in told)


def test_order_does_not_matter_and_the_prior_does():
    name, items = ALL[0]
    there, back = (weigh(name, 0.2, grouped(of, EVERY, {}), 0.5).posterior for of in (items, items[::-1]))
    assert there == pytest.approx(back)
    rising = [weigh(name, prior, grouped(items, ONE, {}), 0.5).posterior for prior in (0.01, 0.2, 0.5, 0.9)]
    assert rising == sorted(rising)


def test_moving_an_item_moves_it():
    assert moves("3=leak 1=press") == {3: "leak", 1: "press"}
    items = questions()["sixteen experts"][1]
    groups = grouped(items, BY_STRAND, {items[0].number: "press"})
    assert items[0] in groups["press"]
    one = change(LEAK, {"strands.moved": "10=leak"})
    assert value("verdict.posterior", one) < value("verdict.posterior", LEAK)


@pytest.mark.parametrize(
    ("moved", "said"), [("4=moon", "no move"), ("99=leak", "1 to 16"), ("4=leak 4=press", "twice")]
)
def test_a_move_that_moves_nothing_is_refused(moved: str, said: str):
    with pytest.raises(ScenarioError, match=said):
        change(LEAK, {"strands.moved": moved})


def test_a_move_means_the_same_item_whatever_is_asked():
    known = {(item.number, item.evidence) for _, items in questions().values() for item in items}
    assert len({number for number, _ in known}) == len({key for _, key in known}) == len(known)


def test_every_witness_is_in_the_catalog_and_bands_are_bands():
    for _, items in questions().values():
        assert len({item.evidence for item in items}) == len(items)
        for item in items:
            low, high = item.band
            assert 0 < low <= high
            assert item.why
            assert all(source.status == "confirmed" for source in catalog.evidence[item.evidence].sources)
            assert (item.entry.strand == DERIVED) <= (not item.entry.independent)
