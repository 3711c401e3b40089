"""The review on the page of chapter 00: it begins when the reader asks for it."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from gpt4lab.book import store
from gpt4lab.book.case import signing
from gpt4lab.book.case.review import AT_ONCE, DAYS, Recall, answered, due
from gpt4lab.book.page import block, escape
from gpt4lab.panels.controls import TextControl, spoken

OFFER = (
    f"At most {AT_ONCE} questions from the chapters that you have opened, about a minute each. What you know is asked "
    f"again after {', '.join(map(str, DAYS[:-1]))} and {DAYS[-1]} days. If you never begin, nothing is kept."
)
UNSIGNED = " What you have still to sign is not asked before."


class ReviewBox(w.VBox):
    """`begin()` takes what is due; Enter in the field, or the button, judges an answer and goes on."""

    def __init__(self) -> None:
        self.waiting: list[Recall] = []
        self.asked, self.said = spoken(), spoken()
        self.field = TextControl("Your answer", help="A number, like 560e9, 560B or 34%. Enter sends it.")
        self.button = w.Button(description="Begin a review", tooltip="Ask me what is due")
        self.button.on_click(lambda _: self.begin())
        self.field.observe(lambda _: self.send(), "sent")
        super().__init__([self.said, self.asked, self.field, self.button])
        self.add_class("g4l-exercise-box")
        self.field.layout.display = "none"
        self.asked.value = block("exercise", f"<p><strong>Review.</strong> {escape(OFFER)}</p>")

    def begin(self) -> None:
        """Ask the first of what is due."""
        self.waiting, self.said.value = due(), ""
        self._ask(f"Nothing is due today.{UNSIGNED * signing.wished()}")

    def send(self) -> None:
        """Judge the answer in the field; what is no number is asked for again."""
        if not self.waiting:
            return
        question = self.waiting[0]
        feedback = question.check(self.field.value)
        if feedback.level == "missing":
            self._say(f"{feedback.text}")
            return
        kept = answered(question.key, feedback.level)
        self._say(f"{feedback.text} {question.solved()} {'' if kept else store.trouble()}")
        self.waiting = self.waiting[1:]
        self._ask("That was all for today.")

    def _ask(self, otherwise: str) -> None:
        """The next question, or that there is none."""
        left = len(self.waiting)
        words = f"<strong>{left} to go.</strong> {escape(self.waiting[0].text)}" if left else escape(otherwise)
        self.asked.value = block("exercise", f"<p>{words}</p>")
        self.field.value = ""
        here, gone = (self.field, self.button) if left else (self.button, self.field)
        here.layout.display, gone.layout.display = "", "none"
        here.focus()  # the keyboard stood on what is gone

    def _say(self, words: str) -> None:
        self.said.value = block("feedback", f"<p>{escape(words.strip())}</p>")


def review() -> Any:
    """The review of chapter 00."""
    return ReviewBox()
