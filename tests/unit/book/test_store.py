"""What a reader has done is kept, on this machine only, whoever else writes and whatever lies there already."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from gpt4lab.book import store

OLD = {"guess": {"a": 1.5}, "solved": {"x": True}}


def written(folder: Path) -> Any:
    return json.loads((folder / "progress.json").read_text("utf-8"))


ALONE = f"""
import importlib.util, sys, threading
spec = importlib.util.spec_from_file_location("store", {store.__file__!r})
sys.modules["store"] = store = importlib.util.module_from_spec(spec)
spec.loader.exec_module(store)
"""


def alone(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python of its own with the store in it, and nothing else of the book: that takes seconds."""
    return subprocess.Popen([sys.executable, "-c", ALONE + code, *arguments], stdout=subprocess.PIPE, text=True)


# --- what is kept stays -------------------------------------------------------------------------------------------


def test_what_is_kept_is_there_after_a_restart() -> None:
    assert store.keep("guess", "09-cost", 63e6)
    assert store.keep("answers", "09-cheap", {"level": "right"})
    out, _ = alone("print(store.recall('guess', '09-cost'), store.count('answers'))").communicate()
    assert out.split() == ["63000000.0", "1"]
    assert store.trouble() == ""


def test_keeping_one_thing_leaves_the_others(own_memory: Path) -> None:
    store.keep("guess", "a", 1)
    store.keep("guess", "b", [2, "two"])
    store.keep("opened", "a", True)
    assert (store.recall("guess", "a"), store.recall("guess", "b"), store.count("guess")) == (1, [2, "two"], 2)
    assert store.recall("guess", "c", "nothing") == "nothing"
    assert {path.name for path in own_memory.iterdir()} == {"progress.json", "progress.lock"}, "nothing is left over"


WRITER = """
def write(name):
    for at in range(5):
        assert store.keep("guess", f"{name}-{at}", at)
        store.update("count", "all", lambda old: (old or 0) + 1)
threads = [threading.Thread(target=write, args=(f"{sys.argv[1]}-{thread}",)) for thread in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_processes_and_threads_that_write_at_once_lose_nothing(own_memory: Path) -> None:
    store.keep("guess", "before", 0)
    writers = [alone(WRITER, str(process)) for process in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert store.count("guess") == 3 * 4 * 5 + 1
    assert store.recall("count", "all") == 3 * 4 * 5
    assert not list(own_memory.glob("*.broken*"))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_a_disk_that_fills_leaves_the_file_whole_and_the_session_remembers(own_memory: Path) -> None:
    store.keep("guess", "before", "x" * 3000)
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
kept = [store.keep("answers", str(at), at) for at in range(3)]
known = [store.count("guess"), store.count("answers"), "session only" in store.trouble()]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(kept, known, store.keep("answers", "room again", 1), store.trouble() == "")
"""
    out, _ = alone(code).communicate()
    assert out.strip() == "[False, False, False] [1, 3, True] True True"
    assert (store.count("guess"), store.count("answers")) == (1, 4), "what waited was written with the next"
    assert {path.name for path in own_memory.iterdir()} == {"progress.json", "progress.lock"}


