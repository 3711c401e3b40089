"""The command line, as a reader types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from gpt4lab.claims import VERDICTS, ledger
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
    keys = {"id", "chapter", "quote", "stated", "stated_unit", "recomputed", "unit", "residual", "verdict"}
    assert all(set(record) == keys for record in records)


def test_a_unit_error_is_seen_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    claim = next(record for record in data(capsys, "claims") if record["id"] == "C12")
    assert (claim["stated"], claim["stated_unit"], claim["verdict"]) == (560, "TFLOP/token", "unit-error")
    assert claim["recomputed"] == pytest.approx(560e9)
    assert claim["residual"] == pytest.approx(999)


def test_claims_filter_and_count(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "claims", "--verdict", "unit-error").splitlines()
    assert len(lines) == 5
    assert "checkable claims hold" in lines[-1]
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
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_it_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gpt4lab.cli", "claims", "--chapter", "03"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "C12" in done.stdout
