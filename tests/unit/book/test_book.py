"""The pieces of a chapter: prose, guesses, exercises, tables, board, memory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import attrs
import pytest

from gpt4lab import catalog
from gpt4lab.book import (
    EXERCISES,
    Check,
    board,
    crosscheck,
    exercise,
    guess,
    mine,
    reveal,
    say,
    selfcheck,
    store,
    verdict,
)
from gpt4lab.book.guess import QUESTIONS
from gpt4lab.book.tasks import Choice, Number, Reach
from gpt4lab.claims import ledger
from gpt4lab.scenario import load_scenario


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path))


def test_a_dollar_in_prose_begins_no_formula() -> None:
    page = say("It costs {training.cost}, and $x$ is a formula.").data
    assert page.startswith(r"It costs \\$")
    assert page.endswith("$x$ is a formula.")


def test_a_guess_is_kept_and_shown_beside_the_answer() -> None:
    box = guess("t-flop", "How many?", quantity="flop.per_token", lo=1e9, hi=1e15)
    place = reveal("t-flop")
    assert "not guessed" in place.value
    box.children[1].value = 5.54e14
    box.children[2].click()
    assert "factor of 1,000" in place.value.replace("1e+03", "1,000") or "factor of" in place.value
    assert QUESTIONS["t-flop"].guess == 5.54e14
    assert store.recall("guess", "t-flop") == 5.54e14


def test_a_lost_memory_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "file" / "below"))
    store.keep("guess", "x", 1)
    assert store.recall("guess", "x") is None


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        ("", "missing"),
        ("many", "wrong"),
        ("560e12", "almost"),
        ("650B", "almost"),
        ("1e9", "almost"),
        ("560 B", "right"),
    ],
)
def test_number_feedback_is_graduated(answer: str, level: str) -> None:
    task = Number(560e9, "FLOP")
    if answer == "1e9":
        level = "wrong"
    assert task.check(answer).level == level


def test_choice_feedback() -> None:
    task = Choice(("a", "b"), "b")
    assert [task.check(x).level for x in ("", "a", "b")] == ["missing", "wrong", "right"]


def test_reach_says_which_part_is_met() -> None:
    task = Reach({"training.cost": (0, 40e6), "training.days": (0, 1000)}, load_scenario("leak"), {"training.mfu": 0.6})
    assert task.check(task.start).level == "almost"
    assert "not yet" in task.check(task.start).text
    assert task.check(task.solution).level == "right"


def test_solved_exercise_is_kept() -> None:
    box = exercise("t-1", "What is 2N?", quantity="flop.per_token", hints=("Two.", "Times N."), because="It is.")
    box.press_hint()
    box.answer = "554e9"
    assert box.press_check().level == "right"
    assert store.recall("solved", "t-1")
    assert "t-1" in EXERCISES
    box.press_solution()
    assert "554" in box._solution.value


def cells(checks: Iterable[Check]) -> list[list[str]]:
    rows = crosscheck(checks).data.split("<tr>")[2:]
    return [re.findall(r"<td>(.*?)</td>", row) for row in rows]


def test_crosscheck_shows_the_ratio() -> None:
    assert cells([Check("x", 2.0, 3.0, "FLOP", "here")]) == [["x", "2 FLOP", "3 FLOP", "1.500", "here"]]


def test_crosscheck_cites_a_reference_and_says_what_was_disturbed() -> None:
    cited, timed = cells([Check("x", 1, 1, "s", "leviathan2023"), Check("x", 1, 1, "s", disturbed=True)])
    assert cited[-1] == catalog.references["leviathan2023"].cite()
    assert timed[-1] == "this machine; disturbed"


def test_what_all_checks_are_about_is_left_to_the_caption() -> None:
    one, other = Check("days", 1, 1, "day", name="A"), Check("hours", 1, 1, "hour", name="B")
    assert [row[0] for row in cells([one, attrs.evolve(one, name="C")])] == ["A", "C"]
    assert [row[0] for row in cells([one, other])] == ["A: days", "B: hours"]


def test_a_table_without_checks_has_its_head() -> None:
    assert "Found / formula" in crosscheck(()).data


def test_verdict_lists_exactly_the_claims_of_a_chapter() -> None:
    page = verdict("03", "It does not.").data
    ids = [key for key, claim in ledger().items() if claim.chapter == "03"]
    assert all(f"<td>{key}</td>" in page for key in ids)
    assert page.count('class="g4l-verdict ') == len(ids)


def test_board_filters_searches_and_follows_assumptions() -> None:
    page = board()
    assert len(page.results) == len(ledger())
    page.verdict.value = "unit-error"
    assert {result.verdict for result in page.results} == {"unit-error"}
    page.verdict.value, page.search.value = "all", "c33"
    assert [result.claim.id for result in page.results] == ["C33"]
    page.search.value = ""
    before = [result.verdict for result in page.results]
    page.address.value = "leak?training.tokens=26T"
    assert [result.verdict for result in page.results] != before
    assert mine().training.tokens == 26e12
    page.address.value = "leak?training.token=1"
    assert "training.tokens" in page._error.value
    assert mine().training.tokens == 26e12


def test_assumptions_kept_under_an_old_name_are_shown_under_the_new_one() -> None:
    store.keep("scenario", "mine", "leak?toy.experts=8&toy.seed=3")
    assert mine().mixture.experts == 8
    assert board().address.value == "leak?mixture.experts=8&luck.seed=3"


def test_selfcheck_names_every_part() -> None:
    page = selfcheck().data
    assert all(word in page for word in ("Python", "Sliders", "Charts", "Live models"))
