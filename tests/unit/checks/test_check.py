"""A prediction beside what was found: which way the ratio goes, and how far some checks are off together."""

from __future__ import annotations

import math

import attrs
import pytest

from gpt4lab.checks.check import HERE, Check, Checks


def check(predicted: float, found: float) -> Check:
    return Check("bytes", predicted, found, "byte")


def test_above_one_reality_has_more() -> None:
    assert check(2, 3).ratio == 1.5
    assert check(2, 3).error == pytest.approx(-1 / 3)
    assert check(4, 3).ratio == 0.75
    assert check(4, 3).error == pytest.approx(1 / 3)


def test_a_check_is_of_this_machine_unless_it_says_otherwise() -> None:
    assert check(1, 1).where == HERE == "this machine"
    assert not check(1, 1).disturbed


def test_nothing_predicted_is_right_only_where_nothing_was_found() -> None:
    assert check(0, 3).ratio == math.inf
    assert check(0, 0).ratio == 1
    assert check(3, 0).ratio == 0


def test_mean_and_largest_take_errors_of_either_sign() -> None:
    some = Checks(check(predicted, 100) for predicted in (110, 70, 100))
    assert some.mean_error == pytest.approx(0.4 / 3)
    assert some.largest == pytest.approx(0.3)


def test_no_checks_have_no_error_that_one_could_name() -> None:
    assert Checks() == ()
    assert math.isnan(Checks().mean_error)
    assert math.isnan(Checks().largest)


def test_a_check_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        check(1, 2).found = 1  # type: ignore[misc]
