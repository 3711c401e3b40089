"""What a reader has done is kept, on this machine only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gpt4lab.book import store


def test_a_lost_memory_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "file" / "below"))
    store.keep("guess", "x", 1)
    assert store.recall("guess", "x") is None


def test_what_is_kept_is_there_after_a_restart() -> None:
    store.keep("guess", "09-cost", 63e6)
    store.keep("solved", "09-cheap", True)
    code = "from gpt4lab.book import store; print(store.recall('guess', '09-cost'), store.count('solved'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["63000000.0", "1"]


def test_keeping_one_thing_leaves_the_others() -> None:
    store.keep("guess", "a", 1)
    store.keep("guess", "b", [2, "two"])
    store.keep("opened", "a", True)
    assert (store.recall("guess", "a"), store.recall("guess", "b"), store.count("guess")) == (1, [2, "two"], 2)
    assert store.recall("guess", "c", "nothing") == "nothing"


@pytest.mark.parametrize("damaged", ["", "{", "[]", "\x00", '"words"'])
def test_a_damaged_memory_is_begun_anew(own_memory: Path, damaged: str) -> None:
    (own_memory / "progress.json").write_text(damaged)
    assert store.recall("guess", "a") is None
    assert store.count("solved") == 0
    store.keep("guess", "a", 1)
    assert store.recall("guess", "a") == 1
