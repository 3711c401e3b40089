"""Exercises that the machine checks: prompt, a place to answer, feedback, hints one by one, and the solution.

exercise("09-cheap", "Bring the run under $40 million in under 60 days.", panel=panel,
         goal={"training.cost": (0, 40e6), "training.days": (0, 60)},
         hints=("Which field divides both?",), solution={"cluster.accelerator": "h100-sxm-80gb"}, because="...")
exercise("03-flop", "How many FLOP ...?", quantity="flop.per_token", hints=(...), because="...")
exercise("02-batch", "Which ...?", options=(...), answer="...", because="...")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import attrs
import ipywidgets as w

from gpt4lab.book import store
from gpt4lab.book.page import block, escape
from gpt4lab.book.tasks import HOW, UNJUDGED, Choice, Feedback, Level, Number, Reach, Task
from gpt4lab.book.way import Answer
from gpt4lab.panels.controls import ChoiceControl, TextControl, spoken
from gpt4lab.quantities import find, value
from gpt4lab.scenario import load_scenario


@attrs.frozen
class Exercise:
    """A task with its words."""

    key: str
    prompt: str
    task: Task
    hints: Sequence[str]
    because: str


#: Every exercise that this kernel has shown, by key: the tests walk it.
EXERCISES: dict[str, Exercise] = {}


def exercise(
    key: str,
    prompt: str,
    *,
    hints: Sequence[str] = (),
    because: str = "",
    panel: Any = None,
    goal: Mapping[str, tuple[float, float]] | None = None,
    solution: Mapping[str, Any] | None = None,
    quantity: str = "",
    given: Mapping[str, Any] | None = None,
    answer: Any = None,
    unit: str = "1",
    tolerance: float = 0.05,
    options: Sequence[str] = (),
) -> Any:
    """Show an exercise: with a panel and a goal, with a number (a quantity, or `answer`), or with options."""
    if panel is not None:
        task: Task = Reach(goal or {}, panel.scenario, solution or {})
    elif options:
        task = Choice(tuple(options), str(answer))
    elif quantity:
        task = Number(value(quantity, load_scenario("leak"), given), find(quantity).unit, tolerance)
    else:
        task = Number(float(answer), unit, tolerance)
    EXERCISES[key] = Exercise(key, prompt, task, tuple(hints), because)
    return ExerciseBox(EXERCISES[key], panel)


LEVELS = get_args(Level)
WORDS = {"missing": "Not answered", "wrong": "Not yet", "almost": "Almost", "right": "Correct"}


class ExerciseBox(w.VBox):
    """The widget of one exercise. `answer` is what the reader has put in; `press_check()` judges it.

    With a panel, a line says how far its sliders are from the goal, and a button leads there.
    """

    def __init__(self, exercise: Exercise, panel: Any = None) -> None:
        self.exercise, self._panel, self._hints_shown, self._checks = exercise, panel, 0, 0
        self._field = self._answer_field()
        self._said, self._hint, self._solution, self._distance = spoken(), spoken(), spoken(), spoken()
        prompt = w.HTML(block("exercise", f"<p><strong>Exercise.</strong> {escape(exercise.prompt)}</p>"))
        place = self._field or w.HBox([w.HTML(_way_to(panel)), self._distance])
        super().__init__([prompt, place, self._buttons(), self._said, self._hint, self._solution])
        self.add_class("g4l-exercise-box")
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
        kept = feedback.level == "missing" or self._keep(feedback.level)
        because = self.exercise.because if feedback.level == "right" else ""
        self._checks += 1
        self._said.value = _say(feedback, because, "" if kept else store.trouble(), self._checks)
        return feedback

    def _judged(self) -> Feedback:
        panel = self._panel
        if panel is not None and panel.error and not panel.settled:
            return Feedback("wrong", f"The sliders stand where nothing can be computed. {panel.error}")
        return self.exercise.task.check(self.answer)

    def _keep(self, level: str) -> bool:
        """Keep the best level and the number of tries up to the right one. False: for this session only."""

        def tried(before: Answer | None) -> Answer:
            if before is None or before.solved:
                return before or Answer(level, 1)
            return Answer(max(level, before.level, key=LEVELS.index), before.tries + 1)

        return Answer.revise(self.exercise.key, tried)

    def press_hint(self, _: Any = None) -> None:
        """Show one more hint."""
        self._hints_shown = min(self._hints_shown + 1, len(self.exercise.hints))
        lines = "".join(f"<li>{escape(hint)}</li>" for hint in self.exercise.hints[: self._hints_shown])
        self._hint.value = block("hints", f"<ol>{lines}</ol>")

    def press_solution(self, _: Any = None) -> None:
        """Show the solution, and move the panel there."""
        task = self.exercise.task
        if self._panel is not None:
            self._move_panel()
        self._solution.value = block(
            "solution", f"<p><strong>Solution.</strong> {escape(task.solved())}. {escape(self.exercise.because)}</p>"
        )

    def _move_panel(self) -> None:
        """Load the solution; from assumptions of the reader's own it may not be reached, and the panel says why."""
        try:
            self._panel.load(self.exercise.task.solution)
        except UNJUDGED as error:
            self._said.value = _say(Feedback("wrong", f"From these assumptions the solution is out of reach. {error}"))

    def _follow(self, _: Any = None) -> None:
        """Show how far the reader's own state is from the goal, as the sliders move."""
        self._distance.value = block("distance", f"<p>{escape(self._judged().text)}</p>")
        self._forget()

    def _forget(self, _: Any = None) -> None:
        """A verdict goes with the answer that it was about."""
        self._said.value = ""

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
        actions = {"Check": self.press_check, "Hint": self.press_hint, "Solution": self.press_solution}
        buttons = []
        for words, action in actions.items():
            button = w.Button(description=words, tooltip=f"{words}: {self.exercise.prompt[:60]}")
            button.on_click(action)
            buttons.append(button)
        return w.HBox(buttons if self.exercise.hints else [buttons[0], buttons[2]])


def _way_to(panel: Any) -> str:
    """A button that shows the panel; page.js listens to it."""
    place = f"g4l-panel-{panel.model_id}"
    panel.add_class(place)
    name = f"To the panel: {escape(panel.panel.title)}"
    return f'<button type="button" class="g4l-button" data-g4l-to="{place}" aria-label="{name}">To the panel</button>'


def _say(feedback: Feedback, because: str = "", note: str = "", check: int = 0) -> str:
    """A verdict; each press of Check shows, even where it says the same again: the page draws it anew."""
    text = f"<p><strong>{WORDS[feedback.level]}.</strong> {escape(feedback.text)} {escape(because)} {escape(note)}</p>"
    return block(f"feedback g4l-{feedback.level}", f"{text}<!-- {check} -->")
