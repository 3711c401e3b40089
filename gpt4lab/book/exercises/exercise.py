"""Exercises that the machine checks: prompt, a place to answer, feedback, hints one by one, and the solution.

exercise("09-cheap", "Bring the run under $40 million in under 60 days.", panel=panel,
         goal={"training.cost": (0, 40e6), "training.days": (0, 60)},
         hints=("Which field divides both?",), solution={"cluster.accelerator": "h100-sxm-80gb"}, because="...")
exercise("03-flop", "How many FLOP ...?", quantity="flop.per_token", hints=(...), because="...")
exercise("02-batch", "Which ...?", options=(...), answer="...", because="...")
exercise("09-rent", "Write rent(...)", code=True, hints=(...), because="...")  # then a cell: %%answer 09-rent
exercise("03-words", "Write ...", model="...", questions=("Does it ...?", ...))  # a judgement in words

`because`, `model` and `arithmetic` (how `answer` is made) may hold numbers in braces, as `say` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from IPython import get_ipython
from IPython.display import Markdown, display

from gpt4lab.book.exercises.box import Exercise, ExerciseBox
from gpt4lab.book.exercises.code import Code, codes
from gpt4lab.book.exercises.tasks import Choice, Judgement, Number, Reach, Task
from gpt4lab.book.exercises.written import CodeBox, JudgementBox
from gpt4lab.claims.prose import fill
from gpt4lab.quantities import Explanation, explain, find, value
from gpt4lab.scenario import load_scenario

#: Every exercise that this kernel has shown, by key: the tests walk it.
EXERCISES: dict[str, Exercise] = {}
#: The box that was shown last for each.
SHOWN: dict[str, ExerciseBox] = {}
#: Why a model answer is as it is.
WHY = "A correction names what was wrong, says what is known instead, and what nobody knows."
BOXES: dict[type[Any], type[ExerciseBox]] = {Code: CodeBox, Judgement: JudgementBox}


def exercise(key: str, prompt: str, *, panel: Any = None, **asked: Any) -> Any:
    """Show an exercise; `declare` says what may be asked."""
    EXERCISES[key] = declare(key, prompt, panel=panel, **asked)
    SHOWN[key] = BOXES.get(type(EXERCISES[key].task), ExerciseBox)(EXERCISES[key], panel)
    return SHOWN[key]


def declare(
    key: str,
    prompt: str,
    *,
    hints: Sequence[str] = (),
    because: str = "",
    code: bool = False,
    model: str = "",
    questions: Sequence[str] = (),
    panel: Any = None,
    goal: Mapping[str, tuple[float, float]] | None = None,
    solution: Mapping[str, Any] | None = None,
    quantity: str = "",
    given: Mapping[str, Any] | None = None,
    answer: Any = None,
    arithmetic: str = "",
    unit: str = "1",
    tolerance: float = 0.05,
    options: Sequence[str] = (),
) -> Exercise:
    """An exercise without its page: code, words, a panel and a goal, options, or a number (a quantity, or `answer`)."""
    if code:
        task: Task = codes()[key]
    elif questions:
        task, because = Judgement(fill(model), tuple(questions)), because or WHY
    elif panel is not None:
        task = Reach(goal or {}, panel.scenario, solution or {})
    elif options:
        task = Choice(tuple(options), str(answer))
    elif quantity:
        leak = load_scenario("leak")
        made = explain(quantity, leak, given=given)
        how = " = ".join(made.steps()) if isinstance(made, Explanation) else ""
        task = Number(value(quantity, leak, given), find(quantity).unit, tolerance, arithmetic=how)
    else:
        task = Number(float(answer), unit, tolerance, arithmetic=fill(arithmetic))
    return Exercise(key, prompt, task, tuple(hints), fill(because))


def answer(key: str, cell: str) -> None:
    """The magic of a cell that holds the answer to an exercise in code; its text is judged, and never run here."""
    box = SHOWN.get(key.strip())
    if not isinstance(box, CodeBox):
        display(Markdown(f"*There is no exercise in code {key.strip()!r} yet: run the cell above first.*"))
        return
    box.answer = cell
    box.press_check()
    display(box.said)


def register() -> None:
    """Make %%answer known to the notebook; nothing happens outside one."""
    if shell := get_ipython():
        shell.register_magic_function(answer, "cell", "answer")
