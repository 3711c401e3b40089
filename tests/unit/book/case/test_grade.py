"""Answers judged again: every exercise of every chapter, whatever a file says, and files that hold anything at all."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gpt4lab.book.case.file import merge, read
from gpt4lab.book.case.gather import FORMULA
from gpt4lab.book.case.grade import grade
from gpt4lab.book.chapter import chapters
from gpt4lab.book.exercises import limited
from gpt4lab.book.exercises.box import Exercise
from gpt4lab.book.exercises.code import Code
from gpt4lab.book.exercises.declared import exercises
from gpt4lab.book.exercises.exercise import BOXES, ExerciseBox
from gpt4lab.book.exercises.saved import Saver, as_answers, saver
from gpt4lab.book.exercises.tasks import Choice, Judgement, Number, Reach, Task
from gpt4lab.book.way import Answer
from gpt4lab.chapters.c03_flop.flop import token
from gpt4lab.cli import main
from gpt4lab.scenario import share

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Where papers are handed in."""
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def written(task: Task, answer: Any) -> dict[str, Any]:
    """What the page keeps of an answer."""
    match task:
        case Code():
            return {"text": answer}
        case Judgement():
            return {"text": "In my own words.", "marks": list(answer)}
        case Reach():
            return {"answer": share(answer)}
        case _:
            return {"answer": str(answer)}


def wrong_ones(task: Task) -> Iterator[Any]:
    """Answers that have a name: another option, a slip by a power of ten, nothing moved, a constant, a no."""
    match task:
        case Code():
            first = task.truth(*task.cases[0])
            yield task.start.replace("...", f"return {list(first) if isinstance(first, tuple) else first!r}")
        case Judgement():
            yield from ([True] * at + [False] + [True] * (len(task.questions) - at - 1) for at in (0, 1))
        case Reach():
            yield task.start
        case Choice():
            yield from {*task.options} - {task.solution}
        case Number():
            yield from (task.solution * 1000, task.solution / 1000, -task.solution, "many")


def graded(exercise: Exercise, answer: Any, told: str = "right") -> Any:
    return grade(exercise, Answer(told, **written(exercise.task, answer)), run_code=True)


@pytest.mark.parametrize("number", chapters())
def test_every_exercise_is_right_by_its_model_answer_and_wrong_by_its_named_wrong_ones(number: str) -> None:
    found = exercises(number)
    assert len(found) >= 4
    for key, exercise in found.items():
        right = graded(exercise, exercise.task.solution)
        assert (right.level, right.less_than_told) == ("right", False), f"{key}: {right.says}"
        wrong = [*wrong_ones(exercise.task)]
        assert wrong, key
        for answer in wrong:
            judged = graded(exercise, answer)
            assert judged.level in ("wrong", "almost"), f"{key}: {answer} is {judged.level}: {judged.says}"
            assert judged.less_than_told
        assert grade(exercise, Answer("right")).level == "not kept"
        assert grade(exercise, Answer("missing", 0, hints=2)).level == "missing"


@pytest.mark.parametrize("key", exercises("03"))
def test_what_was_checked_on_the_page_is_saved_and_judged_alike(key: str, tmp_path: Path, capsys: Printed) -> None:
    exercise = exercises("03")[key]
    panel = token.widget() if isinstance(exercise.task, Reach) else None
    for answer in (next(wrong_ones(exercise.task)), exercise.task.solution):
        box = BOXES.get(type(exercise.task), ExerciseBox)(exercise, panel)
        if isinstance(exercise.task, Judgement):
            box.text = "In my own words."
        box.answer = str(answer) if isinstance(exercise.task, Number) else answer
        level = box.press_check().level
        assert main(["answers", "--name", " Ada ", "--out", str(tmp_path / "in.json")]) == 0
        capsys.readouterr()
        assert main(["grade", str(tmp_path / "in.json"), "--run-code", "--json"]) == 0
        [paper] = json.loads(capsys.readouterr().out)
        assert paper["name"] == "Ada"
        assert (paper["answers"][key]["level"], paper["answers"][key]["in the file"]) == (level, level)
    assert paper["answers"][key]["tries"] >= 2


def test_the_link_is_one_follows_every_answer_and_the_name_and_comes_with_the_first_try() -> None:
    first, second = (ExerciseBox(exercises("03")[key]) for key in ("03-dense", "03-unit"))
    assert not any(isinstance(part, Saver) for box in (first, second) for part in box.children)
    first.answer = "5"
    first.press_check()
    assert first.children[-1] is saver()
    before = saver()._link.value
    second.answer = exercises("03")["03-unit"].task.solution
    second.press_check()
    assert second.children[-1] is saver()
    assert saver()._link.value != before
    saver().name.value = 'Ada <b> "x" Łukasz'
    assert 'download="answers-Ada-b-x-Łukasz.json"' in saver()._link.value
    assert "<b>" not in saver()._link.value
    assert "2 exercises tried" in saver()._link.value
    assert ExerciseBox(exercises("03")["03-unit"]).children[-1] is saver(), "another day it stands there already"


