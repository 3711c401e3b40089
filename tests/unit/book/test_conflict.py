"""The conflict of each chapter's first screen: a claim in its own words, numbers that are computed, and one move."""

from __future__ import annotations

import re

import pytest

from gpt4lab.book import chapters
from gpt4lab.book.conflict import ConflictBox, State
from gpt4lab.claims import judge, ledger
from gpt4lab.claims.audit import holds
from gpt4lab.scenario import load_scenario

CONFLICTS = {number: chapter.conflict for number, chapter in chapters().items()}
STATES = {
    f"{number} {name}": state
    for number, conflict in CONFLICTS.items()
    for name, state in (("first", conflict.first), ("moved", conflict.moved))
}
DIGITS = re.compile(r"(?<![A-Z\d])\d{2,}|\d+[.,]\d")  # numbers that were typed where they should be computed


def page_of(box: ConflictBox) -> str:
    return " ".join(child.value for child in box.children if hasattr(child, "value"))


@pytest.mark.parametrize("number", CONFLICTS)
def test_it_quotes_a_claim_of_the_post(number: str) -> None:
    quoted = re.findall(r"\{([A-Z]\d+)\.quote", CONFLICTS[number].claim)
    assert quoted
    assert set(quoted) <= set(ledger())


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_its_numbers_are_computed_and_not_typed(state: State) -> None:
    texts = (*state.claimed, *state.found, state.gap, state.how)
    typed = [found for text in texts for found in DIGITS.findall(re.sub(r"\{[^}]*\}", "", text))]
    assert set(typed) <= {"90", "100", "2022", "32"}  # the range that the post names, a year
    assert re.search(r"\{(gap|times|share)\}", state.gap) or state.assume


@pytest.mark.parametrize("number", CONFLICTS)
def test_the_button_leads_to_other_numbers_and_back(number: str) -> None:
    box = ConflictBox(CONFLICTS[number])
    first, offered = page_of(box), box.button.description
    box.button.click()
    moved = page_of(box)
    assert moved != first
    assert box.button.description == CONFLICTS[number].back
    box.button.click()
    assert (page_of(box), box.button.description) == (first, offered)
    for text in (first, moved, offered):
        assert "{" not in text


@pytest.mark.parametrize(
    "state", [s for s in STATES.values() if s.assume], ids=[k for k, s in STATES.items() if s.assume]
)
def test_what_it_assumes_is_what_the_claim_needs(state: State) -> None:
    claim, leak = ledger()[state.assume], load_scenario("leak")
    assert judge(claim, leak).verdict not in ("consistent", "unit-error")
    assert holds(claim, leak, claim.assume)


@pytest.mark.parametrize(
    ("number", "first", "moved"), [("00", "1,000 times too short", "right"), ("09", "5% too high", "right")]
)
def test_the_gap_is_said_in_words(number: str, first: str, moved: str) -> None:
    conflict = CONFLICTS[number]
    assert first in conflict.first.in_words(conflict.first.gap)
    assert moved in conflict.moved.in_words(conflict.moved.gap)


def test_the_still_says_claim_result_and_gap() -> None:
    for conflict in CONFLICTS.values():
        said = conflict.first.in_words
        wanted = (conflict.first.claimed[1], conflict.first.found[1], conflict.first.gap)
        assert all(said(text) in conflict.still for text in wanted)
