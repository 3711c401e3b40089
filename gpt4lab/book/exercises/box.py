"""The widget of an exercise: prompt, a place to answer, feedback, hints one by one, and the solution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import attrs
import ipywidgets as w

from gpt4lab.book import store
from gpt4lab.book.exercises.saved import saver
from gpt4lab.book.exercises.tasks import HOW, UNJUDGED, Choice, Feedback, Level, Task
from gpt4lab.book.page import block, escape
from gpt4lab.book.way import MOST_TEXT, Answer, now
from gpt4lab.panels.controls import ChoiceControl, TextControl, spoken
from gpt4lab.scenario import share

LEVELS = get_args(Level)
WORDS = {"missing": "Not answered", "wrong": "Not yet", "almost": "Almost", "right": "Correct"}


@attrs.frozen
class Exercise:
    """A task with its words."""

    key: str
    prompt: str
    task: Task
    hints: Sequence[str]
    because: str


class ExerciseBox(w.VBox):
    """The widget of one exercise. `answer` is what the reader has put in; `press_check()` judges it.

    With a panel, a line says how far its sliders are from the goal, and a button leads there. Hints come one by one,
    and those that were seen stand there when the chapter is opened again.
    """

    CHECK = "Check"

    def __init__(self, exercise: Exercise, panel: Any = None) -> None:
        self.exercise, self._panel, self._checks = exercise, panel, 0
        self.kept = Answer.recall(exercise.key) or Answer("missing", 0)
        self._field = self._answer_field()
        self._said, self._hint, self._solution, self._distance = spoken(), spoken(), spoken(), spoken()
        prompt = w.HTML(block("exercise", f"<p><strong>Exercise.</strong> {escape(exercise.prompt)}</p>"))
        super().__init__([prompt, self._place(), self._buttons(), *self._below()])
        self.add_class("g4l-exercise-box")
        self._show_hints(self.kept.hints)
        if self.kept.tries:
            self._offer_to_save()
        if panel is not None:
            panel.on_change(self._follow)
            self._follow()

    @property
    def answer(self) -> Any:
        """A scenario for an exercise with a panel, else the text or option given; None where none is chosen."""
        if self._panel is not None:
            return self._panel.scenario
        return self._field.value if self._field.known else None

    @answer.setter
    def answer(self, value: Any) -> None:
        if self._panel is not None:
            self._panel.load(value)
        else:
            self._field.stand(value)

    def press_check(self, _: Any = None) -> Feedback:
        """Judge the answer, say so, and keep how it went. An answer that cannot be judged is said to be none."""
        feedback = self._judged()
        judged = feedback.level != "missing"
        kept = not judged or self._tried(feedback.level, **self._written())
        if judged:
            self._offer_to_save()
        because = self.exercise.because if feedback.level == "right" else ""
        self._checks += 1
        self._said.value = said(feedback, because, "" if kept else store.trouble(), self._checks)
        return feedback

    def _judged(self) -> Feedback:
        panel = self._panel
        if panel is not None and panel.error and not panel.settled:
            return Feedback("wrong", f"The sliders stand where nothing can be computed. {panel.error}")
        return self.exercise.task.check(self.answer)

    def _written(self) -> dict[str, Any]:
        """What is kept of the answer itself: what judges it again without a page."""
        return {"answer": (self.answer if self._panel is None else share(self.answer))[:MOST_TEXT]}

    def _offer_to_save(self) -> None:
        """The link that saves all answers stands below each exercise that was tried, and is the same everywhere."""
        if (save := saver()) not in self.children:
            self.children = (*self.children, save)
        save.refresh()

    def _tried(self, level: str, **written: Any) -> bool:
        """Keep the best level, what was written for it, and the tries up to the right one. False: for this session."""

        def tried(before: Answer | None) -> Answer:
            before = before or Answer("missing", 0)
            if LEVELS.index(level) < LEVELS.index(before.level):
                written.clear()
            best, more = max(level, before.level, key=LEVELS.index), not before.solved
            return attrs.evolve(before, level=best, tries=before.tries + more, **{"when": now(), **written})

        return Answer.revise(self.exercise.key, tried)

    def _helped(self, **shown: Any) -> None:
        """Keep what was shown, until it is solved."""

        def told(before: Answer | None) -> Answer:
            before = before or Answer("missing", 0)
            return before if before.solved else attrs.evolve(before, when=now(), **shown)

        Answer.revise(self.exercise.key, told)

    def press_hint(self, _: Any = None) -> None:
        """Show one more hint."""
        self._show_hints(self._hints_shown + 1)
        self._helped(hints=self._hints_shown)

    def _show_hints(self, count: int) -> None:
        self._hints_shown = min(count, len(self.exercise.hints))
        lines = "".join(f"<li>{escape(hint)}</li>" for hint in self.exercise.hints[: self._hints_shown])
        self._hint.value = block("hints", f"<ol>{lines}</ol>") if lines else ""

    def press_solution(self, _: Any = None) -> None:
        """Show the solution, and move the panel there."""
        if self._panel is not None:
            self._move_panel()
        self._solution.value = block("solution", self._solved())
        self._helped(told=True)

    def _solved(self) -> str:
        """The solution as HTML."""
        words = f"{escape(self.exercise.task.solved())}. {escape(self.exercise.because)}"
        return f"<p><strong>Solution.</strong> {words}</p>"

    def _move_panel(self) -> None:
        """Load the solution; from assumptions of the reader's own it may not be reached, and the panel says why."""
        try:
            self._panel.load(self.exercise.task.solution)
        except UNJUDGED as error:
            self._said.value = said(Feedback("wrong", f"From these assumptions the solution is out of reach. {error}"))

    def _follow(self, _: Any = None) -> None:
        """Show how far the reader's own state is from the goal, as the sliders move."""
        self._distance.value = block("distance", f"<p>{escape(self._judged().text)}</p>")
        self._forget()

    def _forget(self, _: Any = None) -> None:
        """A verdict goes with the answer that it was about."""
        self._said.value = ""

    def _place(self) -> w.Widget:
        """Where the reader answers."""
        return self._field or w.HBox([w.HTML(_way_to(self._panel)), self._distance])

    def _below(self) -> list[w.Widget]:
        """What stands below the buttons."""
        return [self._said, self._hint, self._solution]

    def _answer_field(self) -> Any:
        if self._panel is not None:
            return None
        if isinstance(self.exercise.task, Choice):
            options = self.exercise.task.options
            field: Any = ChoiceControl("Answer", options, options[0], stacked=True)
            field.known = False
        else:
            field = TextControl("Answer", help=f"{HOW}. Enter checks it.")
            field.observe(self.press_check, "sent")
        field.observe(self._forget, ["value", "known"])
        return field

    def _buttons(self) -> w.Widget:
        actions = {self.CHECK: self.press_check, "Hint": self.press_hint, "Solution": self.press_solution}
        buttons: list[w.Button] = []
        for words, action in actions.items():
            if words and (words != "Hint" or self.exercise.hints):
                buttons.append(w.Button(description=words, tooltip=f"{words}: {self.exercise.prompt[:60]}"))
                buttons[-1].on_click(action)
        return w.HBox(buttons)


def _way_to(panel: Any) -> str:
    """A button that shows the panel; page.js listens to it."""
    place = f"g4l-panel-{panel.model_id}"
    panel.add_class(place)
    name = f"To the panel: {escape(panel.panel.title)}"
    return f'<button type="button" class="g4l-button" data-g4l-to="{place}" aria-label="{name}">To the panel</button>'


def said(feedback: Feedback, because: str = "", note: str = "", check: int = 0) -> str:
    """A verdict; each press of Check shows, even where it says the same again: the page draws it anew."""
    text = f"<p><strong>{WORDS[feedback.level]}.</strong> {escape(feedback.text)} {escape(because)} {escape(note)}</p>"
    return block(f"feedback g4l-{feedback.level}", f"{text}<!-- {check} -->")
