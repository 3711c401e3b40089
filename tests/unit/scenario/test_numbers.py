"""Numbers as readers write them, and lines as they share them."""

from __future__ import annotations

import pytest

from gpt4lab.scenario import ScenarioError, load_scenario
from gpt4lab.scenario.field import meant
from gpt4lab.scenario.numbers import from_text
from gpt4lab.units import UnitError, factor

READ = [
    *[("25k", None, 25e3), ("25K", None, 25e3), ("25m", None, 25e6), ("554b", None, 554e9), ("1.8t", None, 1.8e12)],
    *[("554 billion", None, 554e9), ("$63M", "USD", 63e6), ("$49.01 per GPU-hour", "USD/GPU/hour", 49.01)],
    *[("34%", "fraction", 0.34), ("8 heads", "head", 8), ("1e+13", None, 1e13), ("2×10^13", "token", 2e13)],
    *[
        ("2.15×10²⁵", "FLOP", 2.15e25),
        ("560 GFLOP", "FLOP", 560e9),
        ("16 ms", "s", 0.016),
        ("1,234,567", None, 1234567),
    ],
]


@pytest.mark.parametrize(("text", "unit", "number"), READ)
def test_a_number_is_read(text: str, unit: str | None, number: float) -> None:
    assert from_text(text, unit) == number


@pytest.mark.parametrize("text", ["1,3T", "1,5", "0,554T", "1,2345", "1.234,5", "1.234.567,8"])
def test_a_decimal_comma_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match="decimal point, not a comma"):
        from_text(text)


BAD = ["", " ", "１２", "1_0", "inf", "nan", "0x10", "1" * 400, "x" * 10**6, "1e999", "1e-999"]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_is_no_number_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        from_text(text)
    assert len(str(caught.value)) < 160


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


@pytest.mark.parametrize(
    ("asked", "guess"),
    [
        ((34, 0.01, 1, 0.34), 0.34),
        ((13, 1e6, 1e16, 13e12), 13e12),
        ((1.0001, 0.01, 1, 0.34), None),
        ((60, 1e-7, 10, 0.06), None),
        ((0, 1, 2, 1), None),
    ],
)
def test_a_slip_is_guessed_only_where_it_explains_the_number(
    asked: tuple[float, float, float, float], guess: float | None
) -> None:
    assert meant(*asked) == guess


RIDDLES = ["9**9**9**9", "FLOP**9**9**9", "9^9^9^9", "(FLOP**9)**9", "9⁹⁹⁹⁹⁹⁹⁹⁹", "x" * 100_000]


@pytest.mark.parametrize("unit", RIDDLES, ids=range(len(RIDDLES)))
def test_a_riddle_is_no_unit(unit: str) -> None:
    with pytest.raises(UnitError):
        factor(unit, "FLOP")
