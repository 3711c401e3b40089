"""What answers the numbers that are touched, over all chapters."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest

from gpt4lab.book.touch.page import Touch, in_words, said_in
from gpt4lab.panels.controls import NumberControl
from gpt4lab.panels.panel import ALIVE, LivePanel
from gpt4lab.scenario import load_scenario
from tools.notebooks import NOTEBOOKS, panel_of

TEXTS = sorted((NOTEBOOKS / "text").glob("*.md"))
BRACE = re.compile(r"\{(~?(?:[A-Z]\d+|[a-z_]+)\.\w+(?:[@|:][^{}]+)?)\}")
chapters = pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)


class Heard(Touch):
    """One whose answers are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[dict[str, Any]] = []

    def send(self, content: Any, buffers: Any = None) -> None:
        self.said.append(content)

    def ask(self, **message: Any) -> dict[str, Any]:
        self._heard(self, message, [])
        return self.said[-1]


def braces_in(notebook: Path) -> set[str]:
    """The names of the numbers that can be touched."""
    cells = nbformat.read(notebook, 4).cells
    words = [cell.source for cell in cells if cell.cell_type == "markdown"]
    return {html.unescape(name) for each in words for name in re.findall(r'itemprop="([^"]+)"', each)}


@chapters
def test_every_number_of_a_chapter_explains_itself(text: Path) -> None:
    braces = braces_in(NOTEBOOKS / f"{text.stem}.ipynb")
    assert braces
    for brace in braces:
        assert "g4l-explain" in in_words(brace, load_scenario("leak")) or brace.startswith(("C", "S", "P", "F")), brace


@cache
def moved_sentences(text: Path) -> list[tuple[str, LivePanel]]:
    """Each paragraph with an input to be moved, and the panel that it moves: the next below, or the last above."""
    cells = jupytext.read(text).cells
    return [
        (words.strip(), panel_with(inputs[0], at, cells))
        for at, cell in enumerate(cells)
        for words in re.split(r"\n\s*\n", re.sub(r'f?"""', "\n\n", cell.source))
        if (inputs := re.findall(r"\{~([\w.]+)", words))
    ]


def panel_with(path: str, at: int, cells: list[Any]) -> LivePanel:
    for place in (*range(at + 1, len(cells)), *reversed(range(at))):
        panel = panel_of(cells[place], cells[:place])
        if isinstance(panel, LivePanel) and path in panel.controls:
            return panel
    raise AssertionError(f"no panel of this chapter has a slider for {path}")


@chapters
def test_every_input_in_a_sentence_moves_scenario_and_sentence(text: Path) -> None:
    sentences = moved_sentences(text)
    assert sentences, "no sentence of this chapter can be moved"
    for words, panel in sentences:
        touch = Heard()
        assert ALIVE[str(panel.model_id)] is panel
        first = touch.ask(follow=0, panel=str(panel.model_id), text=words)["words"]
        for at, brace in enumerate(BRACE.findall(words)):
            if brace.startswith("~"):
                control = panel.controls[brace[1:].partition(":")[0]]
                assert isinstance(control, NumberControl), f"{brace} is no slider"
                control.value = stepped(control)
                changed = [n for n, words in enumerate(touch.said[-1]["words"]) if words != first[n]]
                assert at in changed, f"{brace} stays"
                assert len(changed) > 1, f"{brace} moves nothing"
                control.value = control.mark
        assert touch.said[-1]["words"] == first


def stepped(control: NumberControl) -> float:
    """Some way up its slider, or down from the end."""
    up = min(control.value * 2 or control.hi / 4, control.hi)
    value = up if control.value < control.hi else control.value / 2
    return round(value) if control.integer else value


@chapters
def test_a_sentence_says_the_same_before_and_after_its_panel_has_come(text: Path) -> None:
    for sentence, panel in moved_sentences(text):
        assert said_in(sentence, load_scenario("leak")) == said_in(sentence, load_scenario(panel.panel.start))


def test_a_sentence_that_cannot_be_said_says_why() -> None:
    from gpt4lab.chapters.c03_flop.flop import token

    panel = token.widget()
    answer = Heard().ask(follow=0, panel=str(panel.model_id), text="{~model.context} and {training.nonsense}")
    assert "training.nonsense" in answer["why"]


def test_a_number_in_a_sentence_is_explained_as_its_panel_has_it() -> None:
    from gpt4lab.chapters.c09_money.run import run

    panel, touch = run.widget(), Heard()
    panel.set({"training.mfu": 0.5})
    assert "50%" in touch.ask(explain="~training.mfu", panel=str(panel.model_id))["html"]
    assert "34%" in touch.ask(explain="training.mfu")["html"]
