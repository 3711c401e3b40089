"""A drawing in a real page: its scrubber by keyboard and button, its grip by hand, its elements kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

DRAWING = """
from gpt4lab.book import opening
from gpt4lab.chapters.c02_experts.drawing import falling
opening("02")
falls = falling.widget()
falls
"""
STRIP = """
from gpt4lab.chapters.c12_cache.drawing import token
strip = token.widget()
strip
"""
FALLEN = """() => [...document.querySelectorAll('.g4l-drawing circle')].map((dot) => Number(dot.getAttribute('cy')))"""
SHAPES = ".g4l-picture svg, .g4l-picture circle, .g4l-picture rect, .g4l-picture text"


def test_a_drawing_is_scrubbed_and_dragged_in_place(open_cells: Callable[[Sequence[str]], Any]) -> None:
    lab = open_cells([DRAWING, STRIP])
    page = lab.page
    page.wait_for_function("document.querySelectorAll('.g4l-picture circle').length > 10")
    page.emulate_media(reduced_motion="reduce")
    scrub = lab.slider("The tokens' way")
    with lab.same_elements(SHAPES):
        lab.press(scrub, "End")
        low = page.evaluate(FALLEN)
        assert scrub.get_attribute("aria-valuetext").startswith("9 of 9. Out of layer 4")
        lab.press(scrub, "Home")
        assert scrub.get_attribute("aria-valuetext").startswith("1 of 9.")
        assert max(page.evaluate(FALLEN)[:8]) < min(low[:8])
        page.get_by_role("button", name="Next", exact=True).first.click()
        assert scrub.get_attribute("aria-valuetext").startswith("2 of 9. Layer 1")
        heads = lab.entry("Key-value heads")
        grip = page.locator(".g4l-picture circle.g4l-look-grip").last
        grip.scroll_into_view_if_needed()
        box = grip.bounding_box()
        page.mouse.move(box["x"] + 8, box["y"] + 8)
        page.mouse.down()
        page.mouse.move(box["x"] + 5, box["y"] - 260, steps=5)
        page.mouse.up()
        page.wait_for_function("(entry) => Number(entry.value) > 40", arg=heads.element_handle())
    assert lab.nameless_controls() == []
    assert lab.barriers() == []
    lab.no_trouble()


BOARD = """
from gpt4lab.book import opening
from gpt4lab.chapters.c08_layout.hand import hand
opening("08")
board = hand.widget()
board
"""


def test_a_schedule_is_drawn_by_keyboard(open_cells: Callable[[Sequence[str]], Any]) -> None:
    """Arrows go from slot to slot, whose names are read; letters and Delete place and take, and the focus stays."""
    lab = open_cells([BOARD])
    page = lab.page

    def here() -> str:
        return page.evaluate("document.activeElement.getAttribute('aria-label')")

    def told(words: str) -> None:
        page.wait_for_function("(words) => document.body.innerText.includes(words)", arg=words)

    page.get_by_role("button", name="An empty board").click()
    told("36 blocks are missing")

    page.locator(".g4l-picture [role=button][tabindex='0']").focus()
    assert here() == "Stage 1, slot 1: empty"
    page.keyboard.press("f")
    told("35 blocks are missing")
    assert here() == "Stage 1, slot 1: F1, forward of micro-batch 1"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("b")
    told("B1 of stage 2, in slot 1, needs F1 of stage 2")
    page.keyboard.press("Delete")
    told("35 blocks are missing")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    told("34 blocks are missing")
    assert here() == "Stage 2, slot 2: F1, forward of micro-batch 1"
    assert page.locator(".g4l-picture [role=button][tabindex='0']").count() == 1
    assert lab.barriers() == []
    lab.no_trouble()


STRANDS = """
from gpt4lab.book import opening
from gpt4lab.chapters.c17_verdict.evidence import strands
opening("17")
witnesses = strands.widget()
witnesses
"""
RERUN = """
from gpt4lab.chapters.c09_money.rerun import rerun
again = rerun.widget()
again
"""


def test_strands_are_dragged_and_a_band_is_switched(open_cells: Callable[[Sequence[str]], Any]) -> None:
    """By mouse, by finger and by keyboard two strands become one witness; the band of a curve is a button."""
    lab = open_cells([STRANDS, RERUN])
    page = lab.page
    moved, strand = (
        page.get_by_label("Moved", exact=True).and_(page.locator("input.g4l-entry")),
        lambda name: page.locator(f'.g4l-picture rect[aria-label="The whole strand: {name}"]'),
    )

    def middle(of: Any) -> tuple[float, float]:
        box = of.bounding_box()
        return box["x"] + 60, box["y"] + box["height"] / 2

    def became(words: str) -> None:
        page.wait_for_function("([entry, words]) => entry.value === words", arg=[moved.element_handle(), words])

    strand("NVIDIA").scroll_into_view_if_needed()
    page.mouse.move(*middle(strand("NVIDIA")))
    page.mouse.down()
    page.mouse.move(*middle(strand("the article")), steps=5)
    assert page.locator(".g4l-over").count() == 1
    page.mouse.up()
    became("10=leak")
    assert page.locator(".g4l-over").count() == 0
    strand("the article").focus()
    page.keyboard.press(" ")
    became("")
    finger = page.context.new_cdp_session(page)
    finger.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    strand("talk before it").scroll_into_view_if_needed()
    (x, y), (_, there) = middle(strand("talk before it")), middle(strand("the article"))
    for kind, at in (
        ("touchStart", y),
        *(("touchMove", y + (there - y) * step / 6) for step in range(1, 7)),
        ("touchEnd", None),
    ):
        points = [] if at is None else [{"x": x, "y": at}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    became("4=leak 5=leak")
    finger.detach()  # and with it the touch screen
    button = page.get_by_role("button", name="Show the band", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Eight in ten of 400 draws").wait_for()
    page.wait_for_function("document.querySelectorAll('.g4l-chart .mark-area path').length > 0")
    page.get_by_role("button", name="Hide the band", exact=True).click()
    page.wait_for_function("document.querySelectorAll('.g4l-chart .mark-area path').length === 0")
    assert lab.barriers() == []
    lab.no_trouble()
