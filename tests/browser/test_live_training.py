"""A model trains on the page: run, move sliders meanwhile, stop, run again, run the cell again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

Open = Callable[[Sequence[str]], Any]

CELLS = [
    "from gpt4lab.chapters.c02_experts import coloured_text, readings\n"
    "from gpt4lab.chapters.c02_experts.mixture import mixture",
    "lab = mixture.widget()\nlab.set({'mixture.steps': 1000})\nlab.start()",
    "readings.router_map(lab)",
    "coloured_text.coloured_text(lab)",
]
pytestmark = pytest.mark.live


def wait_for_words(page: Any, words: str) -> None:
    page.wait_for_function(
        "words => [...document.querySelectorAll('.g4l-panel')].some((panel) => panel.innerText.includes(words))",
        arg=words,
    )


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True).first


def test_run_move_stop_and_run_again(open_cells: Open) -> None:
    lab = open_cells(CELLS)
    page = lab.page
    wait_for_words(page, "of 1000,")  # step 12 of 1000, 40 s left
    lab.wait_for_text("this run")
    with lab.same_elements(".g4l-plot svg, .g4l-control input"):
        lab.press(lab.slider("Experts"), "ArrowLeft")
        button(page, "Run with these").wait_for()
    button(page, "Stop").click()
    wait_for_words(page, "stopped at step")
    wait_for_words(page, "even share of the work")  # the reading looked at the stopped model
    button(page, "Run with these").click()
    lab.wait_for_text("the run before")
    button(page, "Stop").click()
    wait_for_words(page, "stopped at step")
    assert not lab.nameless_controls()
    lab.no_trouble()


def test_running_the_cell_again_keeps_the_old_curve(open_cells: Open) -> None:
    lab = open_cells(CELLS[:2])
    wait_for_words(lab.page, "of 1000,")
    lab.run_all()
    lab.wait_for_text("the run before")
    button(lab.page, "Stop").click()
    wait_for_words(lab.page, "stopped at step")
    lab.no_trouble()
