"""Does the book work here?"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from gpt4lab.book import selfcheck
from gpt4lab.book.selfcheck import findings


def test_where_all_works_there_is_one_quiet_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("gpt4lab.book.selfcheck"), "_in_kernel", lambda: True)
    assert "Everything" in selfcheck().data
    assert "<table" not in selfcheck().data


def test_what_is_missing_is_shown_alone() -> None:
    missing = {found.part for found in findings() if not found.works}
    page = selfcheck().data
    assert "Sliders" in missing
    assert {found.part for found in findings() if f"<td>{found.part}</td>" in page} == missing


def test_what_does_not_work_says_what_to_do(own_memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own_memory / "file").write_text("")
    monkeypatch.setenv("GPT4LAB_STATE", str(own_memory / "file" / "below"))
    memory = next(found for found in findings() if found.part == "Memory of your way")
    assert not memory.works
    assert "set GPT4LAB_STATE" in selfcheck().data


def test_what_works_needs_no_remedy() -> None:
    memory = next(found for found in findings() if found.part == "Memory of your way")
    assert memory.works
    assert memory.remedy not in selfcheck().data


def test_a_page_says_what_only_the_installed_book_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT4LAB_PLACE", "page")
    assert "What trains needs torch" in selfcheck().data
    assert "<table" not in selfcheck().data


def test_without_a_kernel_the_sliders_are_said_to_be_missing() -> None:
    assert not next(found for found in findings() if found.part == "Sliders").works
