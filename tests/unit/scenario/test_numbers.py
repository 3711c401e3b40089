"""Numbers as readers write them, and lines as they share them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gpt4lab.scenario import FIELDS, ScenarioError, load_scenario
from gpt4lab.scenario.field import Field, meant
from gpt4lab.scenario.numbers import GRAMMAR, from_text
from gpt4lab.units import UnitError, counted, cut, factor, show

#: What is read, what is refused and why, and what a slip is taken for: the page's own reader holds to the same table.
TABLE: dict[str, Any] = json.loads(Path(__file__).with_name("numbers.json").read_text("utf-8"))
ENDLESS = ["1" * 400, "x" * 10**6]


@pytest.mark.parametrize(("text", "unit", "number"), TABLE["read"])
def test_a_number_is_read(text: str, unit: str | None, number: float) -> None:
    assert from_text(text, unit) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(("text", "unit", "why"), TABLE["refused"] + [[text, None, "long"] for text in ENDLESS])
def test_what_is_no_number_is_refused_in_one_short_line(text: str, unit: str | None, why: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        from_text(text, unit)
    assert str(caught.value) == GRAMMAR["said"][why].format(text=f"“{cut(text)}”", longest=60, unit=unit or "it")
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize("field", [field for field in FIELDS.values() if not (field.choices or field.catalog)])
def test_a_field_reads_what_the_book_writes_for_it(field: Field) -> None:
    shown = [] if field.unit.startswith("byte") else [show(field.default, field.unit)]  # "2 B" may be billions
    for written in [*shown, counted(field.default, field.unit)]:
        assert from_text(written, field.unit) == pytest.approx(field.default, rel=1e-2)


@pytest.mark.parametrize("line", ["leak?training.mfu=", "leak?training.mfu", "leak?", "leak?toy.experts=", "leak?&"])
def test_nothing_in_a_shared_line_is_ignored(line: str) -> None:
    with pytest.raises(ScenarioError, match="sets nothing"):
        load_scenario(line)


def test_a_shared_line_sets_a_field_once() -> None:
    with pytest.raises(ScenarioError, match=r"mixture\.experts is set twice"):
        load_scenario("leak?toy.experts=4&mixture.experts=8")


@pytest.mark.parametrize("text", ["2e+13", "2e%2B13", "20T"])
def test_a_plus_in_a_shared_line_is_a_plus(text: str) -> None:
    assert load_scenario(f"leak?training.tokens={text}").training.tokens == 2e13


@pytest.mark.parametrize("case", TABLE["meant"])
def test_a_slip_is_guessed_only_where_it_explains_the_number(case: list[Any]) -> None:
    assert meant(*case[:-1]) == case[-1]


RIDDLES = ["9**9**9**9", "FLOP**9**9**9", "9^9^9^9", "(FLOP**9)**9", "9⁹⁹⁹⁹⁹⁹⁹⁹", "x" * 100_000]


@pytest.mark.parametrize("unit", RIDDLES, ids=range(len(RIDDLES)))
def test_a_riddle_is_no_unit(unit: str) -> None:
    with pytest.raises(UnitError):
        factor(unit, "FLOP")
