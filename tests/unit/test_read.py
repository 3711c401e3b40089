"""`gpt4lab read`: the chapters come into a reader's folder, and nothing that a reader wrote is ever lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gpt4lab import cli, home, place, read
from gpt4lab.cli import main

NAMES = [read.FIRST, "01_more.ipynb", "02_last.ipynb"]


def notebook(*sources: str, **more: Any) -> str:
    cells = [{"cell_type": "code", "id": str(at), "source": text, "outputs": []} for at, text in enumerate(sources)]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}} | more)


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make an edition of the book, and lay it out."""
    book = tmp_path / "book"
    book.mkdir()
    monkeypatch.setattr(read, "shipped", lambda kind: book)

    def lay_out(folder: Path, version: str, text: str) -> read.Delivery:
        monkeypatch.setattr(read, "__version__", version)
        for name in NAMES:
            (book / name).write_text(notebook(f"{name} {text}", text), "utf-8")
        return read.lay_out(folder)

    return lay_out


def everything(folder: Path) -> str:
    return "\n".join(file.read_text("utf-8") for file in folder.glob("*") if file.is_file())


EDITIONS = (("0.1.0", "first"), ("0.2.0", "second"), ("0.10.0", "third"))
STEPS = st.one_of(
    st.tuples(st.just("read"), st.sampled_from(EDITIONS)),
    st.tuples(st.just("write"), st.sampled_from(NAMES)),
    st.tuples(st.just("delete"), st.sampled_from(NAMES)),
    st.tuples(st.just("forget"), st.sampled_from(["", "{half", "[]", '{"00_start_here.ipynb": 3}'])),
)


