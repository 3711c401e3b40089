"""An exercise on the page: answer, feedback, hints one by one, the solution."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gpt4lab.book import EXERCISES, exercise
from gpt4lab.book.exercises.box import ExerciseBox
from gpt4lab.book.way import Answer
from gpt4lab.chapters.c03_flop.flop import token

KINDS = ("number", "choice", "panel")


def shown(kind: str, key: str = "t") -> ExerciseBox:
    words: dict[str, Any] = {"hints": ("<First>.", "Second."), "because": "It is <so>."}
    if kind == "number":
        return exercise(f"{key}-{kind}", "What <is> 2N?", quantity="flop.per_token", **words)
    if kind == "choice":
        return exercise(f"{key}-{kind}", "Which <one>?", options=("a", "b"), answer="b", **words)
    goal = {"flop.per_token": (1e12, float("inf"))}
    return exercise(
        f"{key}-{kind}", "Reach <it>.", panel=token.widget(), goal=goal, solution={"model.top_k": 5}, **words
    )


def test_solved_exercise_is_kept() -> None:
    box = exercise("t-1", "What is 2N?", quantity="flop.per_token", hints=("Two.", "Times N."), because="It is.")
    box.press_hint()
    box.answer = "554e9"
    assert box.press_check().level == "right"
    assert Answer.recall("t-1").solved
    assert "t-1" in EXERCISES
    box.press_solution()
    assert "554" in box._solution.value


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_solved_before_the_reader_begins(kind: str) -> None:
    box = shown(kind)
    assert box.press_check().level in ("missing", "wrong", "almost")
    assert not any(answer.solved for answer in Answer.all().values())
    assert "It is" not in box._said.value, "the reason waits for the right answer"


@pytest.mark.parametrize("kind", KINDS)
def test_the_solution_put_in_is_right_says_why_and_is_kept(kind: str) -> None:
    box = shown(kind)
    right = box.exercise.task.solution
    box.answer = right if kind == "panel" else str(right)
    assert box.press_check().level == "right"
    assert "It is &lt;so&gt;." in box._said.value
    assert Answer.recall(box.exercise.key).solved


@pytest.mark.parametrize("kind", KINDS)
def test_hints_come_one_by_one_and_then_no_more(kind: str) -> None:
    box, seen = shown(kind), []
    for _ in range(3):
        box.press_hint()
        seen.append(box._hint.value.count("<li>"))
    assert seen == [1, 2, 2]
    assert "&lt;First&gt;." in box._hint.value


@pytest.mark.parametrize("kind", KINDS)
def test_the_solution_is_shown_in_words(kind: str) -> None:
    box = shown(kind)
    box.press_solution()
    assert "Solution." in box._solution.value
    assert "It is &lt;so&gt;." in box._solution.value


@pytest.mark.parametrize("answer", ["nan", "inf", "1e999", "9" * 400, "5e-324", "1e-320", "many", ""])
def test_an_answer_that_cannot_be_judged_takes_the_place_of_the_verdict(answer: str) -> None:
    box = shown("number")
    check = box.children[2].children[0]
    box.answer = "554e9"
    check.click()
    assert "Correct" in box._said.value
    box.answer = answer
    assert box._said.value == "", "a verdict goes with its answer"
    check.click()
    assert "Correct" not in box._said.value
    assert box._said.value.count("<p>") == 1


def test_a_verdict_goes_with_the_option_that_it_was_about() -> None:
    box = shown("choice")
    box.answer = "b"
    box.press_check()
    box.answer = "a"
    assert box._said.value == ""


def test_sliders_where_nothing_can_be_computed_are_no_answer() -> None:
    box = shown("panel")
    box.press_solution()
    box._panel.controls["model.experts"].value = 3  # and each token goes to five
    assert box._panel.error
    assert box.press_check().level == "wrong"
    box._panel.controls["model.experts"].value = 16
    assert box._said.value == ""
    assert box.press_check().level == "right"


def test_a_line_that_was_not_understood_leaves_the_answer_as_it_was() -> None:
    box = shown("panel")
    box.press_solution()
    here = box._panel._address.value
    box._panel._address.value = "no-such-model"
    assert "✓" in box._distance.value
    assert box.press_check().level == "right"
    box._panel._address.value = here
    assert box._panel.error == ""


def test_the_best_answer_and_the_tries_up_to_it_are_kept() -> None:
    box = shown("number")
    for answer in ("", "5", "560", "5", "554e9", "7"):
        box.answer = answer
        box.press_check()
    kept = Answer.recall(box.exercise.key)
    assert (kept.level, kept.tries) == ("right", 4)


def test_what_is_kept_for_the_session_only_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "file" / "below"))
    box = shown("number", "session")
    box.answer = "554e9"
    box.press_check()
    assert "this session only" in box._said.value
    assert Answer.recall(box.exercise.key).solved


def test_the_solution_moves_the_panel_and_the_goal_follows_the_sliders() -> None:
    box = shown("panel")
    assert "✗ not yet" in box._distance.value
    box.press_solution()
    assert box.answer.model.top_k == 5
    assert "✓" in box._distance.value
    box._panel.controls["model.top_k"].value = 2
    assert "✗ not yet" in box._distance.value


def test_a_button_leads_to_the_panel_of_its_exercise() -> None:
    box = shown("panel")
    place = re.search('data-g4l-to="([^"]+)"', box.children[1].children[0].value)
    assert place
    assert place.group(1) in box._panel._dom_classes


@pytest.mark.parametrize("kind", KINDS)
def test_each_press_of_check_shows(kind: str) -> None:
    box = shown(kind)
    said = []
    for _ in range(3):
        box.press_check()
        said.append(box._said.value)
    assert len({*said}) == 3


def test_enter_in_the_field_checks_the_answer_that_comes_with_it() -> None:
    box = shown("number")
    box._field.set_state({"value": "554e9", "sent": 1})
    assert "Correct" in box._said.value


def test_the_answers_of_a_choice_are_one_group_of_radios_with_none_chosen() -> None:
    box = shown("choice")
    assert (box._field.stacked, box._field.known, box.answer) == (True, False, None)
    box._field.set_state({"value": "a", "known": True})
    assert box.answer == "a"
    assert box.press_check().level == "wrong"


def test_what_a_reader_types_cannot_write_on_the_page() -> None:
    box = shown("number")
    box.answer = "<img src=x onerror=alert(1)>"
    assert box.press_check().level == "wrong"
    assert "<img" not in box._said.value


@pytest.mark.parametrize("kind", KINDS)
def test_each_button_has_a_name_and_says_of_which_exercise_it_is(kind: str) -> None:
    box = shown(kind)
    buttons = box.children[2].children
    assert [button.description for button in buttons] == ["Check", "Hint", "Solution"]
    assert all(box.exercise.prompt in button.tooltip for button in buttons)
    assert "<is>" not in box.children[0].value


def test_without_hints_there_is_no_button_for_them() -> None:
    box = exercise("t-none", "?", answer=3)
    assert [button.description for button in box.children[2].children] == ["Check", "Solution"]


def test_feedback_is_announced_to_a_screen_reader() -> None:
    box = shown("choice")
    assert "g4l-spoken" in box._said._dom_classes
    box.press_check()
