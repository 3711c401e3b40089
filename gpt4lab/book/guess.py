"""Guess first: one question, answered before the result is shown, kept, and shown again beside the result.

guess("09-cost", "What did the final run cost?", quantity="training.cost", lo=1e6, hi=1e10)
...
reveal("09-cost")
...
guesses("09")                        # at the chapter's end: all of them again
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import ipywidgets as w

from gpt4lab.book import store
from gpt4lab.book.page import block, escape, shortened
from gpt4lab.book.way import MOST_TEXT, Guess, WayError
from gpt4lab.panels.band import BandControl
from gpt4lab.panels.controls import ChoiceControl, ControlError, in_figures, spoken
from gpt4lab.quantities import unit_of, value
from gpt4lab.scenario import FIELDS, load_scenario
from gpt4lab.units import UnitError, counted, factor, show

MOST_WHY = 500  # characters
HOW = (
    "Drag, type or use the arrow keys: your best guess, and around it a band that holds the answer four times in five."
)


@attrs.define
class Question:
    """One question with its answer, and the axis on which a number is guessed; `told` are what shows the guess."""

    key: str
    text: str
    answer: Any
    unit: str
    lo: float = 0
    hi: float = 0
    told: list[Callable[[], None]] = attrs.field(factory=list)

    @property
    def kept(self) -> Guess | None:
        """What the reader answered, in `unit`, beside the answer; None where nothing kept answers this question."""
        kept = Guess.recall(self.key)
        if kept is None or isinstance(kept.value, str) != isinstance(self.answer, str):
            return None
        if isinstance(kept.value, str):
            return attrs.evolve(kept, answer=self.answer)
        try:
            times = factor(kept.unit or self.unit, self.unit)
            low, value, high = (None if n is None else n * times for n in (kept.low, kept.value, kept.high))
            return attrs.evolve(kept, value=value, unit=self.unit, low=low, high=high, answer=self.answer)
        except (UnitError, WayError, OverflowError):
            return None

    @property
    def guess(self) -> Any:
        """The number or the option that the reader answered, in `unit`; None where there is none."""
        return None if self.kept is None else self.kept.value

    def keep(self, guess: Any, low: float | None = None, high: float | None = None, why: str = "") -> bool:
        """Keep a guess and show it wherever the result stands. False: it is kept for this session only.

        Once the answer was shown beside a guess, that one stays: whoever has seen the answer guesses no more.
        """
        unit = "" if isinstance(guess, str) else self.unit
        new = Guess(guess, unit, low, high, answer=self.answer, why=why, asked=self.text[:MOST_TEXT])
        final = self.kept is not None and self.kept.seen
        kept = Guess.revise(self.key, lambda before: before if final and before else new)
        for tell in self.told:
            tell()
        return kept

    def show_answer(self) -> None:
        """Show the answer beside the guess, wherever the result stands, from now on."""
        kept = self.kept
        if kept is not None and not kept.seen:
            Guess.revise(self.key, lambda before: attrs.evolve(before or kept, seen=True))
            for tell in self.told:
                tell()

    def result(self) -> str:
        """Guess and answer side by side, the gap, and whether the band held it, in words."""
        kept = self.kept
        if kept is None:
            return "You have not guessed yet: the question stands above."
        if not kept.seen:
            return f"You guessed {self.said(kept)}. Until you have seen the answer, you can still change that above."
        held = {True: "Your band held it.", False: "Your band did not hold it.", None: ""}[kept.held]
        gap = self._distance(kept.value)
        return " ".join(f"You guessed {self.said(kept)}; the answer is {self.say(self.answer)}. {gap} {held}".split())

    def said(self, kept: Guess) -> str:
        """A guess in words, with its band: "63 claims, between 40 and 70 claims"."""
        low, high = kept.low, kept.high
        if low is not None and high is not None:
            band = f", between {show((low, high), self.unit).replace(' to ', ' and ')}"
        elif low is not None or high is not None:
            band = f", at most {self.say(high)}" if low is None else f", at least {self.say(low)}"
        else:
            band = ""
        return self.say(kept.value) + band

    def say(self, value: Any) -> str:
        """A guess or the answer in words."""
        return shortened(value) if isinstance(value, str) else show(value, self.unit)

    def _distance(self, guess: Any) -> str:
        if isinstance(guess, str):
            return "Right." if guess == self.answer else "Not what you thought."
        if guess == (min(max(self.answer, self.lo), self.hi) if self.hi else self.answer):
            return "Exactly right."  # at an end of the axis: as near as one could come
        way = "low" if guess < self.answer else "high"
        if self.unit == "fraction":
            return f"{in_figures(float(f'{100 * abs(guess - self.answer):.2g}'))} percentage points too {way}."
        if min(guess, self.answer) <= 0:
            return f"{self.say(abs(guess - self.answer))} too {way}."  # no factor leads there
        return f"{_times(math.log10(guess) - math.log10(self.answer), way)}."

    def chart(self, **more: Any) -> BandControl:
        """The axis of the result, with a point and a band to move, or to look at."""
        return BandControl("Your guess", self.unit, self.lo, self.hi, integer=isinstance(self.answer, int), **more)


def _times(decades: float, way: str) -> str:
    """A ratio in words, by its decades."""
    off = abs(decades)
    if off <= math.log10(1.1):
        return "Within a tenth: remarkable"
    if off >= 6:
        return f"Too {way} by {off:.0f} powers of ten"
    if off < math.log10(2):
        return f"{abs(10**decades - 1):.0%} too {way}"
    return f"{float(f'{10**off:.2g}'):,.12g} times too {way}"


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

    The answer is a quantity under the post's scenario, or `answer` in `unit`. `lo` and `hi` are the ends of the axis;
    an input of the scenario brings its own. Where the answer is a whole number, so is every guess.
    """
    if quantity:
        answer, unit = value(quantity, load_scenario("leak")), unit_of(quantity)
    if quantity in FIELDS and not hi:
        lo, hi = FIELDS[quantity].lo, FIELDS[quantity].hi
    question = QUESTIONS[key] = Question(key, text, answer, "" if options else unit, lo, hi)
    return _box(question, _choice(options) if options else _axis(question))


