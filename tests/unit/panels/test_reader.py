"""The page's own reader of numbers and its sliders, run by Node: the same table as Python's, the same sentences."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gpt4lab.panels import controls
from gpt4lab.panels.controls import ControlError, NumberControl, billion_of, in_figures
from gpt4lab.panels.setting import at_the_post
from gpt4lab.scenario import FIELDS
from gpt4lab.scenario.numbers import GRAMMAR
from gpt4lab.units import cut
from tests.unit.scenario.test_numbers import ENDLESS, TABLE

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="Node is not installed, and it alone can run the page's own code"
)

NUMBERS = [field for field in FIELDS.values() if not (field.choices or field.catalog)]
HERE = Path(controls.__file__).parent
READ = "(text, unit) => { try { return fromText(text, unit) } catch (why) { return why } }"
MEANT = "(...asked) => meantBy(...asked)"
DOOR = "(text) => parseNumber(text, { percent: true, unit: 'fraction' })"
FAULT = "(n, value) => fault(value, { ...n, percent: n.unit === 'fraction' })"
ENDS = "(n) => { const at = positions(n); return [at.at(0), at.at(at.last), at.of(n.lo), at.of(n.hi) / at.last] }"
NOTHING = "(n) => positions(n).of(0)"


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


def test_a_bare_number_in_a_per_cent_entry_is_per_cent_there_alone() -> None:
    assert page(DOOR, [[text] for text, _ in TABLE["percent_door"]]) == pytest.approx(
        [number for _, number in TABLE["percent_door"]], rel=1e-15
    )


def refused(control: NumberControl, value: float) -> str:
    """What Python says to a value; "" where it takes it."""
    try:
        control.value = value
    except ControlError as why:
        return str(why)
    return ""


def plain(said: str | None) -> str:
    """A sentence with plain spaces: the page keeps a number and its unit on one line."""
    return (said or "").replace("\u00a0", " ")


def test_page_and_python_write_numbers_alike() -> None:
    for value, words, _, figures in TABLE["written"]:
        assert in_figures(value, billion_of(words)) == figures
    states = [{"integer": whole, "billion": billion_of(words)} for _, words, whole, _ in TABLE["written"]]
    said = page(
        "(n, value) => formatNumber(value, n)", [[n, row[0]] for n, row in zip(states, TABLE["written"], strict=True)]
    )
    assert said == [figures for *_, figures in TABLE["written"]]


def test_the_page_refuses_by_the_field_what_python_refuses() -> None:
    names = ("label", "unit", "lo", "hi", "least", "most", "mark", "integer")
    cases: list[Any] = []
    told: list[str] = []
    for field in NUMBERS:
        for power in (-12, -6, -3, -2, -1, 0, 1, 2, 3, 6, 12):
            control = at_the_post(field.path)
            units = {"shownUnit": control.unit_words, "unitOfOne": control.unit_of_one}
            state = {name: getattr(control, name) for name in names} | units
            for end in (field.lo, field.hi, field.default, -1, 2.5):
                cases.append([{**state, "billion": billion_of(control.unit_words)}, end * 10.0**power])
                told.append(refused(control, end * 10.0**power))
    assert [plain(said) for said in page(FAULT, cases)] == told


def test_every_slider_reaches_both_its_ends() -> None:
    plain = [
        {"lo": field.lo, "hi": field.hi, "log": log, "integer": field.whole, "step": step}
        for field in NUMBERS
        for log in {field.log and field.lo > 0, False}
        for step in (None, (field.hi - field.lo) / 7.3)
    ]
    assert page(ENDS, [[n] for n in plain]) == [[n["lo"], n["hi"], 0, pytest.approx(1)] for n in plain]


def test_nothing_stands_at_the_left_end_of_a_log_slider() -> None:
    assert page(NOTHING, [[{"lo": lo, "hi": 1e18, "log": True, "integer": False}] for lo in (1e-3, 1, 1e9)]) == [
        0,
        0,
        0,
    ]
