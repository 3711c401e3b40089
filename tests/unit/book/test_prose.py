"""A paragraph of Markdown with its numbers filled in."""

from __future__ import annotations

import pytest

from gpt4lab.book import say
from gpt4lab.scenario import ScenarioError


def test_a_dollar_in_prose_begins_no_formula() -> None:
    page = say("It costs {training.cost}, and $x$ is a formula.").data
    assert "><span>&#36;</span>56.6 million</span>, and" in page
    assert page.endswith("$x$ is a formula.")


def test_prose_refuses_an_unknown_name() -> None:
    with pytest.raises(ScenarioError, match=r"training\.cost"):
        say("{training.costs}")