def _choice(options: tuple[str, ...]) -> Any:
    return ChoiceControl(label="Your guess", options={word: word for word in options}, value=options[0])


def _axis(question: Question) -> BandControl:
    """The axis of a number; until it is moved or typed, nobody has guessed."""
    control = question.chart(help=HOW)
    control.known = False
    return control


def _box(question: Question, control: Any) -> w.Widget:
    button, note = w.Button(description="Keep my guess").add_class("g4l-do"), spoken()
    note.value = _put_back(question, control)

    def pressed(_: Any) -> None:
        if not control.known:
            note.value = _note("Place your guess first: drag the point on the axis, or type a number.")
            return
        if question.kept is not None and question.kept.seen:
            note.value = _note("The answer has been shown since, so your first guess stays.")
            return
        more = () if isinstance(control, ChoiceControl) else (*control.band, control.why.strip()[:MOST_WHY])
        kept = question.keep(control.value, *more)
        words = "Kept." if kept else f"Noted. {store.trouble()}"
        note.value = _note(f"{words} You will meet it again beside the answer, when you ask for that.")

    def moved(_: Any) -> None:
        note.value = ""  # what it says is about the guess kept, and this is another

    button.on_click(pressed)
    control.observe(moved, ["value", "low", "high", "why"] if isinstance(control, BandControl) else "value")
    ask = w.HTML(block("guess", f"<p><strong>Guess first.</strong> {escape(question.text)}</p>"))
    box = w.VBox([ask, control, button, note])
    box.add_class("g4l-guess-box")
    return box


