"""Chapter 00: the claim that dies on its first screen, and the exercise that asks which claim a change leaves alone."""

from __future__ import annotations

import re

import pytest

from gpt4lab.chapters.c00_start.first import left_alone, years_as_written
from gpt4lab.chapters.c00_start.ledger import whole_ledger
from gpt4lab.scenario import change, load_scenario

TWICE = {"training.tokens": 2 * load_scenario("leak").training.tokens}


def test_the_first_claim_dies_by_the_post_s_own_numbers() -> None:
    by_hand = 3 * 560e12 * 13e12 / (25_000 * 312e12 * 0.34) / (86_400 * 365.25)
    assert years_as_written() == f"{by_hand:.0f} years"


def test_the_panel_shows_the_rent_that_an_exercise_asks_for() -> None:
    said = [whole_ledger.view(change(load_scenario("leak"), {"cluster.gpus": n})).sentence for n in (25_000, 27_600)]
    assert "25,000 GPUs for 95 days, the middle of the post's range, cost $57 million in rent" in said[0]
    assert "$62.9 million" in said[1]


def test_one_claim_holds_and_two_hold() -> None:
    leak = load_scenario("leak")
    gpus = [change(leak, {"cluster.gpus": n}) for n in range(10_000, 50_000, 2_500)]
    said = " ".join(whole_ledger.view(scenario).sentence for scenario in (change(leak, TWICE), *gpus))
    verbs = {(count == "1", verb) for count, verb in re.findall(r"(\d+) (?:no longer|now) (holds?)", said)}
    assert verbs == {(True, "holds"), (False, "hold")}


def test_a_question_with_one_answer_has_one() -> None:
    assert left_alone(("C16", "C27", "C23"), TWICE) == "C23"


def test_a_question_with_two_answers_is_refused() -> None:
    with pytest.raises(ValueError, match="not one but 2"):
        left_alone(("C01", "C27", "C23"), TWICE)
