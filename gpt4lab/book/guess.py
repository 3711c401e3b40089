"""Guess first: one question, answered before the result is shown, kept, and shown again beside the result.

guess("09-cost", "What did the final run cost?", quantity="training.cost", lo=1e6, hi=1e10)
...
reveal("09-cost")
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import ipywidgets as w

from gpt4lab.book import store
from gpt4lab.book.page import block, escape, shortened
from gpt4lab.book.way import Guess
from gpt4lab.panels.controls import ChoiceControl, ControlError, NumberControl, spoken
from gpt4lab.quantities import find, value
from gpt4lab.scenario import load_scenario
from gpt4lab.units import UnitError, convert, show


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
        """What the reader answered, in `unit`; None where nothing kept is an answer to this question."""
        kept = Guess.recall(self.key)
        if kept is None or isinstance(kept.value, str) != isinstance(self.answer, str):
            return None
        try:
            return kept.value if isinstance(kept.value, str) else convert(kept.value, kept.unit or self.unit, self.unit)
        except UnitError:
            return None

    def keep(self, guess: Any) -> bool:
        """Keep an answer and show it wherever the result stands. False: it is kept for this session only."""
        kept = Guess(guess, "" if isinstance(guess, str) else self.unit, answer=self.answer).keep(self.key)
        for tell in self.told:
            tell()
        return kept

    def result(self) -> str:
        """Guess and answer side by side, in words."""
        guess = self.guess
        if guess is None:
            return "You have not guessed yet: the question stands above."
        return f"You guessed {self.say(guess)}; the answer is {self.say(self.answer)}. {self._distance(guess)}".strip()

    def say(self, value: Any) -> str:
        """A guess or the answer in words."""
        return shortened(value) if isinstance(value, str) else show(value, self.unit)

    def _distance(self, guess: Any) -> str:
        if isinstance(guess, str):
            return "Right." if guess == self.answer else "Not what you thought."
        if min(guess, self.answer) <= 0:
            return "Right." if guess == self.answer else ""  # no factor leads there
        off = abs(math.log10(guess) - math.log10(self.answer))
        if off <= math.log10(1.1):
            return "Within a tenth: remarkable."
        if off >= 6:
            return f"Off by {off:.0f} powers of ten."
        return f"Off by a factor of {float(f'{10**off:.2g}'):,.12g}."


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

    The answer is a quantity under the post's scenario, or `answer` in `unit`. `lo` and `hi` bound a log slider; where
    the answer is a whole number, so is every guess.
    """
    if quantity:
        answer, unit = value(quantity, load_scenario("leak")), find(quantity).unit
    question = QUESTIONS[key] = Question(key, text, answer, "" if options else unit)
    return _box(question, _choice(options) if options else _slider(question, lo, hi))


def _choice(options: tuple[str, ...]) -> Any:
    return ChoiceControl(label="Your guess", options={word: word for word in options}, value=options[0])


def _slider(question: Question, lo: float, hi: float) -> Any:
    """A log slider that starts in the middle, so that its start says nothing."""
    middle = float(f"{(lo * hi) ** 0.5:.2g}")
    whole = isinstance(question.answer, int)
    if whole:
        lo, middle = max(1, math.ceil(lo)), round(middle)
    return NumberControl("Your guess", question.unit, lo, hi, middle, scale="log", integer=whole)


def _box(question: Question, control: Any) -> w.Widget:
    button, note = w.Button(description="Keep my guess"), spoken()
    note.value = _put_back(question, control)

    def pressed(_: Any) -> None:
        kept = question.keep(control.value)
        words = "Kept." if kept else f"Noted. {store.trouble()}"
        note.value = _note(f"{words} You will meet it again beside the result.")

    def moved(_: Any) -> None:
        note.value = ""  # what it says is about the guess kept, and this is another

    button.on_click(pressed)
    control.observe(moved, "value")
    ask = w.HTML(block("guess", f"<p><strong>Guess first.</strong> {escape(question.text)}</p>"))
    box = w.VBox([ask, control, button, note])
    box.add_class("g4l-guess-box")
    return box


def _put_back(question: Question, control: Any) -> str:
    """Put the guess of another day on the control; where the question has changed since, the note that says so."""
    before = question.guess
    if before is None:
        return ""
    try:
        control.value = before
    except (ControlError, OverflowError):
        return _note(f"Before, you guessed {question.say(before)}, which cannot be chosen here any more: guess anew.")
    return ""


def _note(words: str) -> str:
    return f"<p>{escape(words)}</p>"


def reveal(key: str) -> w.Widget:
    """The guess beside the answer; it fills in when the reader guesses later."""
    question = QUESTIONS[key]
    place = spoken()

    def tell() -> None:
        place.value = block("reveal", f"<p>{escape(question.result())}</p>")

    question.told.append(tell)
    tell()
    return place
