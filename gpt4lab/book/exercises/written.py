"""What is answered in writing: code, in the cell below the exercise; a judgement, which the reader compares."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from gpt4lab import place
from gpt4lab.book.exercises.box import ExerciseBox, said
from gpt4lab.book.exercises.tasks import Feedback
from gpt4lab.book.page import block, escape
from gpt4lab.book.way import MOST_TEXT
from gpt4lab.panels.controls import ChoiceControl, TextControl, spoken


class CodeBox(ExerciseBox):
    """`answer` is the text of the cell below, `%%answer KEY`; to run it is to check it. `said` is the verdict."""

    CHECK = ""

    def __init__(self, exercise: Any, panel: Any = None) -> None:
        self._code = ""
        super().__init__(exercise, panel)

    @property
    def answer(self) -> str:
        """The text of the cell that was run last."""
        return self._code

    @answer.setter
    def answer(self, value: str) -> None:
        self._code = value

    @property
    def said(self) -> w.HTML:
        """The verdict, which stands below the cell."""
        return self._said

    def _written(self) -> dict[str, Any]:
        return {"text": self.answer[:MOST_TEXT]}

    def _answer_field(self) -> Any:
        return w.HTML(block("distance", f"<p>{escape(place.how_to_code())}</p>"))

    def _below(self) -> list[w.Widget]:
        return [self._hint, self._solution]

    def _solved(self) -> str:
        task = self.exercise.task
        words = f"{escape(task.solved())}. {escape(self.exercise.because)}"
        return f"<p><strong>Solution.</strong></p><pre>{escape(task.solution)}</pre><p>{words}</p>"


class JudgementBox(ExerciseBox):
    """`text` is what the reader writes; beside the model answer, `answer` is yes or no to each question."""

    CHECK = "Compare"
    FIRST = "Write it first; a few sentences are enough."

    def __init__(self, exercise: Any, panel: Any = None) -> None:
        questions = exercise.task.questions
        self.marks = [ChoiceControl(question, [("Yes", True), ("No", False)], True) for question in questions]
        self._beside = w.VBox([spoken(), *self.marks])
        self._beside.add_class("g4l-compare")
        super().__init__(exercise, panel)
        self.text = self.kept.text
        self.answer = self.kept.marks
        self._show(bool(self.kept.marks))
        for mark in self.marks:
            mark.observe(self.press_check, ["value", "known"])

    @property
    def text(self) -> str:
        """The reader's judgement."""
        return self._field.value

    @text.setter
    def text(self, words: str) -> None:
        self._field.value = words

    @property
    def answer(self) -> list[bool | None]:
        """Yes or no to each question; None where it is open."""
        return [mark.value if mark.known else None for mark in self.marks]

    @answer.setter
    def answer(self, value: Any) -> None:
        for at, mark in enumerate(self.marks):
            mark.stand(*([value[at]] if at < len(value) else [True]), known=at < len(value))

    def press_check(self, _: Any = None) -> Feedback:
        """Show the model answer beside the reader's; once each question is answered, judge and keep."""
        if not self.text.strip():
            self._said.value = said(Feedback("missing", self.FIRST), check=self._checks)
            return Feedback("missing", self.FIRST)
        self._show(True)
        self._helped(text=self.text[:MOST_TEXT])
        return super().press_check()

    def _show(self, shown: bool) -> None:
        """The model answer and the questions."""
        self._beside.layout.display = "" if shown else "none"
        self._beside.children[0].value = block("solution", self._solved()) if shown else ""

    def _written(self) -> dict[str, Any]:
        return {"text": self.text[:MOST_TEXT], "marks": self.answer}

    def _answer_field(self) -> Any:
        field = TextControl("Your text", lines=6, help="It stays on this machine.")
        field.observe(self._forget, "value")
        return field

    def _below(self) -> list[w.Widget]:
        return [self._beside, self._said, self._hint, self._solution]

    def _solved(self) -> str:
        words = f"<p><strong>A model answer.</strong> {escape(self.exercise.task.solved())}</p>"
        return words + (f"<p>{escape(self.exercise.because)}</p>" if self.exercise.because else "")
