"""Units: what converts, what must not, and how a number looks to a reader."""

from __future__ import annotations

import pytest

from gpt4lab.units import UnitError, convert, factor, show


@pytest.mark.parametrize(
    ("unit", "to", "times"),
    [
        ("TFLOP", "GFLOP", 1000),
        ("TFLOP/token", "FLOP/token", 1e12),
        ("cent/ktoken", "USD/ktoken", 0.01),
        ("cent/ktoken", "USD/token", 1e-5),
        ("percent", "fraction", 0.01),
        ("GB", "byte", 1e9),
        ("GiB", "byte", 2**30),
        ("MUSD", "USD", 1e6),
        ("day", "s", 86_400),
        ("Wh", "J", 3600),
    ],
)
def test_conversions(unit: str, to: str, times: float) -> None:
    assert factor(unit, to) == pytest.approx(times)
    assert convert(3, to, unit) == pytest.approx(3 / times)


@pytest.mark.parametrize(
    ("unit", "to"), [("FLOP/s", "FLOP"), ("token", "param"), ("GPU", "node"), ("USD", "token"), ("FLOP", "op")]
)
def test_what_measures_different_things_does_not_convert(unit: str, to: str) -> None:
    with pytest.raises(UnitError, match="cannot be read as"):
        factor(unit, to)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (277e9, "param", "277 billion parameters"),
        (1, "expert", "1 expert"),
        (63e6, "USD", "$63 million"),
        (0.0049, "USD/ktoken", "$0.0049 per 1,000 tokens"),
        (560e9, "FLOP", "560 GFLOP"),
        (2.15e25, "FLOP", "2.15×10²⁵ FLOP"),
        (0.34, "fraction", "34%"),
        (6.6101, "x", "6.61×"),
        (25_000, "GPU", "25,000 GPUs"),
        (61_440, "byte/token", "61.4 kB per token"),
        (45.4632e9, "Wh", "45.5 GWh"),
        (57e6, "GPU*hour", "57 million GPU-hours"),
        (0.0, "token", "0 tokens"),
        (10.6, "ms", "10.6 ms"),
        (999.4, "s", "999 s"),
        (999.7, "s", "16.7 minutes"),
        (1450, "s", "24.2 minutes"),
        (-1e4, "s", "−2.78 hours"),
        (1e6, "s/token", "11.6 days per token"),
        (1e13, "s", "316,881 years"),
        ([1200, 1500], "s", "20 to 25 minutes"),
        (1.4e-15, "fraction", "1.40×10⁻¹³%"),
        (None, "token", "–"),
        ([0.32, 0.36], "fraction", "32% to 36%"),
        ([26_250, 29_167], "GPU", "26,250 to 29,167 GPUs"),
        ([1, 16], "expert", "1 to 16 experts"),
        ([16, 1], "head", "16 heads to 1 head"),
        ([1.05, 1.17], "USD/GPU/hour", "$1.05 to $1.17 per GPU per hour"),
        ([130e9, 144e9], "token/day", "130 to 144 billion tokens per day"),
        ([3e9, 13e12], "token", "3 billion to 13 trillion tokens"),
        ([1.5e12, 2e12], "byte/s", "1.5 TB/s to 2 TB/s"),
        ([], "GPU", ""),
    ],
)
def test_a_number_as_a_reader_sees_it(value: object, unit: str, text: str) -> None:
    assert show(value, unit) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (1.1, "$1.10"),
        (47.96, "$47.96"),
        (48.001, "$48"),
        (-2.5, "−$2.50"),
        (0.5, "$0.50"),
        (0.099, "$0.099"),
        (99.999, "$100"),
        (102.4, "$102"),
        (0, "$0"),
    ],
)
def test_money_has_cents_below_a_hundred_dollars_or_none(dollars: float, text: str) -> None:
    assert show(dollars, "USD") == text
