"""A guess: asked before the result, with a band, kept, and drawn again beside it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import jupytext
import pytest

from gpt4lab.book import guess, guesses, reveal, store
from gpt4lab.book.guess import QUESTIONS, Question
from gpt4lab.book.way import Guess
from gpt4lab.panels.band import BandControl
from gpt4lab.panels.controls import ControlError
from tools.notebooks import NOTEBOOKS, behind, names, statements


def words(place: Any) -> str:
    """What a place of the answer says."""
    return place.children[0].value


def ask(place: Any) -> None:
    """Press “Show the answer”."""
    place.children[1].click()


# --- every question of the book -------------------------------------------------------------------------------------


def asked(text: Path) -> list[ast.stmt]:
    """The guesses of a chapter, each behind the statements on which it rests."""
    code = [statement for cell in jupytext.read(text).cells for statement in statements(cell)]
    calls = [at for at, statement in enumerate(code) if called(statement) == "guess"]
    return [each for at in calls for each in [*behind(names(code[at], ast.Load), code[:at]), code[at]]]


def called(statement: ast.stmt) -> str:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""


@pytest.fixture(scope="module", params=sorted((NOTEBOOKS / "text").glob("*.md")), ids=lambda text: text.stem)
def chapter(request: pytest.FixtureRequest) -> list[Question]:
    """The questions of one chapter, asked as it asks them."""
    QUESTIONS.clear()
    exec(compile(ast.Module(asked(request.param), []), str(request.param), "exec"), {})
    return list(QUESTIONS.values())


def test_each_chapter_asks_and_shows_all_guesses_again(chapter: list[Question]) -> None:
    assert chapter
    number = chapter[0].key[:2]
    assert all(question.key.startswith(f"{number}-") for question in chapter)
    assert len(guesses(number).children) == len(chapter) + 2
    text = next((NOTEBOOKS / "text").glob(f"{number}*.md")).read_text("utf-8")
    assert all(f'reveal("{question.key}")' in text for question in chapter)
    assert text.index(f'guesses("{number}")') > max(text.index(f'reveal("{question.key}")') for question in chapter)


def test_each_answer_lies_on_its_axis_and_the_start_does_not_tell_it(chapter: list[Question]) -> None:
    for question in chapter:
        control = question.chart()
        assert control.lo <= question.answer <= control.hi, question.key
        assert control.low <= control.value <= control.high
        assert control.value != pytest.approx(question.answer, rel=0.05), question.key
        assert 3 <= len(control.ticks) <= 9


def test_each_guess_with_a_band_comes_back_and_is_told(chapter: list[Question]) -> None:
    for at, question in enumerate(chapter, 1):
        for share in (0, 0.3, 1):
            store.keep("guess", question.key, None)
            places = [reveal(question.key), guesses(question.key[:2]).children[at]]
            value = control_at(question, share)
            assert question.keep(value, *sorted((question.answer, value)), "because")
            assert (question.guess, question.kept.held) == (value, True)
            assert all("the answer is" not in words(place) for place in places)
            ask(places[0])  # and both tell
            for place in places:
                assert "Your band held it." in words(place)
                assert "because" in words(place)
                assert (place.children[2].told, place.children[2].layout.display) == (question.result(), "")


def control_at(question: Question, share: float) -> float:
    """A number on the axis of a question."""
    lo, hi = question.lo, question.hi
    exact = lo + (hi - lo) * share
    return round(exact) if isinstance(question.answer, int) else exact


# --- asked, kept, shown again ---------------------------------------------------------------------------------------


def test_a_guess_is_kept_with_its_band_and_shown_beside_the_answer() -> None:
    box = guess("t-flop", "How many?", quantity="flop.per_token", lo=1e9, hi=1e15)
    place = reveal("t-flop")
    assert "not guessed" in words(place)
    assert [part.layout.display for part in place.children[1:]] == ["none", "none"]
    control = box.children[1]
    control.value, control.low, control.high, control.why = 5.54e14, 1e14, 6e14, " two  "
    box.children[2].click()
    assert "you can still change that above" in words(place)
    assert [part.layout.display for part in place.children[1:]] == ["", "none"]
    ask(place)
    assert [part.layout.display for part in place.children[1:]] == ["none", ""]
    assert "1,000 times too high. Your band did not hold it." in words(place)
    assert "between 100 TFLOP and 600 TFLOP per token" in words(place)
    kept = Guess.recall("t-flop")
    assert (kept.value, kept.low, kept.high, kept.why, kept.held) == (5.54e14, 1e14, 6e14, "two", False)


def test_who_has_seen_the_answer_guesses_no_more() -> None:
    box = guess("t-once", "How many?", answer=50, lo=1, hi=100)
    box.children[1].value = 30
    box.children[2].click()
    box.children[1].value = 40
    box.children[2].click()
    place, end = reveal("t-once"), guesses("t")  # that these cells have run shows nothing yet
    box.children[1].value = 45
    box.children[2].click()
    assert Guess.recall("t-once").value == 45
    assert "the answer is" not in words(place)
    assert "answers" not in end.children[-1].value
    ask(place)
    box.children[1].value = 50
    box.children[2].click()
    assert "your first guess stays" in box.children[3].value
    QUESTIONS["t-once"].keep(50, 49, 51)
    kept = Guess.recall("t-once")
    assert (kept.value, kept.seen, kept.asked) == (45, True, "How many?")
    assert "You guessed 45" in words(place)


def test_an_end_of_the_band_at_an_end_of_a_log_axis_lies_open() -> None:
    box = guess("t-open", "?", answer=0, unit="sequence", lo=1, hi=1_000_000)
    box.children[1].stand(1_000)
    box.children[1].low = 1
    box.children[2].click()
    kept = Guess.recall("t-open")
    assert (kept.low, kept.held) == (None, True)
    assert "at most 32,000 sequences" in words(reveal("t-open"))
    again = guess("t-open", "?", answer=0, unit="sequence", lo=1, hi=1_000_000).children[1]
    assert (again.low, again.high, again.banded) == (1, 32_000, True)


def test_a_guess_of_an_older_edition_shows_without_a_band() -> None:
    store.keep("guess", "t-yesterday", 3e10)
    box = guess("t-yesterday", "How many?", quantity="flop.per_token", lo=1e9, hi=1e15)
    place = reveal("t-yesterday")
    ask(place)
    assert (box.children[1].value, box.children[1].banded) == (3e10, False)
    assert "You guessed 30 GFLOP" in words(place)
    assert "band" not in words(place)
    assert (place.children[2].value, place.children[2].low, place.children[2].high) == (3e10, None, None)


def test_the_axis_starts_where_it_says_nothing_of_the_answer() -> None:
    few, many = (guess(f"t-{answer}", "?", answer=answer, lo=1, hi=1e4).children[1] for answer in (2, 9_000))
    assert few.value == many.value == 100
    assert (few.low, few.high) == (many.low, many.high) == (10, 1_000)


def test_an_input_of_the_scenario_brings_its_range() -> None:
    control = guess("t-mfu", "?", quantity="training.mfu").children[1]
    assert (control.lo, control.hi, control.unit) == (0.01, 1, "fraction")


@pytest.mark.parametrize(
    ("lo", "hi", "unit", "scale"), [(1, 65, "claim", "linear"), (0.5, 10, "x", "log"), (1, 100, "day", "log")]
)
def test_an_axis_is_log_for_a_ratio_and_over_two_decades(lo: float, hi: float, unit: str, scale: str) -> None:
    assert BandControl("Guess", unit, lo, hi).scale == scale


def test_a_count_is_guessed_in_whole_numbers() -> None:
    control = guess("t-count", "?", answer=53, unit="claim", lo=1, hi=65).children[1]
    assert (control.integer, control.value) == (True, 33)
    assert not guess("t-share", "?", answer=0.5, unit="fraction", lo=0.1, hi=1).children[1].integer


def test_an_end_of_the_band_outside_the_axis_is_refused_and_nothing_is_lost() -> None:
    control = BandControl("Your guess", "USD", 1e6, 1e10)
    with pytest.raises(ControlError, match=r"Your guess: \$1 is outside"):
        control.low = 1
    assert control.low == 1e7


@pytest.mark.parametrize("kept", [5_000, 1e-300, -3, 0, 1e308, {"value": 2, "unit": "kFLOP"}, 10**300])
def test_a_guess_that_no_longer_fits_is_said_and_asked_anew(kept: Any) -> None:
    store.keep("guess", "t-out", kept)
    box = guess("t-out", "?", answer=50, unit="FLOP", lo=1, hi=100)
    assert box.children[1].value == 10
    assert "guess anew" in box.children[3].value
    place = reveal("t-out")
    ask(place)
    assert "You guessed" in words(place)
    assert place.children[2].layout.display == "none"


@pytest.mark.parametrize("kept", ["b", {"value": "b"}, {"value": 5, "unit": "USD"}, {"value": None}, [], True])
def test_what_is_no_answer_to_this_question_is_passed_over(kept: Any) -> None:
    store.keep("guess", "t-none", kept)
    box = guess("t-none", "?", answer=50, unit="FLOP", lo=1, hi=100)
    assert (box.children[1].value, box.children[3].value) == (10, "")
    assert "not guessed" in words(reveal("t-none"))


def test_an_option_that_is_gone_is_asked_anew() -> None:
    store.keep("guess", "t-gone", "old")
    box = guess("t-gone", "?", answer="b", options=("a", "b"))
    assert "guess anew" in box.children[3].value
    box.children[2].click()
    assert "You guessed a" in words(reveal("t-gone"))


def test_kept_is_said_only_of_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = guess("t-said", "?", answer=3, lo=1, hi=10)
    box.children[2].click()
    assert "Place your guess first" in box.children[3].value, "nobody has moved it yet"
    assert Guess.recall("t-said") is None
    box.children[1].stand(3)
    box.children[2].click()
    assert "Kept." in box.children[3].value
    box.children[1].value = 4
    assert box.children[3].value == "", "another guess than the one kept"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "file" / "below"))
    box.children[2].click()
    assert "Kept." not in box.children[3].value
    assert "this session only" in box.children[3].value
    assert "You guessed 4" in words(reveal("t-said"))


def test_a_word_is_guessed_among_options() -> None:
    box, place = guess("t-word", "Which?", answer="b", options=("a", "b")), reveal("t-word")
    box.children[2].click()
    ask(place)
    assert "You guessed a; the answer is b. Not what you thought." in words(place)
    store.keep("guess", "t-word", None)
    box.children[1].value = "b"
    box.children[2].click()
    ask(place)
    assert words(place).count("Right.") == 1


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (105, "remarkable"),
        (91, "remarkable"),
        (300, "3 times too high"),
        (5, "20 times too low"),
        (70, "30% too low"),
        (1e30, "high by 28 powers of ten"),
        (0, "100 days too low"),
        (100, "Exactly right"),
    ],
)
def test_the_gap_is_said_in_words(kept: float, said: str) -> None:
    question = Question("t-far", "?", 100, "day")
    question.keep(kept)
    question.show_answer()
    assert said in question.result()


def test_a_gap_of_shares_is_one_of_percentage_points() -> None:
    question = Question("t-share", "?", 0.98, "fraction", 0.1, 1)
    question.keep(0.5)
    question.show_answer()
    assert "48 percentage points too low." in question.result()


def test_the_end_of_a_chapter_counts_the_bands_that_held() -> None:
    for key, high in (("zz-a", 60), ("zz-b", 20)):
        guess(key, "?", answer=50, unit="day", lo=1, hi=100)
        QUESTIONS[key].keep(10, 5, high)
    assert guesses("zz").children[-1].value == ""
    for key in ("zz-a", "zz-b"):
        QUESTIONS[key].show_answer()
    assert "Your bands held 1 of 2 answers." in guesses("zz").children[-1].value
    QUESTIONS["zz-b"].keep(10, 5, 70)  # who has seen the answer can hold it
    assert "1 of 2" in guesses("zz").children[-1].value


def test_a_question_and_a_kept_word_cannot_write_on_the_page() -> None:
    store.keep("guess", "t-html", "<img src=x>")
    assert "<b>" not in guess("t-html-2", "<b>How</b> many?", answer=3, lo=1, hi=10).children[0].value
    QUESTIONS["t-html"] = Question("t-html", "?", "a", "")
    assert "<img" not in words(reveal("t-html"))
    QUESTIONS["t-html-2"].keep(3, 2, 4, "<img src=x>")
    assert "<img" not in words(reveal("t-html-2", asked=True))


def test_each_place_to_answer_has_a_name() -> None:
    box = guess("t-name", "How many?", answer=3, lo=1, hi=10)
    assert box.children[1].label == "Your guess"
    assert box.children[2].description == "Keep my guess"


def test_a_guess_needs_no_numpy() -> None:
    """So that it can be asked in a browser's Python."""
    code = "from gpt4lab.book.guess import guess, reveal; guess('t', '?', answer=3, lo=1, hi=10); reveal('t')"
    check = f"{code}; import sys; assert not {{'numpy', 'torch', 'pandas'}} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", check], check=True)