def test_what_is_saved_is_small_and_comes_back_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {key: Answer("right", 2, 1, **written(e.task, e.task.solution)) for key, e in exercises("09").items()}
    for key, answer in kept.items():
        answer.keep(key)
    raw = as_answers("Ada").encode()
    assert len(raw) < 4000
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "other"))
    assert merge(read(raw)) == (len(kept), 0)
    assert Answer.all() == kept


FILES: dict[str, tuple[bytes, str]] = {
    "half": (b'{"schema": 3, "answers": {', "no JSON"),
    "list": (b"[]", "no file of this book"),
    "deep": (b"[" * 200_000, "no JSON"),
    "code": (b"__import__('os').system('true')", "no JSON"),
    "other": (b'{"cells": [], "nbformat": 4}', "no file of this book"),
    "empty": (b"", "no JSON"),
    "edition": (b'{"schema": 9, "answers": {"99-new": {"level": "right"}, "09-dollar": 5}}', "1 answer to no exercise"),
    "strange": (b'{"schema": 3, "name": ["x"], "answers": {"=1+1": {"level": "right"}}}', "1 answer to no exercise"),
    "table": (b'{"schema": 3, "answers": [1]}', ""),
}


def hand_in(folder: Path) -> None:
    good = {"09-dollar": {"level": "right", "answer": "3.8e17"}, "09-evidence": {"level": "right", "answer": "x"}}
    for name in ("=cmd|' /C calc'!A0", " ＝1+1;=2", "@x\x1b[31m\n"):
        paper = {"schema": 3, "name": name, "answers": good}
        (folder / f"{len([*folder.iterdir()])}.json").write_text(json.dumps(paper), "utf-8")
    (folder / "shell.json").write_text(json.dumps({"schema": 1, "solved": {"09-dollar": True}}), "utf-16")
    for name, (raw, _) in FILES.items():
        (folder / f"{name}.json").write_bytes(raw)
    (folder / "folder.json").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.json")


def test_each_file_has_a_row_each_bad_one_a_sentence_and_no_cell_computes(desk: Path, capsys: Printed) -> None:
    hand_in(desk)
    assert main(["grade", str(desk), "--csv"]) == 0
    out, err = capsys.readouterr()
    rows = {row["file"]: row for row in csv.DictReader(io.StringIO(out))}
    assert set(rows) == {path.name for path in desk.iterdir()}
    assert not [cell for row in rows.values() for cell in row.values() if cell.strip(" ").startswith(FORMULA)]
    assert not set("\x1b") & set(out + err)
    assert ";=2" not in out.replace('"', "").split(",")
    for name, (_, says) in FILES.items():
        assert says in rows[f"{name}.json"]["note"]
        assert sum(f"{name}.json:" in line for line in err.splitlines()) == bool(says)
    assert [rows["0.json"][name] for name in ("right", "tried", "of", "09-dollar")] == ["1", "1", "7", "right"]
    assert (rows["shell.json"]["09-dollar"], rows["shell.json"]["note"]) == ("not kept", "")


@pytest.mark.parametrize("given", [["gone.json"], ["half.json"], ["."]])
def test_where_no_answer_is_it_says_so_in_a_line(given: list[str], desk: Path, capsys: Printed) -> None:
    (desk / "half.json").write_bytes(b"{")
    assert main(["grade", *(str(desk / name) for name in given)]) == 2
    assert "none holds an answer" in capsys.readouterr().err.splitlines()[-1]


def test_code_is_run_only_where_that_is_asked_for_and_then_cannot_hang(
    desk: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    run: Callable[..., Any] = limited.run
    monkeypatch.setattr(limited, "run", lambda *job: ran.append(job[0]) or run(*job))
    endless = exercises("09")["09-rent"].task.start.replace("...", "while True: pass")
    Answer("missing", text=endless).keep("09-rent")  # whatever level a file tells
    (desk / "ann.json").write_text(as_answers("Ann"), "utf-8")
    levels = []
    for more in ([], ["--run-code"]):
        assert main(["grade", str(desk / "*.json"), "--json", *more]) == 0
        levels.append(json.loads(capsys.readouterr().out)[0]["answers"]["09-rent"]["level"])
    assert levels == ["not run", "wrong"]
    assert ran == [endless]


def test_a_chapter_can_be_chosen_and_the_class_is_told_in_lines(desk: Path, capsys: Printed) -> None:
    Answer("right", answer="x").keep("09-dollar")
    Answer("right", answer=exercises("03")["03-unit"].task.solution).keep("03-unit")
    (desk / "ann.json").write_text(as_answers("Ann"), "utf-8")
    assert main(["grade", str(desk), "--chapter", "3", "--out", str(desk / "class.csv")]) == 0
    assert next(csv.DictReader((desk / "class.csv").open()))["of"] == str(len(exercises("03")))
    capsys.readouterr()
    assert main(["grade", str(desk)]) == 0
    assert capsys.readouterr().out == "Ann  1 of 2 right  09-dollar wrong\n"
