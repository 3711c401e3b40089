"""How an answer is judged."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt4lab.book.exercises.tasks import Choice, Number, Reach
from gpt4lab.scenario import change, load_scenario

LEAK = load_scenario("leak")


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        ("", "missing"),
        ("many", "wrong"),
        ("560e12", "almost"),
        ("650B", "almost"),
        ("1e9", "almost"),
        ("560 B", "right"),
    ],
)
def test_number_feedback_is_graduated(answer: str, level: str) -> None:
    task = Number(560e9, "FLOP")
    if answer == "1e9":
        level = "wrong"
    assert task.check(answer).level == level


def test_choice_feedback() -> None:
    task = Choice(("a", "b"), "b")
    assert [task.check(x).level for x in ("", "a", "b")] == ["missing", "wrong", "right"]


def test_reach_says_which_part_is_met() -> None:
    task = Reach({"training.cost": (0, 40e6), "training.days": (0, 1000)}, LEAK, {"training.mfu": 0.6})
    assert task.check(task.start).level == "almost"
    assert "not yet" in task.check(task.start).text
    assert task.check(task.solution).level == "right"


@given(right=st.floats(1e-12, 1e30), power=st.integers(-6, 6).filter(bool))
def test_a_slip_by_a_power_of_ten_is_named_and_the_right_number_passes(right: float, power: int) -> None:
    task = Number(right, "FLOP")
    slipped = task.check(right * 10.0**power)
    assert task.check(right).level == task.check(repr(right)).level == "right"
    assert slipped.level == "almost"
    assert f"off by {power:+d}." in slipped.text


NO_NUMBERS = ["nan", "inf", "-inf", "1e999", "9" * 400, "5e-324", "1e-320", "0", "many", " ", "x" * 100_000]
NO_NUMBERS += [math.nan, math.inf, 10**400, 5e-324, True, None, [], [1, 2], {}, b"5", 1j, object(), "5" + "0" * 5000]
ANY = st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.complex_numbers() | st.binary()


@pytest.mark.parametrize("answer", NO_NUMBERS, ids=lambda answer: str(answer)[:12])
def test_what_is_no_answer_is_said_in_one_sentence(answer: object) -> None:
    feedback = Number(560e9, "FLOP").check(answer)
    assert feedback.level in ("missing", "wrong")
    assert 5 < len(feedback.text) < 700


@given(right=st.floats(allow_nan=False, allow_infinity=False), answer=ANY | st.lists(ANY))
def test_whatever_is_answered_there_is_a_sentence(right: float, answer: object) -> None:
    for task in (Number(right, "FLOP"), Choice(("a", "b"), "b"), Reach({"training.days": (0, 60)}, LEAK, {})):
        feedback = task.check(answer)
        assert feedback.text
        assert feedback.level != "right" or (
            isinstance(task, Number) and math.isclose(float(answer), right, rel_tol=0.06)
        )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "words"), [("-5", "larger than zero"), (0, "larger"), ("900B", "large"), (1e11, "small")]
)
def test_what_is_wrong_says_in_which_direction(answer: object, words: str) -> None:
    feedback = Number(560e9, "FLOP").check(answer)
    assert (feedback.level, words in feedback.text) == ("wrong", True)


def test_a_goal_may_be_open_to_one_side_and_its_words_say_so() -> None:
    least, most = Reach({"training.days": (30, math.inf)}, LEAK, {}), Reach({"training.days": (0, 60)}, LEAK, {})
    assert "wanted: at least 30 days" in least.check(LEAK).text
    assert "wanted: at most 60 days" in most.check(LEAK).text
    assert (least.check(LEAK).level, most.check(LEAK).level) == ("right", "wrong")


def test_the_solution_is_said_in_the_units_of_its_fields() -> None:
    task = Reach({"training.days": (0, 60)}, LEAK, {"cluster.gpus": 50_000, "cluster.accelerator": "h100-sxm-80gb"})
    assert task.solved().startswith("GPUs: 50,000 GPUs; Accelerator: H100 SXM5 80GB. Then Length of the run")
    assert task.solution == change(LEAK, task.changes)
    assert task.check(task.solution).level == "right"


def test_what_is_close_is_answered_by_its_true_distance() -> None:
    task = Number(1.831e12, "param", tolerance=0.01)
    assert "1.7% below the answer" in task.check("1.8T").text
    assert "37% above the answer" in task.check("2.5T").text
