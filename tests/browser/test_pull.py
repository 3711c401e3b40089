"""The reader's mark is dragged in a real page, and the keys go on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

CELL = "from gpt4lab.chapters.c09_money.run import run\nrun.widget()"
MARK = '.g4l-plot [class*="_pull_"] path'
# Of the shape alone, before and after: the box that a locator tells of holds the points of the rim as well.
MIDDLE = """mark => {
  const { x, y, width, height } = document.querySelector(mark).getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""


def test_the_mark_is_dragged_and_the_slider_and_the_keys_follow(open_cells: Callable[[Sequence[str]], Any]) -> None:
    lab = open_cells([CELL])
    lab.charts()
    slider = lab.slider("MFU")
    (x, y), before = lab.page.evaluate(MIDDLE, MARK), slider.get_attribute("aria-valuetext")
    with lab.same_elements():
        lab.page.mouse.move(x, y)
        lab.page.mouse.down()
        lab.page.mouse.move(x + 40, y, steps=4)
        lab.page.wait_for_selector(".g4l-ghost")
        lab.page.mouse.up()
        lab.page.wait_for_function(f"([mark, x]) => Math.abs(({MIDDLE})(mark)[0] - x) < 4", arg=[MARK, x + 40])
    after = slider.get_attribute("aria-valuetext")
    assert after != before
    assert lab.page.evaluate("document.activeElement.getAttribute('aria-label')") == "MFU"
    lab.page.keyboard.press("ArrowRight")
    lab.page.wait_for_function(
        "after => document.querySelector('[aria-label=MFU]').getAttribute('aria-valuetext') !== after", arg=after
    )
    lab.no_trouble()
