"""Write docs/teaching.md: how to run a lesson of 45 minutes with each chapter.

    .venv/bin/python -m tools.teaching

What a lesson asks stands in docs/lessons.toml; titles, minutes, questions, panels and exercises come from the chapters,
and numbers from the library. A test holds the page to all of them.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

from gpt4lab import chapters as folders
from gpt4lab.book.chapter import Chapter, chapters
from gpt4lab.book.exercises.box import Exercise
from gpt4lab.book.exercises.code import Code
from gpt4lab.book.exercises.declared import calls, exercises
from gpt4lab.book.exercises.tasks import Choice, Judgement, Number, Reach
from gpt4lab.book.guess import QUESTIONS
from gpt4lab.claims.prose import fill
from gpt4lab.panels.panel import Panel

ROOT = Path(__file__).resolve().parents[1]
LESSONS, PAGE = ROOT / "docs" / "lessons.toml", ROOT / "docs" / "teaching.md"
NEW = "\n  - "
PLAN = {"Guess": 8, "Move": 15, "Solve": 10, "Discuss": 7, "Hand in": 5}  # minutes
KINDS = {
    Reach: "with sliders",
    Number: "with a number",
    Choice: "with a choice",
    Code: "in code",
    Judgement: "in words",
}


def main() -> None:
    """Write the page of today."""
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    """The whole page."""
    minutes = {what.replace(" ", ""): count for what, count in PLAN.items()}
    lessons = tomllib.loads(LESSONS.read_text("utf-8"))
    head = lessons.pop("head").format(together=sum(PLAN.values()), **minutes)
    return head + "\n".join(lesson(chapters()[number], words) for number, words in lessons.items())


def lesson(chapter: Chapter, words: Mapping[str, Any]) -> str:
    """One chapter: what to ask, what to move, what to solve, what to discuss, what to collect."""
    number, presets = chapter.number, ", ".join(f"*{name}*" for name in words["presets"])
    parts = {
        "Before": plain(fill(words["before"])),
        "Guess": f"“{plain(guessed(number, words['guess']))}”",
        "Move": f"“{panel(number, words).title}”, {presets}. {fill(words['move'])}",
        "Solve": "".join(f"{NEW}{asked(exercises(number)[key])}" for key in words["exercises"]),
        "Discuss": fill(words["discuss"]),
        "Hand in": asked(exercises(number)[words["write"]]),
    }
    lines = "".join(f"- **{what}.**{'' if text.startswith(NEW) else ' '}{text}\n" for what, text in parts.items())
    return f"## [{number} {chapter.title}](../notebooks/{chapter.file}.ipynb)\n\n{facts(chapter)}\n\n{lines}"


def facts(chapter: Chapter) -> str:
    """How long it takes to read, and how many exercises of which kinds it has."""
    kinds = [KINDS[type(exercise.task)] for exercise in exercises(chapter.number).values()]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    return f"{chapter.minutes} minutes to read. Exercises: {counts}."


def guessed(number: str, key: str) -> str:
    """A question as the chapter asks it. Raises KeyError where it is gone."""
    asked = ast.Module(calls(number, "guess"), [])
    exec(compile(asked, number, "exec"), {})
    return QUESTIONS[key].text


def panel(number: str, words: Mapping[str, Any]) -> Panel:
    """The panel of a chapter that is moved. Raises KeyError where it, or a preset, is gone."""
    found = {each.title: each for each in panels(number)}[words["panel"]]
    for name in words["presets"]:
        found.presets[name]
    return found


def panels(number: str) -> Iterator[Panel]:
    """The panels that a chapter declares."""
    names = [name for _, name, is_folder in walk_packages(folders.__path__, f"{folders.__name__}.") if not is_folder]
    for name in names:
        if re.match(rf"{re.escape(folders.__name__)}\.c{number}_", name):
            yield from (each for each in vars(import_module(name)).values() if isinstance(each, Panel))


def asked(exercise: Exercise) -> str:
    """An exercise by its key, its kind and its words."""
    return f"`{exercise.key}` ({KINDS[type(exercise.task)]}): {plain(exercise.prompt)}"


def plain(text: str) -> str:
    """Words in which Markdown finds neither a formula nor a tag."""
    return re.sub(r"([$<])", r"\\\1", text)


if __name__ == "__main__":
    main()
