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
    found = list(filter(None, fuzz.fuzz(120, seed=2026, doors=(door,))))
    assert not found, "\n".join(map(str, found))


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def divide(dice: Random) -> Iterator[Any]:
        number = dice.randrange(3)
        yield number
        yield 1 / number

    monkeypatch.setitem(fuzz.DOORS, "broken", divide)


@pytest.mark.usefixtures("broken")
def test_it_finds_what_is_not_foreseen() -> None:
    found = list(filter(None, fuzz.fuzz(60, doors=("broken",))))
    assert 5 < len(found) < 40
    assert {(one.door, one.tried, one.what) for one in found} == {
        ("broken", "0", "ZeroDivisionError: division by zero")
    }


@pytest.mark.usefixtures("broken")
def test_a_finding_is_told_before_the_next_case(capsys: pytest.CaptureFixture[str]) -> None:
    cases = fuzz.fuzz(60, doors=("broken",))
    first = next(finding for finding in cases if finding)

    def then_stopped() -> Iterator[fuzz.Finding | None]:
        yield from (None, first)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fuzz.told(then_stopped(), 1)
    out, progress = capsys.readouterr()
    assert out.startswith("broken: ZeroDivisionError")
    assert progress.splitlines() == ["1 cases, 0 unforeseen", "2 cases, 1 unforeseen"]


def test_another_seed_is_another_shard() -> None:
    def drawn(seed: int) -> list[str]:
        fuzz.DOORS["seen"] = seen
        return [str(finding) for finding in fuzz.fuzz(20, seed, doors=("seen",))]

    def seen(dice: Random) -> Iterator[Any]:
        yield dice.random()
        raise RuntimeError

    try:
        assert drawn(1) == drawn(1)
        assert set(drawn(1)).isdisjoint(drawn(2))
    finally:
        del fuzz.DOORS["seen"]