def _put_back(question: Question, control: Any) -> str:
    """Put the guess of another day on the control; where the question has changed since, the note that says so."""
    before = question.kept
    if before is None:
        return ""
    try:
        control.stand(before.value)
        if isinstance(control, BandControl):
            _put_band_back(before, control)
    except (ControlError, OverflowError):
        return _note(
            f"Before, you guessed {question.say(before.value)}, which cannot be chosen here any more: guess anew."
        )
    return ""


def _put_band_back(before: Guess, control: BandControl) -> None:
    """The band and the reason of another day. An older edition kept neither: its guess stays inside the usual band."""
    control.why, control.banded = before.why, (before.low, before.high) != (None, None)
    if control.banded:
        control.low = control.lo if before.low is None else max(before.low, control.lo)
        control.high = control.hi if before.high is None else min(before.high, control.hi)
    else:
        control.low, control.high = min(control.low, control.value), max(control.high, control.value)


def _note(words: str) -> str:
    return f"<p>{escape(words)}</p>"


def reveal(key: str, *, asked: bool = False) -> w.Widget:
    """The answer drawn over the guess, and the gap in words, once the reader asks for it.

    That a cell has run is no wish to see it: whoever runs a whole chapter first has read nothing yet. With the question
    above them where it was `asked` long ago.
    """
    question = QUESTIONS[key]
    place, ask_for = spoken(), w.Button(description="Show the answer", tooltip="Show it; your guess then stays")
    ask_for.add_class("g4l-do").on_click(lambda _: question.show_answer())
    chart = None if isinstance(question.answer, str) or question.lo >= question.hi else _over(question)

    def tell() -> None:
        kept = question.kept
        seen = kept is not None and kept.seen
        why = f"<p>You thought: “{escape(shortened(kept.why))}”</p>" if kept and kept.why else ""
        ask = f"<p><strong>{escape(question.text)}</strong></p>" if asked else ""
        place.value = block("reveal", f"{ask}<p>{escape(question.result())}</p>{why}")
        ask_for.layout.display = "none" if seen or kept is None else ""
        if chart is not None:
            _draw(chart, question, kept if seen else None)

    question.told.append(tell)
    tell()
    box = w.VBox([place, ask_for, *([] if chart is None else [chart])])
    box.add_class("g4l-reveal-box")
    return box


def _over(question: Question) -> BandControl:
    """The same axis with the answer on it."""
    words = question.say(question.answer)
    return question.chart(fixed=True, truth=question.answer, truth_words=words, low=None, high=None)


def _draw(chart: BandControl, question: Question, kept: Guess | None) -> None:
    """Guess and answer on one axis; nothing where there is no guess on it, which words alone tell."""
    chart.told = question.result()
    if kept is None or isinstance(kept.value, str) or not chart.least <= kept.value <= chart.most:
        chart.layout.display = "none"
        return
    chart.layout.display = ""
    with chart.hold_sync():
        chart.value, chart.guess_words = kept.value, question.say(kept.value)
        chart.low, chart.high = _inside(kept.low, chart), _inside(kept.high, chart)


def _inside(end: float | None, chart: BandControl) -> float | None:
    return None if end is None else min(max(end, chart.lo), chart.hi)


def guesses(number: str) -> w.Widget:
    """All guesses of a chapter again, at its end: each with the answer over it, and how many bands held."""
    asked = [question for question in QUESTIONS.values() if question.key.startswith(f"{number}-")]
    total = spoken()

    def tell() -> None:
        kept = [question.kept for question in asked]
        held = [one.held for one in kept if one and one.seen and one.held is not None]
        words = f"Your bands held {sum(held)} of {counted(len(held), 'answer')}." if held else ""
        total.value = block("tally", f"<p>{words}</p>") if words else ""

    for question in asked:
        question.told.append(tell)
    tell()
    title = w.HTML(block("guess", "<p><strong>What you guessed, and what came out.</strong></p>"))
    return w.VBox([title, *(reveal(question.key, asked=True) for question in asked), total])
