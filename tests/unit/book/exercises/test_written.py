"""Answers in writing: a cell that is judged and not run, a judgement that the reader compares; both are kept."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from IPython.utils.capture import capture_output

from gpt4lab.book import exercise
from gpt4lab.book.case.case import Case
from gpt4lab.book.case.file import as_html, as_json, merge, read
from gpt4lab.book.exercises.code import codes
from gpt4lab.book.exercises.exercise import WHY, answer
from gpt4lab.book.exercises.written import CodeBox, JudgementBox
from gpt4lab.book.way import Answer

awake = codes()["02-awake"]
QUESTIONS = ("Is it <short>?", "Is it true?", "Does it say whose?")


def in_code(key: str = "02-awake") -> CodeBox:
    return exercise(key, "Write <it>.", code=True, hints=("<One>.", "Two."), because="It is {model.top_k}.")


def in_words(key: str = "t-words") -> JudgementBox:
    return exercise(key, "Write <it>.", model="It is {training.cost}.", questions=QUESTIONS, hints=("One.",))


def test_a_cell_is_judged_and_its_text_kept(capsys: pytest.CaptureFixture[str]) -> None:
    box = in_code()
    with capture_output():
        answer("02-awake", "raise SystemExit\n" + awake.solution)
        assert "The cell stops with SystemExit" in box.said.value
        answer(" 02-awake ", awake.solution)
    assert "All 5 cases" in box.said.value
    kept = Answer.recall("02-awake")
    assert kept
    assert (kept.level, kept.tries, kept.text) == ("right", 2, awake.solution)


def test_a_cell_whose_exercise_is_not_there_says_so() -> None:
    with patch("gpt4lab.book.exercises.exercise.display") as shown:
        answer("99-none", "1 / 0")
    assert "run the cell above first" in shown.call_args.args[0].data


def test_the_solution_in_code_shows_its_arithmetic() -> None:
    box = in_code()
    box.press_solution()
    assert "<pre>def awake(experts, chosen, tokens):" in box._solution.value
    assert "awake(16, 2, 1) is 12.5%" in box._solution.value
    assert "It is 2 experts." in box._solution.value
    assert [button.description for button in box.children[2].children] == ["Hint", "Solution"]


def test_what_was_shown_before_it_was_solved_is_kept_and_comes_back() -> None:
    box = in_code()
    box.press_hint()
    box.press_solution()
    kept = Answer.recall("02-awake")
    assert kept
    assert (kept.level, kept.tries, kept.hints, kept.told) == ("missing", 0, 1, True)
    again = in_code()
    assert "&lt;One&gt;." in again._hint.value
    with capture_output():
        answer("02-awake", awake.solution)
    again.press_hint()
    kept = Answer.recall("02-awake")
    assert kept
    assert (kept.level, kept.tries, kept.hints, kept.told) == ("right", 1, 1, True), "later hints do not count"


def test_a_judgement_is_written_first_then_compared_question_by_question() -> None:
    box = in_words()
    assert (box.press_check().level, box._beside.layout.display) == ("missing", "none")
    box.text = "It is <b>true</b>."
    assert box.press_check().level == "missing"
    assert (box._beside.layout.display, "It is $56.6 million." in box._beside.children[0].value) == ("", True)
    for mark in box.marks:
        mark.set_state({"value": True, "known": True})
    assert "By your own judgement 3 of 3." in box._said.value
    assert WHY.split(",")[0] in box._said.value
    kept = Answer.recall("t-words")
    assert kept
    assert (kept.level, kept.text, [*kept.marks]) == ("right", "It is <b>true</b>.", [True] * 3)


def test_a_judgement_comes_back_as_it_was_left() -> None:
    box = in_words()
    box.text = "Mine."
    box.press_check()
    assert in_words().text == "Mine."
    box.answer = [True, False, True]
    assert box.press_check().level == "almost"
    again = in_words()
    assert (again.text, again.answer, again._beside.layout.display) == ("Mine.", [True, False, True], "")
    assert "Missing: Is it true?" in box._said.value


EVIL = "</pre><script>alert(1)</script>"


def test_what_was_written_goes_along_escaped_and_comes_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    box = in_words()
    box.text = EVIL
    box.answer = [True, True, False]
    box.press_check()
    data = as_json()
    assert json.loads(data)["answers"]["t-words"]["marks"] == [True, True, False]
    page = as_html(Case.read())
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "elsewhere"))
    assert merge(read(data.encode())) == (1, 0)
    assert in_words().text == EVIL


def test_an_older_edition_kept_less() -> None:
    old = Answer.read({"level": "almost", "tries": 2, "when": ""})
    assert old
    assert (old.hints, old.told, old.text, [*old.marks]) == (0, False, "", [])
