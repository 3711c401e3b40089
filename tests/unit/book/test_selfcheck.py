"""Does the book work here?"""

from __future__ import annotations

from pathlib import Path

import pytest

from gpt4lab.book import selfcheck
from gpt4lab.book.selfcheck import findings


def test_selfcheck_names_every_part() -> None:
    page = selfcheck().data
    assert all(word in page for word in ("Python", "Sliders", "Charts", "Live models"))


def test_what_does_not_work_says_what_to_do(own_memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own_memory / "file").write_text("")
    monkeypatch.setenv("GPT4LAB_STATE", str(own_memory / "file" / "below"))
    memory = next(found for found in findings() if found.part == "Memory of your way")
    assert not memory.works
    assert "Set GPT4LAB_STATE" in selfcheck().data


def test_what_works_needs_no_remedy() -> None:
    memory = next(found for found in findings() if found.part == "Memory of your way")
    assert memory.works
    assert memory.remedy not in selfcheck().data


def test_without_a_kernel_the_sliders_are_said_to_be_missing() -> None:
    assert not next(found for found in findings() if found.part == "Sliders").works
