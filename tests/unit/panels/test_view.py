"""What a view says of its number beside the post's."""

from __future__ import annotations

import pytest

from gpt4lab.panels.view import compared


@pytest.mark.parametrize(
    ("here", "there", "words"),
    [
        (100.2, 100, "the same here"),
        (112, 100, "12% more here"),
        (310, 100, "3.1 times that here"),
        (90, 100, "10% less here"),
        (0, 100, "100% less here"),
        (6, 1564, "1/261 of that here"),
    ],
)
def test_a_difference_is_said_in_words_that_are_true(here: float, there: float, words: str) -> None:
    assert compared(here, there) == words
