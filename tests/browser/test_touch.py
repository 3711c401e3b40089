"""Numbers in sentences: told by mouse, keyboard and touch; an input moves its panel and is moved by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import KeepOpen
    from tests.browser.harness import Lab

CELLS = [
    "from gpt4lab import explain, load_scenario\nfrom gpt4lab.book import opening, say\nopening('12')",
    "say('With {~model.kv_heads} a sequence of {~model.context} takes {kv.bytes_per_sequence}, not {C10.stated}.')",
    "say('The post alone: {kv.bytes_per_sequence} at {model.kv_heads}.')",
    "explain('kv.values', load_scenario('leak'))",
    "from gpt4lab.chapters.c12_cache.fit import fit\nfit.widget()",
]
CELLS.append("""
from ipywidgets import Label, VBox
from gpt4lab.charts.drawing import Box, Drawing, Scene
cells = [Box(f"cell-{i}", 30 * i, 0, 28, 28, "wash press paint", f"Cell {i}") for i in range(8)]
paper, stroke = Drawing([Scene(cells, 30, "Eight cells")]), Label()
paper.observe(lambda change: setattr(stroke, "value", change["new"][0]), "pressed")
VBox([paper, stroke])
""")
LIT = "[...document.querySelectorAll('.g4l-lit')].map((lit) => lit.closest('.g4l-explain, .g4l-panel, p').className)"
FOCUSED = "document.activeElement.getAttribute('itemprop')"


@pytest.fixture(scope="module")
def opened(keep_open: KeepOpen) -> Iterator[Lab]:
    """One page for all tests of this file."""
    for lab in keep_open("touch", CELLS, height=2_500):
        lab.page.wait_for_selector(".g4l-moves")
        yield lab


def number(lab: Lab, name: str, place: int = 0) -> Any:
    return lab.page.locator(f"span[itemprop='{name}']").nth(place)


def says(place: Any, words: str) -> None:
    from playwright.sync_api import expect

    expect(place).to_have_text(words, timeout=60_000)


def test_hover_and_focus_tell_how_a_number_is_made_and_escape_ends_it(opened: Lab) -> None:
    about = opened.page.locator(".g4l-about")
    number(opened, "kv.bytes_per_sequence").hover()
    about.locator("mjx-container").first.wait_for()
    opened.page.mouse.move(5, 5)
    about.wait_for(state="detached")
    opened.press(number(opened, "kv.bytes_per_sequence", 1), "Enter")
    about.locator("mjx-container").first.wait_for()
    assert opened.barriers() == []
    opened.page.keyboard.press("Escape")
    about.wait_for(state="detached")
    assert opened.page.evaluate(FOCUSED) == "kv.bytes_per_sequence"


def test_sentence_and_slider_are_one_and_other_sentences_stay(opened: Lab) -> None:
    heads, alone = number(opened, "~model.kv_heads"), number(opened, "kv.bytes_per_sequence", 1)
    opened.press(heads, "ArrowRight")
    says(heads, "2 heads")
    opened.page.wait_for_function("document.querySelector('.g4l-panel .g4l-of-model-kv_heads input').value > 1")
    says(number(opened, "kv.bytes_per_sequence"), "1.01 GB")
    opened.press(opened.slider("Key-value heads"), "ArrowRight")
    says(heads, "3 heads")
    says(alone, "503 MB")
    opened.press(heads, "Delete", "Escape")
    says(heads, "1 head")


def test_a_number_is_dragged(opened: Lab) -> None:
    context = number(opened, "~model.context")
    box, mouse = context.bounding_box(), opened.page.mouse
    mouse.move(box["x"] + 4, box["y"] + 6)
    mouse.down()
    mouse.move(box["x"] + 64, box["y"] + 6, steps=6)
    mouse.up()
    opened.page.wait_for_function(
        "document.querySelector(\"[itemprop='~model.context']\").textContent !== '8,192 tokens'"
    )
    opened.press(context, "Delete", "Escape")
    says(context, "8,192 tokens")


def test_what_is_typed_and_cannot_be_is_said_in_place_and_nothing_moves(opened: Lab) -> None:
    heads, entry = number(opened, "~model.kv_heads"), opened.page.locator(".g4l-about .g4l-entry")
    heads.click()
    for typed, why in {
        "some": "is not a number",
        "5": "do not divide 84 query heads",
        "7 GB": "is in another unit",
    }.items():
        opened.type(entry, typed)
        opened.page.locator(".g4l-about > .g4l-error", has_text=why).wait_for()
        says(heads, "1 head")
    opened.type(entry, "7")
    says(heads, "7 heads")
    entry.press("Escape")
    opened.press(heads, "Delete", "Escape")


def test_a_symbol_lights_its_slider_and_the_slider_its_symbols(opened: Lab) -> None:
    opened.page.locator("li .mjx-g4l-model-kv_heads").focus()
    assert any("g4l-panel" in place for place in opened.page.evaluate(LIT))
    opened.slider("Key-value heads").focus()
    assert "g4l-explain mathjax_ignore" in opened.page.evaluate(LIT)
    opened.slider("Bytes per cached value").focus()
    assert not opened.page.locator("[itemprop='~model.kv_heads'].g4l-lit").count()


def drag(finger: Any, place: Any, across: float, steps: int = 30) -> None:
    """A finger goes so many pixels to the right."""
    for kind, step in (("touchStart", 0), *(("touchMove", step) for step in range(1, steps + 1)), ("touchEnd", None)):
        points = [] if step is None else [{"x": place["x"] + 6 + across * step / steps, "y": place["y"] + 8}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_finger_taps_drags_and_draws_in_a_narrow_window(browser: Any, server: str, served: Any, harness: Any) -> None:
    class Fingers:
        def new_context(self, **more: Any) -> Any:
            return browser.new_context(has_touch=True, **more)

    # A notebook of its own: two windows of one notebook share its Python, and closing one ends it for both.
    harness.write_notebook(served / "fingers.ipynb", CELLS)
    lab = harness.Lab(Fingers(), server, width=390, height=844)
    lab.open("fingers.ipynb")
    lab.run_all()
    lab.page.wait_for_selector(".g4l-moves")
    number(lab, "kv.bytes_per_sequence").tap()
    lab.page.locator(".g4l-about mjx-container").first.wait_for()
    box = lab.page.locator(".g4l-about").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    lab.page.keyboard.press("Escape")
    context = number(lab, "~model.context")
    context.scroll_into_view_if_needed()
    finger = lab.context.new_cdp_session(lab.page)
    drag(finger, context.bounding_box(), 56)
    lab.page.wait_for_function("document.querySelector(\"[itemprop='~model.context']\").textContent !== '8,192 tokens'")
    cells = lab.page.locator(".g4l-look-paint")
    cells.first.scroll_into_view_if_needed()
    drag(finger, cells.first.bounding_box(), cells.last.bounding_box()["x"] - cells.first.bounding_box()["x"])
    lab.page.get_by_text(" ".join(f"cell-{i}" for i in range(8)), exact=True).wait_for()
    lab.no_trouble()
    lab.close()


def test_escape_in_the_entry_ends_it_and_escape_while_dragging_takes_it_back(opened: Lab) -> None:
    context, about, mouse = number(opened, "~model.context"), opened.page.locator(".g4l-about"), opened.page.mouse
    context.click()
    about.locator(".g4l-entry").press("Escape")
    about.wait_for(state="detached")
    box = context.bounding_box()
    mouse.move(box["x"] + 4, box["y"] + 6)
    mouse.down()
    mouse.move(box["x"] + 64, box["y"] + 6, steps=6)
    opened.page.keyboard.press("Escape")
    says(context, "8,192 tokens")
    mouse.move(box["x"] + 90, box["y"] + 6, steps=3)
    mouse.up()
    says(context, "8,192 tokens")


def test_a_sentence_follows_the_panel_below_it_and_no_other_and_a_dead_one_says_so(
    browser: Any, server: str, served: Any, harness: Any
) -> None:
    harness.write_notebook(served / "two.ipynb", [*CELLS[:2], CELLS[4], CELLS[1], "fit.widget()"])
    lab = harness.Lab(browser, server, height=2_500)
    lab.open("two.ipynb")
    lab.run_all()
    lab.charts(2)
    heads = [number(lab, "~model.kv_heads", place) for place in (0, 1)]
    lab.page.wait_for_function("document.querySelectorAll('.g4l-moves').length === 4")
    lab.press(heads[1], "ArrowRight")
    says(heads[1], "2 heads")
    lab.press(heads[0], "ArrowRight", "ArrowRight")
    says(heads[0], "3 heads")
    says(number(lab, "kv.bytes_per_sequence", 1), "1.01 GB")
    says(heads[1], "2 heads")
    heads[0].click()
    lab.page.evaluate("jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    lab.page.locator(".g4l-panel > .g4l-no-kernel").first.wait_for()
    lab.type(lab.page.locator(".g4l-about .g4l-entry"), "7")
    lab.page.locator(".g4l-about > .g4l-error", has_text="No kernel").wait_for()
    says(heads[0], "3 heads")
    lab.close()