@given(steps=st.lists(STEPS, max_size=12))
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_each_word_of_the_reader_stays(
    bring: Any, tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("reader")
    mine: dict[str, str] = {"own.ipynb": "of mine"}
    (folder / "own.ipynb").write_text(notebook("of mine"), "utf-8")
    for number, (what, with_) in enumerate(steps):
        if what == "read":
            laid = bring(folder, *with_)
            assert {*NAMES} <= {file.name for file in folder.iterdir()}
            assert laid.sentence().count("\n") == 0
            assert (folder / laid.first).is_file()
        elif what == "write":
            mine[with_] = f"word {number}"
            (folder / with_).write_text(notebook(mine[with_]), "utf-8")
        elif what == "delete":
            mine.pop(with_, None)
            (folder / with_).unlink(missing_ok=True)
        else:
            (folder / ".gpt4lab").mkdir(exist_ok=True)
            (folder / read.RECORD).write_text(with_, "utf-8")
    assert [word for word in mine.values() if word not in everything(folder)] == []
    assert not list(folder.rglob("*.part"))


def test_an_unchanged_chapter_is_renewed_and_a_changed_one_gets_the_newer_beside_it_once(
    bring: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "reader"
    assert bring(folder, "0.1.0", "first").added == NAMES
    saved = json.loads((folder / NAMES[1]).read_text("utf-8"))
    saved["cells"][0]["source"] = [*saved["cells"][0]["source"]]  # as JupyterLab writes it: a list, other spaces
    (folder / NAMES[1]).write_text(json.dumps(saved, indent=1), "utf-8")
    (folder / NAMES[2]).write_text(notebook("mine"), "utf-8")
    laid = bring(folder, "0.2.0", "second")
    assert laid.renewed == NAMES[:2]
    assert laid.beside == {NAMES[2]: "02_last-0.2.0.ipynb"}
    assert "02_last-0.2.0.ipynb" in laid.sentence()
    assert "second" in (folder / "02_last-0.2.0.ipynb").read_text("utf-8")
    again = bring(folder, "0.2.0", "second")
    assert [*again.added, *again.renewed, *again.beside, *again.newer] == []


def test_an_older_book_leaves_the_chapters_of_a_newer_one(bring: Any, tmp_path: Path) -> None:
    bring(tmp_path / "reader", "0.10.0", "newer")
    before = everything(tmp_path / "reader")
    laid = bring(tmp_path / "reader", "0.9.0", "older")
    assert laid.newer == NAMES
    assert everything(tmp_path / "reader") == before


def test_what_ran_in_a_chapter_counts_as_the_reader_s(bring: Any, tmp_path: Path) -> None:
    bring(tmp_path, "0.1.0", "first")
    ran = json.loads((tmp_path / NAMES[1]).read_text("utf-8"))
    ran["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "ten minutes of training"}]
    (tmp_path / NAMES[1]).write_text(json.dumps(ran), "utf-8")
    assert NAMES[1] in bring(tmp_path, "0.2.0", "second").beside
    assert "ten minutes of training" in (tmp_path / NAMES[1]).read_text("utf-8")


# --- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("below", [(), ("deeper",)])
def test_a_file_in_the_place_of_the_folder_is_one_sentence(tmp_path: Path, below: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(read.ReadError, match=r"name a folder|name another folder"):
        read.lay_out(tmp_path.joinpath("file", *below))
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_a_disk_that_fills_leaves_every_file_whole(tmp_path: Path) -> None:
    code = f"""
import resource
from pathlib import Path
from gpt4lab import read
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    read.lay_out(Path({str(tmp_path)!r}))
except read.ReadError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "make room" in done.stdout, done.stderr
    assert [file for file in tmp_path.glob("*.ipynb") if not json.loads(file.read_text("utf-8"))["cells"]] == []
    assert len(read.lay_out(tmp_path).added) < len(list(tmp_path.glob("*.ipynb"))), "what was whole stays"


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_lays_out_every_chapter_and_starts_on_the_first(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[Any] = []
    monkeypatch.setattr(cli, "start", lambda laid, options: started.append((laid, options)) or 0)
    assert main(["read", str(tmp_path / "new"), "--no-browser", "--port", "8890", "--LabApp.x=1"]) == 0
    [(laid, options)] = started
    assert {file.name for file in (tmp_path / "new").glob("*.ipynb")} == {
        file.name for file in (root / "notebooks").glob("*.ipynb")
    }
    assert laid.first == read.FIRST
    assert options == ["--ServerApp.port=8890", "--no-browser", "--LabApp.x=1"]
    assert "18 chapters laid out" in capsys.readouterr().out


@pytest.mark.parametrize("package", ["jupyterlab", "torch"])
def test_what_is_missing_is_said_with_what_to_type(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(read, "find_spec", lambda name: None if name == package else "there")
    monkeypatch.setattr(read.place, "cloned", lambda: None)
    monkeypatch.setattr(cli, "start", lambda *_: 0)
    status = main(["read", str(tmp_path / "new")])
    out, err = capsys.readouterr()
    assert (status, (tmp_path / "new").exists()) == ((2, False) if package == "jupyterlab" else (0, True))
    [said] = [line for line in (out + err).splitlines() if "needs" in line]
    assert "pip install" in said


@pytest.mark.parametrize("port", ["65536", "99999", "-1", "8888.0", "٣", "", "next"])
def test_a_port_that_is_none_is_a_sentence(port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(tmp_path / "new"), f"--port={port}"]) == 2
    assert "a whole number up to 65535" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_an_empty_home_is_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HOME", "")
    monkeypatch.setattr(read, "_lay_out", lambda *_: pytest.fail("it would lie in the root folder"))
    assert main(["read"]) == 2
    assert "there is no home folder" in capsys.readouterr().err
    monkeypatch.delenv("GPT4LAB_STATE", raising=False)
    assert place.state_folder() is None


@pytest.mark.parametrize("usable", [True, False])
def test_where_no_home_can_be_written_jupyter_keeps_its_files_beside_the_chapters(
    usable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path if usable else tmp_path / "file"))
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(os, "environ", {"HOME": os.environ["HOME"]})
    seen: dict[str, str] = {}
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", SimpleNamespace(main=lambda: seen.update(os.environ)))
    assert read.start(read.Delivery(tmp_path / "new", read.FIRST), []) == 0
    kept = {name for name, value in seen.items() if value.startswith(str(tmp_path / "new"))}
    assert kept == (
        set() if usable else {"JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"}
    )


def test_whoever_reads_at_once_finds_every_file_whole(tmp_path: Path) -> None:
    code = f"from gpt4lab import read; read.lay_out(__import__('pathlib').Path({str(tmp_path)!r}))"
    several = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [one.wait() for one in several] == [0, 0, 0]
    assert {file.name for file in tmp_path.iterdir()} == {
        ".gpt4lab",
        *(f.name for f in read.shipped("notebooks").glob("*.ipynb")),
    }
    assert read.lay_out(tmp_path).sentence().endswith(": all chapters are there.")


def test_other_commands_still_refuse_what_they_do_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--no-browser"]) == 2
    assert "--no-browser" in capsys.readouterr().err


# --- the package --------------------------------------------------------------------------------------------------


def test_the_wheel_brings_the_chapters_and_the_settings_and_says_who_made_it(root: Path) -> None:
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    forced = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    chapters = {f"notebooks/{file.name}" for file in (root / "notebooks").glob("*.ipynb")}
    assert set(forced) == chapters | {"jupyter"}
    assert all(inside == f"gpt4lab/shipped/{outside}" for outside, inside in forced.items())
    assert project["project"]["urls"] == home.URLS
    assert project["project"]["authors"] == [{"name": home.AUTHOR}]
