"""A guess in a browser: dragged, typed, moved by keys, kept, and the answer drawn over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.browser.harness import Lab

CELLS = [
    "from gpt4lab.book import guess, guesses, opening, reveal\nopening('09')",
    "guess('09-t', 'What does it cost?', answer=5.7e7, unit='USD', lo=1e6, hi=1e10)",
    "reveal('09-t')",
    "guesses('09')",
]
HANDLES = ("the lower end of the band", "best guess", "the upper end of the band")


def stand(lab: Lab) -> list[str]:
    """What the three handles say."""
    return [handle(lab, name).get_attribute("aria-valuetext") for name in HANDLES]


def handle(lab: Lab, name: str) -> Any:
    return lab.slider(f"Your guess: {name}")


def drag(lab: Lab, start: float, end: float) -> None:
    """From one share of the axis to another."""
    box = lab.page.locator(".g4l-band-free .g4l-band-axis").bounding_box()
    left, right = (box["x"] + box["width"] * share for share in (start, end))
    lab.page.mouse.move(left, box["y"] + 20)
    lab.page.mouse.down()
    lab.page.mouse.move((left + right) / 2, box["y"] + 20)
    lab.page.mouse.move(right, box["y"] + 20)
    lab.page.mouse.up()


def test_a_guess_is_dragged_typed_and_moved_by_keys(open_cells: Callable[[Sequence[str]], Lab]) -> None:
    lab = open_cells(CELLS)
    lab.page.wait_for_selector(".g4l-band-free")
    assert stand(lab) == ["not placed yet"] * 3
    with lab.same_elements(".g4l-band *"):
        drag(lab, 0.9, 0.25)
        assert stand(lab) == ["$1M or less", "$10M", "$100M"], "the first move places it, and its band with it"
        drag(lab, 0.51, 0.75)
        assert stand(lab)[1:] == ["$10M", "$1B"]
        lab.press(handle(lab, HANDLES[0]), "End")
        assert stand(lab) == ["$10M", "$10M", "$1B"], "an end stops at the point"
        lab.press(handle(lab, HANDLES[1]), "Home", "PageUp", "ArrowRight")
        assert stand(lab) == ["$1M or less", "$2.61M", "$1B"], "the point takes an end along"
        lab.press(handle(lab, HANDLES[2]), "End")
        assert stand(lab)[2] == "$10B or more"
        best, low, high = lab.page.locator(".g4l-band-words input").all()
        lab.type(low, "3M")
        lab.wait_for_alert("Your guess: the lower end of the band, $3M, lies above the best guess, $2.61M.")
        assert low.input_value() == "3M"
        lab.type(best, "30 million")
        lab.type(high, "50M")
        lab.type(low, "3M")
        assert stand(lab) == ["$3M", "$30M", "$50M"]
        lab.page.get_by_label("Why do you think so?").fill("the title <b>says</b> so")
    assert not lab.nameless_controls()
    assert not lab.page.locator(".g4l-band-fixed:visible").count()
    lab.press(lab.page.get_by_role("button", name="Keep my guess"), "Enter")
    lab.press(lab.page.get_by_role("button", name="Show the answer").first, "Enter")
    shown = lab.page.locator(".g4l-band-fixed:visible")
    shown.nth(1).wait_for()
    said = "You guessed $30 million, between $3 million and $50 million; the answer is $57 million. 47% too low."
    for place in shown.locator("[role=img]").all():
        assert place.get_attribute("aria-label") == f"{said} Your band did not hold it."
        assert "the answer: $57 million" in place.inner_text()
    assert "“the title <b>says</b> so”" in lab.page.locator(".g4l-reveal").first.inner_text()
    assert not lab.barriers()
    lab.no_trouble()
