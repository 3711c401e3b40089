"""Sign first and take it along, in a browser: by keyboard, with a file that is saved and one that is brought back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import KeepOpen
    from tests.browser.harness import Lab

CELLS = [
    "from gpt4lab.book import case_file, opening, verdict",
    "from gpt4lab.book.case import signing\nsigning.wish(True)\nopening('03')",
    "from gpt4lab.chapters.c03_flop.flop import token\ntoken.widget()",
    "verdict('03', 'The digits hold.')",
    "case_file()",
]


@pytest.fixture
def opened(keep_open: KeepOpen) -> Iterator[Lab]:
    from playwright.sync_api import expect

    for lab in keep_open("case", CELLS, height=4_000):
        yield lab
        lab.page.get_by_role("checkbox", name="First my verdict").uncheck()  # the tests that follow share what is kept
        expect(lab.page.locator(".g4l-verdict", has_text="yours first")).to_have_count(0)


def test_a_claim_is_signed_by_keyboard_and_the_file_goes_out_and_in(opened: Lab, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page = opened.page
    sealed = page.locator(".g4l-verdict", has_text="yours first")
    expect(sealed.first).to_be_visible()
    before = sealed.count()
    sign(page)
    expect(page.locator(".g4l-feedback")).to_contain_text("you say unit error")
    expect(sealed).not_to_have_count(before)  # what is said comes in a message of its own
    assert sealed.count() < before
    page.get_by_role("button", name="Read it anew").click()
    expect(page.locator(".g4l-case-tables")).to_contain_text("Your verdicts, beside ours")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download as data").click()
    saved.value.save_as(tmp_path / "case-file.json")
    (claim,) = json.loads((tmp_path / "case-file.json").read_text("utf-8"))["verdicts"].values()
    assert (claim["verdict"], claim["sure"]) == ("unit-error", 0.8)
    with page.expect_file_chooser() as asked:
        page.get_by_role("button", name="Import a case file").click()
    asked.value.set_files(tmp_path / "case-file.json")
    expect(page.locator(".g4l-case")).to_contain_text("0 new; what was here already stays.")


def sign(page: Any) -> None:
    """The claim that is asked about, by keyboard: a unit error, 80% sure."""
    page.get_by_role("radio", name="unit error").focus()
    page.keyboard.press("Space")
    page.get_by_label("How sure you are").focus()
    page.keyboard.press("8")
    page.get_by_role("button", name="Sign", exact=True).focus()
    page.keyboard.press("Enter")


def test_z_takes_the_last_signature_back_and_no_cell(opened: Lab) -> None:
    from playwright.sync_api import expect

    page = opened.page
    sealed, said = page.locator(".g4l-verdict", has_text="yours first"), page.locator(".g4l-feedback")
    expect(sealed.first).to_be_visible()
    before, asked = sealed.count(), page.locator(".g4l-signing .g4l-exercise").inner_text()
    sign(page)
    expect(said).to_contain_text("you say unit error")
    expect(sealed).not_to_have_count(before)  # what is said comes in a message of its own
    assert sealed.count() < before
    cells = page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length")
    page.get_by_role("radio", name="unit error").focus()
    page.keyboard.press("z")
    expect(said).to_contain_text("is taken back")
    expect(sealed).to_have_count(before)
    assert page.locator(".g4l-signing .g4l-exercise").inner_text() == asked, "it is asked again"
    page.keyboard.press("z")  # nothing is left to take back, and JupyterLab's own undo stays away
    assert page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == cells


def test_a_review_goes_by_keyboard_from_the_first_question_to_the_last(
    open_cells: Callable[[Sequence[str]], Lab],
) -> None:
    from playwright.sync_api import expect

    page = open_cells(["from gpt4lab.book import opening, review\nopening('03')", "review()"]).page
    begin, field, asked = (
        page.get_by_role("button", name="Begin a review"),
        page.get_by_label("Your answer"),
        page.locator(".g4l-exercise"),
    )
    begin.press("Enter")
    expect(field).to_be_focused()
    left = int(asked.inner_text().split()[0])
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    expect(page.locator(".g4l-feedback")).to_contain_text("not a number")
    for waiting in range(left - 1, -1, -1):
        field.fill("1")
        page.keyboard.press("Enter")
        expect(asked).to_contain_text(f"{waiting} to go" if waiting else "That was all for today.")
    expect(begin).to_be_focused()
