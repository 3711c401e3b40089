"""An exercise in code, a judgement and a tour in a browser: by keyboard, said aloud, without a barrier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.harness import Lab

CELLS = [
    "from gpt4lab.book import exercise, opening\nopening('09')",
    "exercise('02-awake', 'Write awake().', code=True, hints=('One.', 'Two.'), because='So.')",
    "%%answer 02-awake\ndef awake(experts, chosen, tokens):\n    return 1 - (1 - chosen / experts) ** tokens",
    "exercise('t', 'Write.', model='It is {training.cost}.', questions=('Is it short?', 'Is it true?'))",
    "from gpt4lab.chapters.c09_money.run import run\nrun.widget()",
]


def test_code_words_and_a_tour(open_cells: Callable[[Sequence[str]], Lab]) -> None:
    lab = open_cells(CELLS)
    page = lab.page
    page.get_by_text("All 5 cases come out as in the book.").wait_for()
    page.get_by_role("button", name="Hint").first.press("Enter")
    page.get_by_text("One.", exact=True).first.wait_for()
    text = page.get_by_label("Your text")
    text.click()
    page.keyboard.type("Mine.\nSecond line.")
    page.keyboard.press("Backspace")
    assert text.input_value() == "Mine.\nSecond line"
    page.get_by_role("button", name="Compare").press("Enter")
    page.get_by_text("It is $56.6 million.").wait_for()
    for question in ("Is it short?", "Is it true?"):
        page.get_by_role("radiogroup", name=question).get_by_role("radio").first.check()
    page.get_by_text("By your own judgement 2 of 2.").wait_for()
    page.get_by_role("button", name="2", exact=True).press("Enter")
    said = page.locator(".g4l-spoken[role=status]", has_text="2. Twice the GPUs")
    said.wait_for()
    lab.press(lab.slider("GPUs"), "ArrowRight")
    said.wait_for(state="detached")
    assert not lab.nameless_controls()
    assert not lab.barriers()
    lab.no_trouble()
