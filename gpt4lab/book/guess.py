"""Guess first: one question, answered before the result is shown, kept, and shown again beside the result.

guess("09-cost", "What did the final run cost?", quantity="training.cost", lo=1e6, hi=1e10)
...
reveal("09-cost")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import ipywidgets as w

from gpt4lab.book import store
from gpt4lab.book.page import block, escape
from gpt4lab.panels.controls import ChoiceControl, NumberControl
from gpt4lab.quantities import find, value
from gpt4lab.scenario import load_scenario
from gpt4lab.units import show


@attrs.define
class Question:
    """One question with its answer; `told` are the places that show the guess."""

    key: str
    text: str
    answer: Any
    unit: str
    told: list[Callable[[], None]] = attrs.field(factory=list)

    @property
    def guess(self) -> Any:
        """What the reader answered, or None."""
        return store.recall("guess", self.key)

    def keep(self, guess: Any) -> None:
        """Keep an answer and show it wherever the result stands."""
        store.keep("guess", self.key, guess)
        for tell in self.told:
            tell()

    def result(self) -> str:
        """Guess and answer side by side, in words."""
        if self.guess is None:
            return "You have not guessed yet: the question stands at the top of the chapter."
        yours = f"You guessed {self._say(self.guess)}; the answer is {self._say(self.answer)}."
        return f"{yours} {self._distance()}"

    def _say(self, value: Any) -> str:
        return value if isinstance(value, str) else show(value, self.unit)

    def _distance(self) -> str:
        if isinstance(self.answer, str):
            return "Right." if self.guess == self.answer else "Not what you thought."
        ratio = max(self.guess / self.answer, self.answer / self.guess)
        return "Within a tenth: remarkable." if ratio <= 1.1 else f"Off by a factor of {ratio:,.2g}."


QUESTIONS: dict[str, Question] = {}


def guess(
    key: str,
    text: str,
    *,
    quantity: str = "",
    answer: Any = None,
    unit: str = "1",
    lo: float = 0,
    hi: float = 0,
    options: tuple[str, ...] = (),
) -> w.Widget:
    """Ask for a number or for one of several options.

    The answer is a quantity under the post's scenario, or `answer` in `unit`. `lo` and `hi` bound a log slider.
    """
    if quantity:
        answer, unit = value(quantity, load_scenario("leak")), find(quantity).unit
    question = QUESTIONS[key] = Question(key, text, answer, "" if options else unit)
    return _box(question, _choice(options) if options else _slider(unit, lo, hi))


def _choice(options: tuple[str, ...]) -> Any:
    return ChoiceControl(label="Your guess", options={word: word for word in options}, value=options[0])


def _slider(unit: str, lo: float, hi: float) -> Any:
    """A log slider that starts in the middle, so that its start says nothing."""
    middle = float(f"{(lo * hi) ** 0.5:.2g}")
    return NumberControl(label="Your guess", unit=unit, lo=lo, hi=hi, value=middle, scale="log")


def _box(question: Question, control: Any) -> w.Widget:
    if question.guess is not None:
        control.value = question.guess
    button, note = w.Button(description="Keep my guess"), w.HTML()

    def pressed(_: Any) -> None:
        question.keep(control.value)
        note.value = "<p role='status'>Kept. You will meet it again beside the result.</p>"

    button.on_click(pressed)
    ask = w.HTML(block("guess", f"<p><strong>Guess first.</strong> {escape(question.text)}</p>"))
    box = w.VBox([ask, control, button, note])
    box.add_class("g4l-guess-box")
    return box


def reveal(key: str) -> w.Widget:
    """The guess beside the answer; it fills in when the reader guesses later."""
    question = QUESTIONS[key]
    place = w.HTML()

    def tell() -> None:
        place.value = block("reveal", f"<p>{escape(question.result())}</p>", role="status")

    question.told.append(tell)
    tell()
    return place
