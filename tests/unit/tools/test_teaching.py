"""The teacher's page: every chapter has a lesson, and what it says is what the chapters say today."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gpt4lab.book.chapter import chapters
from gpt4lab.book.exercises.declared import exercises
from gpt4lab.book.exercises.tasks import Judgement
from tools import teaching

#: What has a digit and is no number: braces, chapters, names.
NAMED = re.compile(r"\{[^}]*\}|chapter \d\d|GPT-4|DeepSeek-V3|1F1B")


def test_the_page_is_what_the_chapters_say_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path))
    assert teaching.PAGE.read_text("utf-8") == teaching.page(), "make it again: .venv/bin/python -m tools.teaching"


def test_each_chapter_has_a_lesson_of_its_own_whose_paper_is_in_words() -> None:
    head, *_ = lessons = tomllib.loads(teaching.LESSONS.read_text("utf-8"))
    del lessons[head]
    assert list(lessons) == list(chapters())
    for number, words in lessons.items():
        assert isinstance(exercises(number)[words["write"]].task, Judgement)
        assert words["write"] not in words["exercises"]
        said = NAMED.sub("", " ".join((words["before"], words["move"], words["discuss"])))
        assert not re.search(r"\d", said), f"{number}: a number comes from the library"
