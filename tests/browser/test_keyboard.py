"""The kit by keyboard alone: sliders that step over what cannot be, folds, radios, answers, letters that do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import KeepOpen
    from tests.browser.harness import Lab

CELLS = [
    "from gpt4lab.book import exercise, guess, opening\nopening('12')",
    "from gpt4lab.chapters.c12_cache.fit import fit\npanel = fit.widget()\npanel",
    "from gpt4lab.chapters.c02_experts.touched import touched\ntouched.widget()",
    "exercise('t-number', 'How many?', answer=5, hints=('Five.',))",
    "exercise('t-choice', 'Which?', options=('the first', 'the second', 'the third'), answer='the second')",
    "exercise('t-panel', 'Fit more.', panel=panel, goal={'kv.free_bytes': (1e6, 2e8)}, solution={'model.kv_heads': 2})",
]
CHOSEN = "[...document.querySelectorAll('.g4l-stacked input')].map((radio) => radio.checked)"
COUNT = "jupyterapp.shell.currentWidget.content.widgets.length"
ACTIVE = "jupyterapp.shell.currentWidget.content.activeCellIndex"
FOCUSED = "document.activeElement"


@pytest.fixture(scope="module")
def opened(keep_open: KeepOpen) -> Iterator[Lab]:
    """One notebook for all tests of this file, whole in the window."""
    yield from keep_open("keyboard", CELLS, charts=2, height=5_000)


def below(lab: Lab, label: str, line: str = "note") -> Any:
    """What stands under a control."""
    control = lab.page.locator(".g4l-control").filter(has=lab.page.locator(f"[aria-label='{label}']"))
    return control.locator(f".g4l-{line}")


def wait_for(lab: Lab, place: Any, words: str) -> None:
    from playwright.sync_api import expect

    expect(place).to_contain_text(words, timeout=60_000)


def box(lab: Lab, prompt: str) -> Any:
    return lab.page.locator(".g4l-exercise-box").filter(has_text=prompt)


def test_an_arrow_steps_over_heads_that_do_not_divide(opened: Lab) -> None:
    slider = opened.slider("Key-value heads")
    stands = "([slider, at]) => slider.getAttribute('aria-valuetext').startsWith(at)"
    opened.press(slider, "Delete", *["ArrowRight"] * 3)
    opened.page.wait_for_function(stands, arg=[slider.element_handle(), "4"])
    opened.press(slider, "ArrowRight")
    wait_for(opened, below(opened, "Key-value heads"), "5 key-value heads do not divide 84 query heads")
    opened.page.wait_for_function(stands, arg=[slider.element_handle(), "6"])


def test_a_slider_that_is_pulled_too_far_stands_at_the_last_that_can_be(opened: Lab) -> None:
    slider = opened.slider("Experts per token")
    opened.press(slider, "End")
    wait_for(opened, below(opened, "Experts per token"), "A token cannot meet 64 experts of 16: 16 or fewer.")
    assert slider.get_attribute("aria-valuetext").startswith("16")
    opened.type(opened.entry("Experts per token"), "20")
    wait_for(opened, below(opened, "Experts per token", "error"), "20 experts of 16")
    assert opened.entry("Experts per token").input_value() == "20"
    opened.press(slider, "Delete")
    opened.page.wait_for_function("!document.querySelector('.g4l-error:not(:empty)')")


def test_more_assumptions_open_by_keyboard(opened: Lab) -> None:
    from playwright.sync_api import expect

    button = opened.page.get_by_role("button", name="More assumptions").first
    hidden = opened.page.locator(".g4l-controls .g4l-control:not(:visible)")
    before = hidden.count()
    assert before
    opened.press(button, "Enter")
    opened.page.wait_for_function(
        "[...document.querySelectorAll('.g4l-more button')].some((b) => b.textContent === 'Fewer assumptions')"
    )
    expect(hidden).not_to_have_count(before)  # the button's word comes in a message of its own
    assert hidden.count() < before


def test_the_answers_of_a_choice_are_one_stop_and_follow_the_arrows(opened: Lab) -> None:
    radios = opened.page.locator(".g4l-stacked input")
    assert radios.evaluate_all("all => new Set(all.map((radio) => radio.name)).size") == 1
    assert opened.page.evaluate(CHOSEN) == [False, False, False]
    radios.first.focus()
    cell = opened.page.evaluate(ACTIVE)
    opened.page.keyboard.press("ArrowDown")
    assert opened.page.evaluate(CHOSEN) == [False, True, False]
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate(f"{FOCUSED}.textContent") == "Check"
    opened.page.keyboard.press("Enter")
    wait_for(opened, box(opened, "Which?"), "Correct.")
    assert opened.page.evaluate(ACTIVE) == cell


def test_enter_checks_what_stands_in_the_field(opened: Lab) -> None:
    entry = box(opened, "How many?").get_by_role("textbox", name="Answer")
    opened.press(entry, *"5.0", "Enter")
    wait_for(opened, box(opened, "How many?"), "Correct.")


def test_a_button_leads_to_the_panel(opened: Lab) -> None:
    opened.press(opened.page.get_by_role("button", name="To the panel: "), "Enter")
    opened.page.wait_for_function("document.querySelector('.g4l-panel.g4l-here')?.contains(document.activeElement)")


@pytest.mark.parametrize("part", ["button", "input[type=radio]", "input[type=range]", "summary"])
def test_no_letter_on_a_control_acts_on_the_notebook(opened: Lab, part: str) -> None:
    places = opened.page.locator(f".jp-OutputArea-output :is({part}):visible:not(:disabled)")
    assert places.count()
    for place in places.element_handles():
        place.focus()
        for letter in "abxdd0":
            opened.page.keyboard.press(letter)
    assert opened.page.evaluate(COUNT) == len(CELLS)
    kinds = opened.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model.type)")
    assert {*kinds} == {"code"}


def test_the_notebook_is_still_saved_from_a_control(opened: Lab) -> None:
    opened.page.evaluate("jupyterapp.shell.currentWidget.context.model.dirty = true")
    opened.press(opened.page.get_by_role("button", name="Check").first, "Control+s")
    opened.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
