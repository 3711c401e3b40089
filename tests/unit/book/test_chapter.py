"""The frame of a chapter: opening, closing, the way to the others."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gpt4lab.book import chapter, chapters, closing, opening, references
from gpt4lab.book.chapter import introduction
from gpt4lab.book.prose import priced
from gpt4lab.book.way import Answer
from gpt4lab.catalog import references as known
from gpt4lab.claims import claims_of
from gpt4lab.claims.prose import fill


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is displayed."""
    shown: list[str] = []
    monkeypatch.setattr(
        chapter, "display", lambda *pieces: shown.extend(getattr(piece, "data", "") for piece in pieces)
    )
    return shown


@pytest.mark.parametrize("number", chapters())
def test_an_introduction_says_the_conflict_the_stakes_and_the_number_of_claims(number: str) -> None:
    said = introduction(number).data
    assert priced(chapters()[number].conflict.still) in said
    assert priced(chapters()[number].stakes) in said
    assert f"{len(claims_of(number))} claims" in said


def test_an_opening_brings_the_stylesheet_once(page: list[str]) -> None:
    opening("03")
    assert sum("gpt4lab-panel" in piece for piece in page) == 1


def test_the_way_counts_what_was_opened_and_solved(page: list[str]) -> None:
    Answer("right", 2).keep("03-unit")
    Answer("almost", 2).keep("03-flop")
    opening("03")
    opening("09")
    opening("03")
    assert f"2 of {len(chapters())} chapters opened, 1 exercise solved" in "".join(page)


@pytest.mark.parametrize("frame", [introduction, closing])
def test_neighbours_are_linked_and_the_ends_have_one_only(frame: Any) -> None:
    order = list(chapters())
    for number in order:
        links = frame(number).data.splitlines()[-1]
        at = order.index(number)
        assert ("← " in links, " →" in links) == (at > 0, at + 1 < len(order))
        assert all(
            chapters()[other].file + ".ipynb" in links for other in order[max(at - 1, 0) : at + 2] if other != number
        )


def test_a_closing_says_what_to_take_away() -> None:
    assert priced(fill(chapters()["14"].takeaway)) in closing("14").data


@pytest.mark.parametrize("number", chapters())
def test_a_takeaway_can_be_quoted_as_it_stands(number: str) -> None:
    """It is short, begins with what it speaks of, and has a number, in digits or in words."""
    said = fill(chapters()[number].takeaway)
    assert len(said.split()) <= 75
    assert not re.match(r"(It|They|That|This|The law|The sums)\b", said)
    assert re.search(r"\d|\b(two|three|four|five|six|eight|sixteen|twenty|hundred|thousand)", said.lower())


def test_references_are_cited_with_their_link() -> None:
    text = references("leviathan2023").data
    assert priced(known["leviathan2023"].text()) in text
    with pytest.raises(KeyError):
        references("leviathan2032")
