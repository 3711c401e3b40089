"""The review: questions that cannot go stale, judged by a factor, asked again when their day has come."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from gpt4lab.book import chapters
from gpt4lab.book.case import review as reviewing
from gpt4lab.book.case import signing
from gpt4lab.book.case.review import DAYS, answered, due, questions
from gpt4lab.book.case.review_box import ReviewBox
from gpt4lab.book.way import Opened, Review
from gpt4lab.claims import judge, ledger
from gpt4lab.quantities import value
from gpt4lab.scenario import load_scenario

ALL = pytest.mark.parametrize("key", sorted(questions()))


@ALL
def test_what_is_asked_comes_out_of_the_claim(key: str) -> None:
    question, result = questions()[key], judge(ledger()[key.partition(".")[0]], load_scenario("leak"))
    name = key.partition(".")[2]
    found = (value(name, load_scenario("leak")),) if name else result.recomputed
    assert (question.low, question.high) == (min(found), max(found))
    assert question.claim in question.solved()
    for end in (question.low, question.high):
        assert question.check(repr(end)).level == "right"


@ALL
def test_a_question_does_not_give_the_stated_number_away(key: str) -> None:
    quote = re.search(r"The claim: “(.*)”$", questions()[key].text)
    assert not quote or not re.search(r"\d", quote[1])


@ALL
@pytest.mark.parametrize(("off", "level"), [(1.09, "right"), (1.2, "almost"), (1.9, "wrong"), (50, "wrong")])
def test_an_answer_is_judged_by_its_factor(key: str, off: float, level: str) -> None:
    question = questions()[key]
    assert question.check(repr(question.high * off)).level == level
    assert question.check(repr(question.low / off)).level == level


@pytest.mark.parametrize("text", ["", "much", "1e999", "0,5", "12 lemons"])
def test_what_is_no_number_is_asked_for_again(text: str) -> None:
    assert questions()["C12"].check(text).level == "missing"
    assert questions()["C12"].check("-3").level == "wrong"


def test_every_chapter_that_is_written_fills_a_review() -> None:
    per_chapter = Counter(ledger()[question.claim].chapter for question in questions().values())
    assert {number: count for number, count in per_chapter.items() if number in chapters() and count < 4} == {}
    assert {*chapters()} - {*per_chapter} == {"00"}  # it has no numbers of its own


def test_what_is_to_be_signed_first_is_not_asked_before() -> None:
    Opened().keep("03")
    signing.wish(True)
    assert due() == []
    signing.sign(ledger()["C12"], "unit-error", 0.9)
    assert [question.key for question in due()] == ["C12"]
    signing.wish(False)
    assert len(due()) == 4


def test_nothing_is_due_before_a_chapter_is_opened() -> None:
    assert due() == []
    Opened().keep("03")
    assert [question.key for question in due()] == ["C11", "C12", "C13", "C14"]
    assert Review.all() == {}


def test_what_is_known_comes_back_later_and_later_and_what_is_not_the_next_day() -> None:
    day, waits = "2026-01-01", []
    for level in ("right", "right", "right", "right", "almost", "wrong"):
        answered("C12", level, day)
        kept = Review.recall("C12")
        assert kept is not None
        waits.append(_days(day, kept.due))
        day = kept.due
    assert waits == [*DAYS, DAYS[-1], DAYS[-1], DAYS[0]]
    assert [question.key for question in due(day)] == ["C12"]
    eve = reviewing.datetime.fromisoformat(day) - reviewing.timedelta(days=1)
    assert due(eve.date().isoformat()) == []


def test_what_a_clock_that_was_wrong_put_off_for_years_is_asked_now() -> None:
    Opened().keep("03")
    for day, then in (("2026-01-01", "C12"), ("2099-01-01", "C13")):
        answered(then, "right", day)
    assert [question.key for question in due("2026-01-01")][:1] == ["C13"]
    assert "C12" not in [question.key for question in due("2026-01-01")]


def _days(here: str, there: str) -> int:
    return (reviewing.datetime.fromisoformat(there) - reviewing.datetime.fromisoformat(here)).days


def test_the_longest_due_comes_first_and_at_most_five() -> None:
    for key, day in {"C12": "2026-02-02", "C13": "2026-01-02", "C29": "2026-03-30"}.items():
        Review(day).keep(key)
    for chapter in ("02", "03", "09"):
        Opened().keep(chapter)
    found = [question.key for question in due("2026-03-01")]
    assert found[:2] == ["C13", "C12"]
    assert len(found) == 5
    assert "C29" not in found


def test_a_review_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    Opened().keep("03")
    box = ReviewBox()
    box.send()
    box.begin()
    first = box.waiting[0]
    box.field.value = "many"
    box.field.sent += 1
    assert "not a number" in box.said.value
    assert box.waiting[0] is first
    box.field.value = "277B"
    box.field.sent += 1
    assert "Within a tenth" in box.said.value
    while box.waiting:
        box.field.value = "1"
        box.field.sent += 1
    assert "all for today" in box.asked.value
    assert {key: kept.went for key, kept in Review.all().items()}["C11"] == "right"
    box.begin()
    assert "Nothing is due" in box.asked.value


def test_a_review_in_the_terminal_ends_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    Opened().keep("03")
    typed: list[Any] = ["many", "277B", EOFError]

    def type_next() -> str:
        text = typed.pop(0)
        if text is EOFError:
            raise EOFError
        return text

    monkeypatch.setattr("builtins.input", type_next)
    lines = list(reviewing.asked())
    assert [line[:6] for line in lines] == ["1 of 4", "“many”", "Within", "2 of 4"]
    assert list(Review.all()) == ["C11"]
