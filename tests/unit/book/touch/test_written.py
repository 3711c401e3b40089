"""How a sentence carries its numbers."""

from __future__ import annotations

import re

import pytest

from gpt4lab.book import say
from gpt4lab.book.touch.written import MOST_TOLD, told_of
from gpt4lab.claims.prose import movable
from gpt4lab.quantities import QUANTITIES
from gpt4lab.scenario import FIELDS, ScenarioError


def test_every_number_says_in_one_line_what_it_is() -> None:
    told = {name: told_of(name) for name in (*FIELDS, *QUANTITIES.names())}
    assert {name: line for name, line in told.items() if not 10 < len(line) <= MOST_TOLD or "\n" in line} == {}


def test_a_number_within_a_formula_stays_bare() -> None:
    text = str(
        say(r"It is {training.mfu}, {training.mfu}, $\text{{training.mfu}} \cdot x$ and \${training.cost}.").data
    )
    assert text.count("itemprop") == 3
    assert r"$\text{34%} \cdot x$" in text


def test_the_mark_of_a_table_and_of_a_formula_stand_in_no_attribute() -> None:
    text = str(say("| {cluster.rental|cluster.days=90} | {~cluster.usd_per_gpu_hour} | {C33.stated} |").data)
    for attribute in re.findall(r'"([^"]*)"', text):
        assert not set("|$~*<>`") & set(attribute)


@pytest.mark.parametrize(
    "brace",
    [
        "~training.cost",
        "~training.mfu@h100-rerun",
        "~training.mfu|training.mfu=0.4",
        "~C33.stated",
        "~cluster.accelerator",
    ],
)
def test_only_an_input_that_is_a_number_can_be_moved(brace: str) -> None:
    with pytest.raises(ScenarioError, match="only an input"):
        say(f"It is {{{brace}}}.")


def test_what_can_be_moved_is_a_number() -> None:
    assert movable("training.mfu")
    assert not any(map(movable, ("training.cost", "cluster.accelerator", "cluster.recompute", "C33.stated")))
