"""The command line, as a reader types it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gpt4lab
from gpt4lab import cli
from gpt4lab import scenario as scenarios
from gpt4lab.claims import VERDICTS, audit, ledger, tally
from gpt4lab.cli import main


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def data(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(output(capsys, *arguments, "--json"))


def test_claims_as_json_have_the_ids_and_words_of_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    records = data(capsys, "claims")
    assert [record["id"] for record in records] == list(ledger())
    assert {record["verdict"] for record in records} <= set(VERDICTS)
    keys = {"id", "chapter", "origin", "quote", "stated", "stated_unit", "recomputed", "unit", "residual", "verdict"}
    assert all(set(record) == keys for record in records)


def test_a_unit_error_is_seen_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    claim = next(record for record in data(capsys, "claims") if record["id"] == "C12")
    assert (claim["stated"], claim["stated_unit"], claim["verdict"]) == (560, "TFLOP/token", "unit-error")
    assert claim["recomputed"] == pytest.approx(560e9)
    assert claim["residual"] == pytest.approx(999)


def test_claims_filter_and_count(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "claims", "--verdict", "unit-error").splitlines()
    assert len(lines) == 5
    assert f"claims that arithmetic decides, {tally(audit(scenarios.load_scenario('leak')))}." in lines[-1]
    assert {record["chapter"] for record in data(capsys, "claims", "--chapter", "09")} == {"09"}


def test_assumptions_move_the_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    before = data(capsys, "claims")
    after = data(capsys, "claims", "--set", "training.tokens=26T")
    changed = [a["id"] for a, b in zip(after, before, strict=True) if a["verdict"] != b["verdict"]]
    assert "C27" in changed
    assert "C78" not in changed


def test_explain_follows_a_setting(capsys: pytest.CaptureFixture[str]) -> None:
    record = data(capsys, "explain", "training.cost", "--set", "training.mfu=0.4")
    plain = data(capsys, "explain", "training.cost")
    assert record["value"] / plain["value"] == pytest.approx(0.34 / 0.4)
    assert [item["symbol"] for item in record["inputs"]] == ["n", "t", "p"]
    assert record["inputs"][1]["made_of"]["name"] == "training.days"
    assert "topics" + os.sep + "training.py:" in output(capsys, "explain", "training.cost").splitlines()[-1]


def test_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    assert data(capsys, "scenario", "list")[0]["name"] == "leak"
    assert data(capsys, "scenario", "show", "leak")["training"]["tokens"] == 13e12
    found = data(capsys, "scenario", "diff", "leak", "h100-rerun")
    assert found["cluster.gpus"] == {"leak": 25_000, "h100-rerun": 8192}
    assert "34%" in output(capsys, "scenario", "show", "leak")


def test_a_setting_may_use_the_name_that_a_field_once_had(capsys: pytest.CaptureFixture[str]) -> None:
    under = "--scenario", "leak?toy.seed=1", "--set", "toy.experts=8"
    assert output(capsys, "claims", *under) == output(capsys, "claims")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("explain", "training.cots"), "training.cost"),
        (("explain", "training.cost", "--set", "training.mfu=34"), "0.34"),
        (("claims", "--set", "training.mfu"), "PATH=VALUE"),
        (("scenario", "show", "leek"), "leak"),
        (("claims", "--set", "toy.experts=80"), "mixture.experts = 80"),  # as the field was once called
        (("claims", "--set", "cluster.accelerator=a100"), "a100-sxm-80gb"),
        (("claims", "--set", "=0.4"), "PATH=VALUE"),
        (("claims", "--set", "training.mfu=0.4", "--set", "training.mfu=0.5"), "set twice"),
        (("claims", "--chapter", "99"), "00, "),
        (("claims", "--chapter", ""), "00, "),
        (("claims", "--verdict", "true"), "unit-error"),
        (("explain", "training.cost", "--depth", "-5"), "at least 1"),
        (("explain", "training.cost", "--depth", "0"), "at least 1"),
        (("explain", "training.cost", "--depth", "two"), "'two'"),
        (("explain", ""), "which quantity?"),
        (("explain", "mfu"), "training.mfu"),
        (("explain",), "name"),
        (("explain", "cluster.accelerator.peak_fp8_flop_per_s"), "no peak_fp8_flop_per_s"),
        (("scenario", "show", "nowhere.json"), "nowhere.json: No such file"),
        (("scenario", "diff", "leak", "nowhere.toml"), "nowhere.toml: No such file"),
        (("claims", "--scenario", "."), "unknown scenario"),
        (("explain", "catalog/entry/x/y"), "unknown quantity"),
        (("claims", "--scenario", "x" * 100_000), "unknown scenario"),
        (("claims", "--set", "x" * 100_000 + "=1"), "unknown field"),
        (("clams",), "claims"),
        ((), "COMMAND"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert len(error) < 5000


@pytest.mark.parametrize("module", ["gpt4lab", "gpt4lab.cli"])
def test_it_is_a_command(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "claims", "--chapter", "03"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "C12" in done.stdout


def test_it_knows_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, "--version") == f"gpt4lab {gpt4lab.__version__}\n"


def test_without_the_chapters_lab_says_where_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "gpt4lab" / "cli.py"))
    assert main(("lab",)) == 2
    assert "gpt4lab read" in capsys.readouterr().err
    (tmp_path / "book.py").write_text("")
    started: list[Any] = []
    monkeypatch.setattr(os, "execv", lambda *command: started.append(command[1]) or sys.exit(0))
    monkeypatch.setattr(subprocess, "call", lambda command: started.append(command) or 0)
    assert main(("lab",)) == 0
    assert started == [[sys.executable, str(tmp_path / "book.py"), "lab"]]


def test_a_chapter_may_be_written_with_one_digit(capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, "claims", "--chapter", "9") == output(capsys, "claims", "--chapter", "09")


def test_what_matches_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    chapters = {record["chapter"] for record in data(capsys, "claims")}
    for chapter in chapters:
        for verdict in VERDICTS:
            lines = output(capsys, "claims", "--chapter", chapter, "--verdict", verdict).splitlines()
            found = data(capsys, "claims", "--chapter", chapter, "--verdict", verdict)
            assert len(lines) == max(len(found), 1) + 1
            assert lines[0].startswith(f"No claim of chapter {chapter} is {verdict}.") == (not found)
    assert output(capsys, "scenario", "diff", "leak", "leak") == "There is no difference.\n"
    assert data(capsys, "scenario", "diff", "leak", "leak") == {}


def test_a_field_is_explained_with_range_source_and_line(capsys: pytest.CaptureFixture[str]) -> None:
    record = data(capsys, "explain", "training.mfu", "--set", "training.mfu=0.4")
    assert (record["value"], record["unit"], record["origin"]) == (0.4, "fraction", "yours")
    assert "allowed: 0.01 to 1 (1% to 100%)" in output(capsys, "explain", "training.mfu")
    assert "records.py:" in output(capsys, "explain", "training.mfu")


def test_the_source_follows_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    plain, mine = (output(capsys, "explain", "training.days", *more) for more in ((), ("--set", "training.mfu=0.4")))
    assert "training.mfu  (C29: middle of 32-36%)" in plain
    assert "training.mfu  (yours)" in mine
    assert "C29" not in json.dumps(data(capsys, "explain", "training.days", "--set", "training.mfu=0.4"))
    assert data(capsys, "scenario", "show", "leak?training.mfu=0.4")["sources"]["training.mfu"] == "yours"
    assert "catalog: DBRX" in output(capsys, "scenario", "show", "dbrx")


# --- a scenario from a file ----------------------------------------------------------------------------

JSON = '{"title": "Mine", "training": {"mfu": 0.4}}'
TOML = 'title = "Mine"\n[training]\nmfu = 0.4\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize(("name", "text"), [("my.json", JSON), ("MY.TOML", TOML)])
def test_a_scenario_may_come_from_ones_own_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, text: str, encoding: str
) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode(encoding))
    assert data(capsys, "scenario", "diff", "leak", str(file)) == {"training.mfu": {"leak": 0.34, str(file): 0.4}}
    assert data(capsys, "scenario", "show", str(file))["sources"]["training.mfu"] == "yours"
    assert "training.mfu  (yours)" in output(capsys, "explain", "training.days", "--scenario", str(file))
    set_too = data(capsys, "explain", "training.mfu", "--scenario", str(file), "--set", "training.mfu=0.5")
    assert set_too["value"] == 0.5


@pytest.mark.parametrize("text", [JSON, TOML, "\n " + JSON])
def test_a_scenario_may_come_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert data(capsys, "scenario", "diff", "leak", "-")["training.mfu"] == {"leak": 0.34, "-": 0.4}


@pytest.mark.parametrize("name", scenarios.names())
def test_what_show_prints_is_read_back(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    file = tmp_path / "shown.json"
    file.write_text(output(capsys, "scenario", "show", name, "--json"), "utf-8")
    assert output(capsys, "scenario", "diff", name, str(file)) == "There is no difference.\n"
    assert data(capsys, "scenario", "show", str(file)) == data(capsys, "scenario", "show", name)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b"", "nothing in it"),
        ("a.toml", b"\x00\xff\xfe", "no text"),
        ("a.toml", b" \n", "nothing in it"),
        ("a.json", b"{", "line 1"),
        ("a.toml", b"training", "Expected"),
        ("a.json", b"\xff\xfe\x00", "a.json"),
        ("a.json", b"\x80abc", "utf-8"),
        ("a.json", b'{"training": {"mfu": 34}}', "training.mfu = 34"),
        ("a.toml", b"[training]\nmfu = 34", "training.mfu = 34"),
        ("a.toml", b"[training]\nmfu = 2024-01-01", "training.mfu = 2024-01-01"),
        ("a.toml", b"[training]\nmfu = nan", "training.mfu = nan"),
        ("a.json", b'{"training": {"mfuu": 0.4}}', "training.mfu"),
        ("a.json", b'{"trainings": {"mfu": 0.4}}', "training"),
        ("a.json", b"[" * 100_000, "a.json"),
        ("a.json", b'{"training": {"mfu": 1' + b"0" * 5000 + b"}}", "a.json"),
        ("a.json", b"[]", "a table of groups"),
        ("a.json", b"null", "a table of groups"),
        ("a.json", b'"training"', "a table of groups"),
        ("a.json", b'{"training": 5}', "training is a group"),
        ("a.json", b'{"trainings": 5}', "did you mean training"),
        ("a.json", b'{"trainings": {}}', "did you mean training"),
        ("a.toml", b"training = []", "training is a group"),
        ("a.txt", JSON.encode(), ".json or .toml"),
        ("a.json", None, "Is a directory"),
    ],
)
def test_a_file_that_is_no_scenario_is_told_by_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    file = tmp_path / name
    file.mkdir() if content is None else file.write_bytes(content)
    assert main(("claims", "--scenario", str(file))) == 2
    error = capsys.readouterr().err
    assert str(file) in error
    assert words in error
    assert error.count("\n") == 1
    assert len(error) < 600
