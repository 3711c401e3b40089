"""Controls refuse what they cannot show, say why, and keep the last good value."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import traitlets

from gpt4lab.panels.controls import ChoiceControl, ControlError, NumberControl, TextControl, unit_words
from gpt4lab.panels.setting import Slide, at_the_post
from gpt4lab.scenario import FIELDS

NO_NUMBERS = [
    *(float("inf"), -float("inf"), float("nan"), 10**400, -(10**400), Fraction(10**400, 3), Decimal("NaN"), 1j),
    *(
        "25k",
        "",
        "x" * 10**6,
        b"3",
        None,
        [],
        {},
        [3],
        object(),
        True,
        np.True_,
        np.nan,
        np.array([1, 2]),
        np.array([]),
    ),
]


def gpus(**options: Any) -> NumberControl:
    settings = {"lo": 1_000, "hi": 200_000, "value": 25_000, "mark": 25_000, "scale": "log", "integer": True}
    return NumberControl("GPUs", "GPU", **{**settings, **options})


def mfu(**options: Any) -> NumberControl:
    return NumberControl("MFU", "fraction", lo=0.01, hi=1, value=0.34, mark=0.32, **options)


@pytest.mark.parametrize(
    ("control", "value", "message"),
    [
        (gpus(), 3, r"GPUs: 3 GPUs is outside 1,000 to 200,000 GPUs. Did you mean 3,000 GPUs\?"),
        (gpus(), 25, r"Did you mean 25,000 GPUs\?"),
        (gpus(), 25e6, r"Did you mean 25,000 GPUs\?"),
        (gpus(), 25_000.5, "not a whole number"),
        (mfu(), 32, r"MFU: 3,200% is outside 1% to 100%. Did you mean 32%\?"),
        (gpus(), float("nan"), "nan is not a number; allowed: 1,000 to 200,000 GPUs"),
        (gpus(), float("inf"), "inf is not a number"),
    ],
)
def test_a_value_out_of_range_is_refused_and_the_old_one_stays(
    control: NumberControl, value: float, message: str
) -> None:
    before = control.value
    with pytest.raises(ControlError, match=message):
        control.value = value
    assert control.value == before


@pytest.mark.parametrize("path", FIELDS)
def test_what_is_no_value_is_refused_in_one_short_line_and_the_old_one_stays(path: str) -> None:
    control = at_the_post(path)
    before = control.value, control.mark
    text = isinstance(control, TextControl)  # any text may stand in it: the scenario judges that; it has no mark
    for value in (*NO_NUMBERS, 1e308, -1e308):
        if text and isinstance(value, str):
            continue
        with pytest.raises(ControlError) as caught:
            control.value = value
        if value is not None and not text:
            with pytest.raises(ControlError):
                control.mark = value
        assert str(caught.value).startswith(f"{control.label}: ")
        assert len(str(caught.value)) < 400
    assert (control.value, control.mark) == before


@pytest.mark.parametrize("path", [path for path, field in FIELDS.items() if not (field.choices or field.catalog)])
def test_a_control_takes_all_that_its_field_takes_and_the_slider_widens_to_it(path: str) -> None:
    field = FIELDS[path]
    third = (field.hi - field.lo) / 3
    control = at_the_post(Slide(path, field.lo + third, field.hi - third))
    log = control.scale == "log"
    for value in (field.lo, field.hi, np.float64(field.hi), np.array(field.lo), field.default):
        control.value = value
        assert control.value == value
        assert type(control.value) is (int if field.whole else float)
        assert control.lo <= value or (log and value == 0)
    assert control.hi == field.hi
    assert control.lo == (min(field.default, field.lo + third) if log and field.lo == 0 else field.lo)


def test_the_error_is_a_value_error_and_a_trait_error() -> None:
    assert issubclass(ControlError, ValueError)
    assert issubclass(ControlError, traitlets.TraitError)


@pytest.mark.parametrize(
    "options", [{"value": 3}, {"mark": 3}, {"lo": 0}, {"lo": 300_000}, {"hi": float("inf")}], ids=str
)
def test_a_control_that_makes_no_sense_is_not_made(options: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="GPUs: "):
        gpus(**options)


def test_whole_numbers_stay_whole_and_others_are_floats() -> None:
    whole, share = gpus(), mfu()
    whole.value, share.value = 8_000.0, 1
    assert isinstance(whole.value, int)
    assert isinstance(share.value, float)


def test_observers_hear_each_new_value_once() -> None:
    heard: list[Any] = []
    control = gpus()
    control.observe(lambda change: heard.append(change["new"]), "value")
    control.value = 8_000
    control.value = 8_000
    control.value = 25_000
    assert heard == [8_000, 25_000]


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("fraction", "%"),
        ("1", ""),
        ("GPU", "GPUs"),
        ("USD/GPU/hour", "$ per GPU-hour"),
        ("FLOP/s", "FLOP/s"),
        ("param", "parameters"),
        ("byte/param", "bytes per parameter"),
        ("token", "tokens"),
        ("FLOP", "FLOP"),
        ("USD/ktoken", "$ per 1,000 tokens"),
    ],
)
def test_units_are_written_as_a_reader_says_them(unit: str, words: str) -> None:
    assert unit_words(unit) == words


def test_the_number_one_has_its_unit_in_the_singular() -> None:
    heads = NumberControl("Key-value heads", "head", 1, 84, 1)
    assert (heads.unit_words, heads.unit_of_one) == ("heads", "head")
    with pytest.raises(ControlError, match=r"0 heads is outside 1 to 84 heads"):
        heads.value = 0
    with pytest.raises(ControlError, match=r"1 expert is outside 4 to 64 experts"):
        NumberControl("Experts", "expert", 4, 64, 16).value = 1


def test_a_control_may_have_no_mark() -> None:
    assert gpus(mark=None).mark is None
    assert ChoiceControl("ZeRO", ["none", "1"], value="1", mark=None).mark is None


@pytest.mark.parametrize(
    "options", [["none", "1", "3"], [("none", "none"), ("one", "1")], {"none": "No ZeRO", "1": "Stage 1"}]
)
def test_a_choice_takes_words_pairs_or_a_dict(options: Any) -> None:
    control = ChoiceControl("ZeRO", options, value="1", mark="none")
    assert {own for _, own in control.options} >= {"none", "1"}
    control.value = "none"
    assert control.mark == "none"


def test_a_choice_refuses_what_is_not_among_the_options() -> None:
    control = ChoiceControl("ZeRO", ["none", "1"], value="1")
    with pytest.raises(ControlError, match="ZeRO: '2' is not one of none, 1"):
        control.value = "2"
    with pytest.raises(ControlError):
        ChoiceControl("ZeRO", ["none", "1"], value="2")
    assert control.value == "1"
