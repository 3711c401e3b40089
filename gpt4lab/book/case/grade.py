"""Answers judged again, without a page, a kernel or a browser: the same tasks, the same checks, whatever a file says.

What lies in the files is read as data. Code in them is run only where that is asked for, in the limited process. The
reader's own word on a judgement in words stays the reader's: the teacher reads the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import attrs

from gpt4lab.book import store
from gpt4lab.book.case.file import MOST_BYTES, CaseError, read
from gpt4lab.book.chapter import chapters
from gpt4lab.book.exercises.box import LEVELS, Exercise
from gpt4lab.book.exercises.code import Code
from gpt4lab.book.exercises.declared import exercises
from gpt4lab.book.exercises.saved import MOST_NAME
from gpt4lab.book.exercises.tasks import UNJUDGED, Feedback, Judgement, Reach, Task
from gpt4lab.book.page import shortened
from gpt4lab.book.store import State
from gpt4lab.book.way import Answer
from gpt4lab.scenario import load_scenario
from gpt4lab.terminal import harmless
from gpt4lab.units import counted

NOT_RUN, NOT_KEPT, OWN_WORD = "not run", "not kept", "own word: "
SAYS = {
    NOT_RUN: "Code is run only with --run-code, in a process with limits.",
    NOT_KEPT: "An older edition of the book kept how it went, and no answer.",
}


@attrs.frozen
class Grade:
    """One answer, judged now. level: a `Level`, "not run" or "not kept"; told: what the file says of it."""

    key: str
    level: str
    says: str
    told: str
    own_word: bool
    kept: Answer

    @property
    def right(self) -> bool:
        """Whether it is right; a judgement in words is so by the reader's own word."""
        return self.level == "right"

    @property
    def less_than_told(self) -> bool:
        """Whether the file calls it better than it is."""
        return self.level in LEVELS and LEVELS.index(self.level) < LEVELS.index(self.told)

    @property
    def word(self) -> str:
        """The level in a table."""
        return OWN_WORD * self.own_word + self.level


@attrs.frozen
class Paper:
    """What one file holds: grades by exercise; or a note that says why there are none."""

    file: str
    name: str
    grades: Mapping[str, Grade] = attrs.field(factory=dict)
    note: str = ""

    @classmethod
    def read(cls, path: Path, wanted: Sequence[str], run_code: bool) -> Self:
        """The answers of a file to the chapters that are wanted; of all chapters where none is named."""
        file = harmless(path.name)
        try:
            state = _state(path)
        except (CaseError, OSError) as error:
            return cls(file, "", note=f"{getattr(error, 'strerror', None) or error}")
        answers = Answer.among(lambda kind: store.section(state, kind))
        told = [*store.section(state, Answer.ONCE), *store.section(state, Answer.KIND)]
        asked = {key: exercise for number in wanted or chapters_of(told) for key, exercise in exercises(number).items()}
        grades = {key: grade(asked[key], answers[key], run_code) for key in asked if key in answers}
        return cls(file, _name(state), grades, _passed_over(told, answers, wanted))


def _state(path: Path) -> State:
    if not path.is_file():  # a folder, a pipe that never ends
        raise CaseError("it is no file" if path.exists() else "there is no such file")
    with path.open("rb") as opened:
        return read(opened.read(MOST_BYTES + 1))


def _name(state: State) -> str:
    name = state.get("name")
    return harmless(name.strip()[:MOST_NAME]) if isinstance(name, str) else ""


def chapters_of(keys: Iterable[Any]) -> list[str]:
    """The chapters whose exercises have such keys, in order."""
    named = {str(key)[:2] for key in keys}
    return [number for number in chapters() if number in named]


def _passed_over(told: Sequence[str], answers: Mapping[str, Answer], wanted: Sequence[str]) -> str:
    """How many answers of a file belong to no exercise of this edition, or cannot be read."""
    known = {key for number in chapters_of(told) for key in exercises(number)}
    strange = sum(key not in known for key in {*told})
    broken = sum(key in known and key not in answers for key in {*told})
    words = [f"{counted(strange, 'answer')} to no exercise of this edition"] * bool(strange)
    words += [f"{counted(broken, 'answer')} that cannot be read"] * bool(broken)
    return "; ".join(words)


# --- one answer ---------------------------------------------------------------------------------------------------


