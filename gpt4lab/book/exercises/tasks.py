"""What an exercise asks, and how an answer is judged: nothing given, no number, a wrong power of ten, close, right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Protocol

import attrs

from gpt4lab import catalog
from gpt4lab.book.page import shortened
from gpt4lab.catalog import CatalogError
from gpt4lab.quantities import find, unit_of, value
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError, change, from_text
from gpt4lab.units import show

Level = Literal["missing", "wrong", "almost", "right"]  # in this order: the further, the better
CLOSE = 0.15  # powers of ten
HOW = "Write a number, like 560e9, 560B or 25,000"
#: What an answer that is none, or assumptions that no formula can follow, may raise on the way to a verdict.
UNJUDGED = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, CatalogError)


@attrs.frozen
class Feedback:
    """What the checker says, and how far the answer is."""

    level: Level
    text: str


@attrs.frozen
class Reach:
    """Bring quantities of a scenario between bounds, by moving a panel. goal: name -> (least, most)."""

    goal: Mapping[str, tuple[float, float]]
    start: Scenario
    changes: Mapping[str, Any]

    @property
    def solution(self) -> Scenario:
        """The start with the changes of the solution."""
        return change(self.start, self.changes)

    def check(self, answer: Any) -> Feedback:
        """Say which part of the goal is met and which is not."""
        if not isinstance(answer, Scenario):
            return Feedback("missing", "Move the sliders of the panel.")
        try:
            return self._judge(answer)
        except UNJUDGED as error:
            return Feedback("wrong", f"These assumptions cannot be judged: {shortened(str(error))}")

    def _judge(self, answer: Scenario) -> Feedback:
        met = {name: low <= value(name, answer) <= high for name, (low, high) in self.goal.items()}
        lines = [f"{self._line(name, answer)} {'✓' if ok else '✗ not yet'}" for name, ok in met.items()]
        level: Level = "right" if all(met.values()) else "almost" if any(met.values()) else "wrong"
        return Feedback(level, "\n".join(lines))

    def _line(self, name: str, answer: Scenario) -> str:
        low, high = self.goal[name]
        least, most = (show(bound, unit_of(name)) for bound in (low, high))
        up = f"at most {most}" if not low and math.isfinite(high) else f"at least {least}"
        wanted = least if low == high else f"{show([low, high], unit_of(name))}" if low and math.isfinite(high) else up
        meaning = FIELDS[name].label if name in FIELDS else find(name).meaning.rstrip(".")
        return f"{meaning}: {show(value(name, answer), unit_of(name))} (wanted: {wanted})"

    def solved(self) -> str:
        """The moves of the solution, and what they make of the goal."""
        moves = "; ".join(f"{FIELDS[path].label}: {in_words(path, new)}" for path, new in self.changes.items())
        return f"{moves}. Then {'; '.join(self._line(name, self.solution) for name in self.goal)}"


def in_words(path: str, new: Any) -> str:
    """A value of a field as its control shows it: an entry of the catalog by its name."""
    field = FIELDS[path]
    return getattr(catalog, field.catalog)[new].name if field.catalog else show(new, field.unit)


@attrs.frozen
class Number:
    """Compute a number. A slip by a power of ten is named as one. arithmetic: how it is made, with its numbers."""

    solution: float
    unit: str
    tolerance: float = 0.05
    start: str = ""
    arithmetic: str = ""

    def check(self, answer: Any) -> Feedback:
        """Judge a number or the text of one."""
        if answer is None or (isinstance(answer, str) and not answer.strip()):
            return Feedback("missing", f"{HOW}.")
        try:
            number = from_text(answer) if isinstance(answer, str) else float(answer)
        except ScenarioError as error:
            return Feedback("wrong", shortened(str(error)))
        except UNJUDGED:
            number = math.nan
        if isinstance(answer, bool) or not math.isfinite(number):
            return Feedback("wrong", f"This is no number that can be judged. {HOW}, of fewer than 300 digits.")
        return self._judge(number)

    def _judge(self, number: float) -> Feedback:
        if abs(number - self.solution) <= self.tolerance * abs(self.solution):
            return Feedback("right", f"Yes: {show(self.solution, self.unit)}.")
        if number <= 0 < self.solution:
            return Feedback("wrong", "The answer is larger than zero.")
        if min(number, self.solution) > 0:
            return self._by_factor(math.log10(number) - math.log10(self.solution))  # a quotient can leave the floats
        return _size(number - self.solution)

    def _by_factor(self, off: float) -> Feedback:
        """Judge by the distance in powers of ten."""
        if round(off) and abs(off - round(off)) < 0.03:
            return Feedback("almost", f"The digits are right; the power of ten is off by {round(off):+d}.")
        if abs(off) < CLOSE:
            away = f"{abs(10**off - 1) * 100:.2g}% {'above' if off > 0 else 'below'}"
            return Feedback("almost", f"Close: {away} the answer. Which step did you round?")
        return _size(off)

    def solved(self) -> str:
        """The number with its unit, and how it is made."""
        return " = ".join(filter(None, (self.arithmetic, show(self.solution, self.unit))))


def _size(off: float) -> Feedback:
    return Feedback("wrong", f"Too {'large' if off > 0 else 'small'}.")


@attrs.frozen
class Choice:
    """Choose one of several answers."""

    options: tuple[str, ...]
    solution: str
    start: str = ""

    def check(self, answer: Any) -> Feedback:
        """Judge the option chosen."""
        if not (isinstance(answer, str) and answer in self.options):
            return Feedback("missing", "Choose one of the answers.")
        right = answer == self.solution
        return Feedback("right" if right else "wrong", "Yes." if right else "Not that one.")

    def solved(self) -> str:
        """The right option."""
        return self.solution


@attrs.frozen
class Judgement:
    """Write a judgement, and compare it with a model answer by yes-or-no questions: an answer is one of them each."""

    model: str
    questions: tuple[str, ...]
    start: tuple[bool, ...] = ()

    @property
    def solution(self) -> tuple[bool, ...]:
        """Yes to each."""
        return (True,) * len(self.questions)

    def check(self, answer: Any) -> Feedback:
        """How much of what counts is there, by the reader's own word."""
        if not isinstance(answer, (list, tuple)) or len(answer) != len(self.questions) or None in answer:
            return Feedback("missing", "Answer the questions, each with yes or no.")
        yes, count = sum(mark is True for mark in answer), len(answer)
        level: Level = "right" if yes == count else "almost" if yes else "wrong"
        missing = f" Missing: {self.questions[[bool(mark) for mark in answer].index(False)]}" if yes < count else ""
        return Feedback(level, f"By your own judgement {yes} of {count}.{missing}")

    def solved(self) -> str:
        """The model answer."""
        return self.model


class Task(Protocol):
    """What every exercise has: `start` must not pass `check`, `solution` must; `solved` is the solution in words."""

    @property
    def start(self) -> Any:
        """An answer before the reader begins."""
        ...

    @property
    def solution(self) -> Any:
        """An answer that is right."""
        ...

    def check(self, answer: Any) -> Feedback:
        """Judge an answer."""
        ...

    def solved(self) -> str:
        """The solution, without a full stop."""
        ...
