"""The doors of the book take what is thrown at them: a small run of the fuzz, and that the fuzz itself can find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytest.importorskip("numpy")

from tools import fuzz


@pytest.mark.parametrize("door", fuzz.DOORS)
def test_nothing_unforeseen_comes_out(door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path))
    found = fuzz.fuzz(120, seed=2026, doors=(door,))
    assert not found, "\n".join(map(str, found))


def test_it_finds_what_is_not_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(dice: Random) -> Iterator[Any]:
        number = dice.randrange(3)
        yield number
        yield 1 / number

    monkeypatch.setitem(fuzz.DOORS, "broken", broken)
    found = fuzz.fuzz(60, doors=("broken",))
    assert 5 < len(found) < 40
    assert {(one.door, one.tried, one.what) for one in found} == {
        ("broken", "0", "ZeroDivisionError: division by zero")
    }