def grade(exercise: Exercise, kept: Answer, run_code: bool = False) -> Grade:
    """Judge what was kept of an answer, as the exercise on the page would."""
    task = exercise.task
    level = _unjudged(task, kept, run_code)
    found = Feedback("missing", SAYS[level]) if level else _judged(task, kept)
    return Grade(exercise.key, level or found.level, found.text, kept.level, isinstance(task, Judgement), kept)


def _unjudged(task: Task, kept: Answer, run_code: bool) -> str:
    """Why an answer is not judged; "" where it is."""
    if not (kept.text if isinstance(task, (Code, Judgement)) else kept.answer):
        return NOT_KEPT if kept.level != "missing" else ""
    return NOT_RUN if isinstance(task, Code) and not run_code else ""


def _judged(task: Task, kept: Answer) -> Feedback:
    try:
        return task.check(_given(task, kept))
    except UNJUDGED as error:  # a line of assumptions that no panel writes
        return Feedback("wrong", f"It cannot be judged: {shortened(str(error))}")


def _given(task: Task, kept: Answer) -> Any:
    """What the page would hand to the task."""
    match task:
        case Code():
            return kept.text
        case Judgement():
            return kept.marks
        case Reach():
            return load_scenario(kept.answer) if kept.answer else None
        case _:
            return kept.answer


# --- a class ------------------------------------------------------------------------------------------------------


def papers(
    files: Sequence[Path], complain: Callable[[str], Any], wanted: Sequence[str] = (), run_code: bool = False
) -> list[Paper]:
    """One paper for each file, and for each *.json of a folder; `complain` gets a sentence for each with a note.

    Raises CaseError where not one file holds answers.
    """
    found = [Paper.read(path, wanted, run_code) for path in _all(files)]
    for paper in found:
        if paper.note:
            complain(f"{paper.file}: {paper.note}.")
    if not any(paper.grades for paper in found):
        raise CaseError(f"of {counted(len(found), 'file')} none holds an answer to an exercise of this book")
    return found


def _all(files: Sequence[Path]) -> Iterator[Path]:
    """Each file once; of a folder what is called *.json, and what a pattern means where no shell has read it."""
    for path in dict.fromkeys(files):
        if path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.suffix.lower() == ".json")
        elif "*" in path.name and not path.exists():
            yield from sorted(path.parent.glob(path.name))
        else:
            yield path


def rows(papers: Sequence[Paper], wanted: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The class as a table: a row a paper, a column an exercise of the chapters that somebody worked at."""
    keys = _columns(papers, wanted)
    return [
        {
            "name": paper.name,
            "file": paper.file,
            "right": sum(paper.grades[key].right for key in paper.grades),
            "tried": sum(paper.grades[key].level != "missing" for key in paper.grades),
            "of": len(keys),
            "less than the file says": sum(grade.less_than_told for grade in paper.grades.values()),
            "note": paper.note,
            **{key: paper.grades[key].word if key in paper.grades else "" for key in keys},
        }
        for paper in papers
    ]


def _columns(papers: Sequence[Paper], wanted: Sequence[str]) -> list[str]:
    numbers = wanted or chapters_of(key for paper in papers for key in paper.grades)
    return [key for number in numbers for key in exercises(number)]


def summary(papers: Sequence[Paper]) -> Iterator[tuple[str, ...]]:
    """The class in lines: who, how many are right, and what is not."""
    for paper in papers:
        count = f"{sum(grade.right for grade in paper.grades.values())} of {len(paper.grades)} right"
        others = [f"{key} {grade.level}" for key, grade in paper.grades.items() if not grade.right]
        yield paper.name or paper.file, count if paper.grades else paper.note, ", ".join(others)


def records(papers: Sequence[Paper]) -> list[dict[str, Any]]:
    """The same with all that is known of each answer, its words too."""
    return [
        {
            "name": paper.name,
            "file": paper.file,
            "note": paper.note,
            "answers": {key: _record(grade) for key, grade in paper.grades.items()},
        }
        for paper in papers
    ]


def _record(grade: Grade) -> dict[str, Any]:
    kept = {name: getattr(grade.kept, name) for name in ("tries", "hints", "told", "answer", "text", "marks")}
    return {"level": grade.level, "says": grade.says, "own word": grade.own_word, "in the file": grade.told, **kept}
