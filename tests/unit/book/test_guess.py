"""A guess: asked before the result, kept, shown again beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpt4lab.book import guess, reveal, store
from gpt4lab.book.guess import QUESTIONS, Question
from gpt4lab.book.way import Guess


def test_a_guess_is_kept_and_shown_beside_the_answer() -> None:
    box = guess("t-flop", "How many?", quantity="flop.per_token", lo=1e9, hi=1e15)
    place = reveal("t-flop")
    assert "not guessed" in place.value
    box.children[1].value = 5.54e14
    box.children[2].click()
    assert "Off by a factor of 1,000." in place.value
    assert QUESTIONS["t-flop"].guess == 5.54e14
    assert Guess.recall("t-flop").value == 5.54e14


def test_a_guess_from_yesterday_stands_on_the_slider_and_beside_the_answer() -> None:
    store.keep("guess", "t-yesterday", 3e10)
    box = guess("t-yesterday", "How many?", quantity="flop.per_token", lo=1e9, hi=1e15)
    assert box.children[1].value == 3e10
    assert "You guessed 30 GFLOP" in reveal("t-yesterday").value


def test_the_slider_starts_where_it_says_nothing_of_the_answer() -> None:
    few, many = (guess(f"t-{answer}", "?", answer=answer, lo=1, hi=1e4).children[1] for answer in (2, 9_000))
    assert few.value == many.value == 100


def test_a_count_is_guessed_in_whole_numbers() -> None:
    control = guess("t-count", "?", answer=53, unit="claim", lo=1, hi=65).children[1]
    assert (control.integer, control.value) == (True, 8)
    assert not guess("t-share", "?", answer=0.5, unit="fraction", lo=0.1, hi=1).children[1].integer


@pytest.mark.parametrize("kept", [5_000, 1e-300, -3, 0, 1e308, {"value": 2, "unit": "kFLOP"}, 10**300])
def test_a_guess_that_no_longer_fits_is_said_and_asked_anew(kept: Any) -> None:
    store.keep("guess", "t-out", kept)
    box = guess("t-out", "?", answer=50, unit="FLOP", lo=1, hi=100)
    assert box.children[1].value == 10
    assert "guess anew" in box.children[3].value
    assert "You guessed" in reveal("t-out").value


@pytest.mark.parametrize("kept", ["b", {"value": "b"}, {"value": 5, "unit": "USD"}, {"value": None}, [], True])
def test_what_is_no_answer_to_this_question_is_passed_over(kept: Any) -> None:
    store.keep("guess", "t-none", kept)
    box = guess("t-none", "?", answer=50, unit="FLOP", lo=1, hi=100)
    assert (box.children[1].value, box.children[3].value) == (10, "")
    assert "not guessed" in reveal("t-none").value


def test_an_option_that_is_gone_is_asked_anew() -> None:
    store.keep("guess", "t-gone", "old")
    box = guess("t-gone", "?", answer="b", options=("a", "b"))
    assert "guess anew" in box.children[3].value
    box.children[2].click()
    assert "You guessed a" in reveal("t-gone").value


def test_kept_is_said_only_of_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = guess("t-said", "?", answer=3, lo=1, hi=10)
    box.children[2].click()
    assert "Kept." in box.children[3].value
    box.children[1].value = 4
    assert box.children[3].value == "", "another guess than the one kept"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "file" / "below"))
    box.children[2].click()
    assert "Kept." not in box.children[3].value
    assert "this session only" in box.children[3].value
    assert "You guessed 4" in reveal("t-said").value


def test_a_word_is_guessed_among_options() -> None:
    box, place = guess("t-word", "Which?", answer="b", options=("a", "b")), reveal("t-word")
    box.children[2].click()
    assert "You guessed a; the answer is b. Not what you thought." in place.value
    box.children[1].value = "b"
    box.children[2].click()
    assert place.value.count("Right.") == 1


@pytest.mark.parametrize(("kept", "words"), [(105, "remarkable"), (91, "remarkable"), (300, "factor of 3"), (5, "20")])
def test_the_distance_is_said_in_words(kept: float, words: str) -> None:
    question = Question("t-far", "?", 100, "day")
    question.keep(kept)
    assert words in question.result()


def test_a_question_and_a_kept_word_cannot_write_on_the_page() -> None:
    store.keep("guess", "t-html", "<img src=x>")
    assert "<b>" not in guess("t-html-2", "<b>How</b> many?", answer=3, lo=1, hi=10).children[0].value
    QUESTIONS["t-html"] = Question("t-html", "?", "a", "")
    assert "<img" not in reveal("t-html").value


def test_each_place_to_answer_has_a_name() -> None:
    box = guess("t-name", "How many?", answer=3, lo=1, hi=10)
    assert box.children[1].label == "Your guess"
    assert box.children[2].description == "Keep my guess"