def test_a_write_that_is_cut_short_is_never_seen(own_memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep("guess", "before", 1)

    def cut(path: Path, text: str) -> None:
        path.write_text(text[: len(text) // 2], "utf-8")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store, "_write", cut)
        with pytest.raises(KeyboardInterrupt):
            store.keep("guess", "torn", 2)
    assert written(own_memory)["guess"] == {"before": 1}
    assert store.keep("guess", "after", 3)


def test_what_a_killed_writer_left_is_taken_away(own_memory: Path) -> None:
    old, new = own_memory / "progress.json.1.new", own_memory / "progress.json.2.new"
    for left in (old, new):
        left.write_text("{", "utf-8")
    os.utime(old, (0, 0))
    assert store.keep("guess", "a", 1)
    assert (old.exists(), new.exists()) == (False, True), "the other may be at work"


def test_a_writer_that_does_not_let_go_does_not_hang_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep("guess", "before", 1)
    monkeypatch.setattr(store, "PATIENCE_S", 0.05)
    with store._locked(store._file(store.folder() or Path()).with_name("progress.lock")):
        assert not store.keep("guess", "mine", 2)
        assert "another program" in store.trouble()
    assert store.count("guess") == 2
    assert store.keep("guess", "more", 3)


# --- where nothing can be written ---------------------------------------------------------------------------------


def test_without_a_folder_the_session_remembers_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "file" / "below"))
    assert not store.keep("guess", "x", 1)
    assert store.recall("guess", "x") == 1
    assert "this session only" in store.trouble()
    assert "GPT4LAB_STATE" in store.trouble()


def test_without_a_home_nothing_is_written_beside_the_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GPT4LAB_STATE")
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_STATE_HOME", "USERPROFILE", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    for usual in (platformdirs.user_state_dir, lambda _: "~/.local/state/gpt4lab"):
        monkeypatch.setattr(platformdirs, "user_state_dir", usual)
        assert store.folder() is None
        assert not store.keep("guess", "x", 1)
    assert store.recall("guess", "x") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_opened_is_left_alone(own_memory: Path) -> None:
    (own_memory / "progress.json").mkdir()
    assert not store.keep("guess", "a", 1)
    assert store.recall("guess", "a") == 1
    assert (own_memory / "progress.json").is_dir()


def test_a_link_stays_a_link(own_memory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    real = tmp_path_factory.mktemp("elsewhere") / "way.json"
    try:
        (own_memory / "progress.json").symlink_to(real)
    except OSError:
        pytest.skip("no links here")
    assert store.keep("guess", "a", 1)
    assert (own_memory / "progress.json").is_symlink()
    assert json.loads(real.read_text("utf-8"))["guess"] == {"a": 1}


def test_where_there_are_no_locks_it_is_kept_all_the_same(own_memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "fcntl", None)
    monkeypatch.setattr(store, "msvcrt", None)
    threads = [threading.Thread(target=store.keep, args=("guess", str(at), at)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written(own_memory)["guess"]) == 8


def test_a_browser_s_python_remembers_for_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPT4LAB_STATE")
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert not store.keep("guess", "browser", 1)
    assert store.recall("guess", "browser") == 1


# --- what lies there already --------------------------------------------------------------------------------------

WHOLE = json.dumps(OLD).encode()
DAMAGED = {
    "empty": b"",
    "torn": WHOLE[:20],
    "no JSON": b"\x00",
    "a list": b"[]",
    "nothing": b"null",
    "a number": b"5",
    "words": b'"words"',
    "deep": b"[" * 100_000,
    "digits": b'{"guess": {"a": ' + b"9" * 5000 + b"}}",
    "not a table": b'{"guess": []}',
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_set_aside_as_it_lay(own_memory: Path, damaged: bytes) -> None:
    (own_memory / "progress.json").write_bytes(damaged)
    assert store.recall("guess", "a") is None
    assert store.keep("guess", "a", 1)
    assert store.recall("guess", "a") == 1
    assert (own_memory / "progress.json.broken").read_bytes() == damaged
    assert "progress.json.broken" in store.trouble()


def test_a_second_damaged_file_does_not_replace_the_first(own_memory: Path) -> None:
    for damaged in (b"first", b"second"):
        (own_memory / "progress.json").write_bytes(damaged)
        store.keep("guess", "a", 1)
    assert {path.read_bytes() for path in own_memory.glob("*.broken*")} == {b"first", b"second"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_that_an_editor_saved_in_its_own_way_is_taken_over(own_memory: Path, encoding: str) -> None:
    raw = codecs.encode(json.dumps(OLD), encoding)
    (own_memory / "progress.json").write_bytes(raw)
    assert store.keep("guess", "b", 2)
    assert written(own_memory) == {**OLD, "guess": {"a": 1.5, "b": 2}, "schema": store.SCHEMA}
    assert (own_memory / "progress.json.broken").read_bytes() == raw


def test_what_a_later_edition_keeps_is_carried_along(own_memory: Path) -> None:
    later = {"schema": 9, "moods": {"monday": [1]}, "settings": "a word", "guess": {"a": {"value": 1, "colour": "red"}}}
    (own_memory / "progress.json").write_text(json.dumps(later), "utf-8")
    store.keep("opened", "00", {})
    assert written(own_memory) == {**later, "opened": {"00": {}}}
    assert not list(own_memory.glob("*.broken*"))


def test_a_name_for_what_is_set_aside_is_always_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = iter([True] * 10_001 + [False])
    monkeypatch.setattr(store.os.path, "lexists", lambda name: next(taken))
    assert store._unused(tmp_path / "progress.json").name == "progress.json.broken10001"
