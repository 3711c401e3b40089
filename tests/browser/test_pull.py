"""The reader's mark is dragged in a real page, and the keys go on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

CELL = "from gpt4lab.chapters.c09_money.run import run\nrun.widget()"
MARK = '.g4l-plot [class*="_pull_"] path'


def test_the_mark_is_dragged_and_the_slider_and_the_keys_follow(open_cells: Callable[[Sequence[str]], Any]) -> None:
    lab = open_cells([CELL])
    lab.charts()
    slider, mark = lab.slider("MFU"), lab.page.locator(MARK).first
    box, before = mark.bounding_box(), slider.get_attribute("aria-valuetext")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    with lab.same_elements():
        lab.page.mouse.move(x, y)
        lab.page.mouse.down()
        lab.page.mouse.move(x + 40, y, steps=4)
        lab.page.wait_for_selector(".g4l-ghost")
        lab.page.mouse.up()
        lab.page.wait_for_function(
            "([mark, x]) => Math.abs(document.querySelector(mark).getBoundingClientRect().x - x) < 4",
            arg=[MARK, box["x"] + 40],
        )
    after = slider.get_attribute("aria-valuetext")
    assert after != before
    assert lab.page.evaluate("document.activeElement.getAttribute('aria-label')") == "MFU"
    lab.page.keyboard.press("ArrowRight")
    lab.page.wait_for_function(
        "after => document.querySelector('[aria-label=MFU]').getAttribute('aria-valuetext') !== after", arg=after
    )
    lab.no_trouble()
