"""The page's own reader of numbers and its sliders, run by Node: the same table as Python's, the same sentences."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gpt4lab.panels import controls
from gpt4lab.scenario import FIELDS
from gpt4lab.scenario.numbers import GRAMMAR
from gpt4lab.units import cut
from tests.unit.scenario.test_numbers import ENDLESS, TABLE

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="Node runs the page's own code")

HERE = Path(controls.__file__).parent
READ = "(text, unit) => { try { return fromText(text, unit) } catch (why) { return why } }"
MEANT = "(...asked) => meantBy(...asked)"
ENDS = "(n) => { const at = positions(n); return [at.at(0), at.at(at.last), at.of(n.lo), at.of(n.hi) / at.last] }"


def page(function: str, cases: list[list[Any]]) -> list[Any]:
    """What a function of the page says to each case."""
    code = controls.READER + (HERE / "number.js").read_text("utf-8").replace("export ", "")
    asked = f"const said = JSON.parse(require('fs').readFileSync(0)).map((case_) => ({function})(...case_));"
    whole = f"{code}\n{asked}\nconsole.log(JSON.stringify(said))"
    done = subprocess.run(["node", "-e", whole], input=json.dumps(cases), capture_output=True, text=True, timeout=60)
    assert not done.stderr
    return json.loads(done.stdout)


def test_the_page_reads_what_python_reads() -> None:
    said = page(READ, [[text, unit] for text, unit, _ in TABLE["read"]])
    assert said == pytest.approx([number for *_, number in TABLE["read"]], rel=1e-15)


def test_the_page_refuses_what_python_refuses_in_the_same_words() -> None:
    cases = TABLE["refused"] + [[text, None, "long"] for text in ENDLESS]
    told = [
        GRAMMAR["said"][why].format(text=f"“{cut(text)}”", longest=GRAMMAR["longest"], unit=unit or "it")
        for text, unit, why in cases
    ]
    assert page(READ, [[text, unit] for text, unit, _ in cases]) == told


def test_the_page_guesses_what_python_guesses() -> None:
    assert page(MEANT, [case[:-1] for case in TABLE["meant"]]) == [case[-1] for case in TABLE["meant"]]


def test_every_slider_reaches_both_its_ends() -> None:
    fields = [field for field in FIELDS.values() if not (field.choices or field.catalog)]
    plain = [
        {"lo": field.lo, "hi": field.hi, "log": log, "integer": field.whole, "step": step}
        for field in fields
        for log in {field.log and field.lo > 0, False}
        for step in (None, (field.hi - field.lo) / 7.3)
    ]
    assert page(ENDS, [[n] for n in plain]) == [pytest.approx([n["lo"], n["hi"], 0, 1], abs=1e-9) for n in plain]
