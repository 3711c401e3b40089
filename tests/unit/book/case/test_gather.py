"""A folder of case files: one row each, bad ones named, nothing executed."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from gpt4lab.book.case import as_json
from gpt4lab.book.exercises import limited
from gpt4lab.book.exercises.code import codes
from gpt4lab.book.way import Answer, Guess, Opened, Signed
from gpt4lab.cli import main


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    Opened().keep("09")
    Guess(60e6, "USD", 40e6, 80e6, 63e6).keep("09-price")
    Answer("right").keep("00-left")
    Signed("unit-error", seen=False, sure=0.8).keep("C12")
    (folder / "ann.json").write_text(as_json(), "utf-8")
    (folder / "=cmd|calc.json").write_text('{"schema": 2}', "utf-8")
    (folder / "notes.txt").write_text("not looked at", "utf-8")
    return folder


def test_one_row_a_file(handed_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gather", str(handed_in)]) == 0
    first, ann = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert first["file"] == "'=cmd|calc.json"
    assert first["Brier score"] == ""
    assert ann["file"] == "ann.json"
    assert [ann[name] for name in ("exercises solved", "bands that held", "signed unseen")] == ["1", "1", "1"]
    assert float(ann["Brier score"]) == pytest.approx(0.2**2)


def test_what_stands_in_two_files_is_told_and_what_two_may_think_alike_is_not(
    handed_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "They are the rent of one run, and nobody who was there has confirmed any of it."
    Answer("right", text=words, when="2026-11-28T10:00:00Z").keep("09-correction")
    first = json.loads(as_json())
    changed = {**first, "guess": {"09-price": {**first["guess"]["09-price"], "value": 61e6}}}
    alone = {"schema": 2, "answers": {"00-left": {"level": "right", "when": "2026-11-28T11:11:11Z"}}}
    retyped = {"level": "right", "text": f"  {words.upper()}\n", "when": "2026-11-28T12:00:00Z"}
    files = {"ann": first, "bob": changed, "cem": alone, "dee": {"schema": 2, "answers": {"09-correction": retyped}}}
    for name, state in files.items():
        (handed_in / f"{name}.json").write_text(json.dumps(state), "utf-8")
    assert main(["gather", str(handed_in), "--json"]) == 0
    rows = {row["file"]: (row["records as in"], row["words as in"]) for row in json.loads(capsys.readouterr().out)}
    assert rows["ann.json"] == rows["cem.json"] == ("", "")
    assert rows["bob.json"] == ("ann.json: 3 of 4", "ann.json: 1 of 1")
    assert rows["dee.json"] == ("", "ann.json: 1 of 1")


def test_bad_files_are_named_in_a_sentence_each(handed_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = {"half.json": b"{", "list.json": b"[]", "deep.json": b"[" * 200_000, "code.json": b"__import__('os')"}
    for name, raw in bad.items():
        (handed_in / name).write_bytes(raw)
    (handed_in / "folder.json").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(handed_in / "pipe.json")
    assert main(["gather", str(handed_in), "--json"]) == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)) == 2
    named = [line.split()[1] for line in err.splitlines()]
    assert set(named) == {*bad, "folder.json", *(["pipe.json"] if hasattr(os, "mkfifo") else [])}
    assert len(named) == len(set(named))


def test_the_table_goes_into_a_file(handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "class.csv"
    assert main(["gather", str(handed_in), "--out", str(out)]) == 0
    assert "2 case files" in capsys.readouterr().out
    assert len(out.read_text("utf-8").splitlines()) == 3


NAMES = [b"red\n\x1b[31m.json", b"half\xff\xfe.json", "turned\u202e.json".encode()]


@pytest.mark.skipif(os.name == "nt", reason="this disk has no such names")
@pytest.mark.parametrize("raw", ['{"schema": 2}', "no case"])
def test_a_name_of_any_bytes_is_told_and_written_harmlessly(
    raw: str, handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in NAMES:
        (handed_in / os.fsdecode(name)).write_text(raw)
    out = tmp_path / "class.csv"
    assert main(["gather", str(handed_in), "--out", str(out)]) == 0
    rows, complaints = out.read_text("utf-8"), capsys.readouterr().err
    assert not set("\x1b\u202e\udcff") & set(rows + complaints)
    assert (rows + complaints).count("31m") == 1
    assert len(rows.splitlines()) - 3 + len(complaints.splitlines()) == len(NAMES)


@pytest.mark.parametrize("name", ["", "gone", "ann.json"])
def test_where_there_is_nothing_it_says_so(
    name: str, tmp_path: Path, handed_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    where = handed_in / name if name else tmp_path / "empty"
    assert main(["gather", str(where)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_is_due_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    Opened().keep("03")
    assert main(["review", "--json"]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == ["C11", "C12", "C13", "C14"]


def test_code_runs_only_where_that_is_asked_for(
    handed_in: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    run = limited.run
    monkeypatch.setattr(limited, "run", lambda *job: ran.append(job[0]) or run(*job))
    Answer("right", text=codes()["02-awake"].solution).keep("02-awake")
    Answer("right", text="while True: pass").keep("09-rent")
    Answer("right", text="not code").keep("09-correction")
    (handed_in / "bob.json").write_text(as_json(), "utf-8")
    assert main(["gather", str(handed_in), "--json"]) == 0
    assert ran == []
    capsys.readouterr()
    assert main(["gather", str(handed_in), "--json", "--run-code"]) == 0
    rows = {row["file"]: row["code right, run again"] for row in json.loads(capsys.readouterr().out)}
    assert (rows["bob.json"], rows["ann.json"], len(ran)) == (1, 0, 1)
