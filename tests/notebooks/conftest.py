"""One run a chapter: nbmake makes it, and test_chapters.py judges what it left on the page."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbmake import nb_run, pytest_items

CELL_SECONDS = 120

#: Runs behind the last cell of a chapter and prints what the tests want to know.
PROBE = """
import json as _json
from ipywidgets.widgets import widget as _widget
from gpt4lab.book import EXERCISES as _EXERCISES
from gpt4lab.book.exercises.declared import exercises as _declared
from gpt4lab.panels.panel import LivePanel as _LivePanel
from gpt4lab.scenario import FIELDS as _FIELDS, change as _change
def _elsewhere(task):
    # settings of one field that the solution does not move, and that meet the goal all the same
    for path, field in _FIELDS.items():
        lo, hi, own = field.lo, field.hi, field.default
        if path in task.changes or isinstance(own, (str, bool)):
            continue
        for times in (0, .1, .3, .5, .7, .9, 1.1, 1.4, 2, 5, 20, 1e9):
            there = min(hi, max(lo, round(own * times) if field.whole else own * times))
            try:
                met = task.check(_change(task.start, {path: there})).level == "right"
            except ValueError:
                continue
            if met:
                yield f"{path}={there:g}"
_panels = [w for w in list(_widget._instances.values()) if isinstance(w, _LivePanel)]
print(_json.dumps({
    "exercises": {
        key: [e.task.check(e.task.start).level, e.task.check(e.task.solution).level, len(e.hints), bool(e.because)]
        for key, e in _EXERCISES.items()
    },
    "otherwise": [key for key, e in _EXERCISES.items() if _declared(key[:2]).get(key) != e],
    "elsewhere": {
        key: list(_elsewhere(e.task))
        for key, e in _EXERCISES.items()
        if hasattr(e.task, "goal") and any(word in e.prompt for word in (" only ", " alone", " nothing but "))
    },
    "panels": {p.panel.title: p.error for p in _panels},
}))
"""


class Probed(NotebookClient):
    """A client of nbmake's that asks the kernel a last question, and keeps a reader's memory out of the run."""

    def __init__(self, nb: Any, **settings: Any) -> None:
        nb.cells.append(nbformat.v4.new_code_cell(PROBE))
        super().__init__(nb, **settings)

    def execute(self, **kernel: Any) -> Any:
        """Run every cell; what the chapter remembers goes to a folder that is thrown away."""
        with tempfile.TemporaryDirectory() as state:
            return super().execute(env={**os.environ, "GPT4LAB_STATE": state}, **kernel)


class Once(nb_run.NotebookRun):
    """A run of nbmake's, made once for everything that wants to see it."""

    def execute(self) -> Any:
        """The notebook as it ran, and its error if it has one."""
        return executed(self.filename)


@cache
def executed(chapter: Path) -> Any:
    """A chapter after a run from top to bottom in a kernel of its own, with what the probe found."""
    return nb_run.NotebookRun(chapter, CELL_SECONDS).execute()


def pytest_configure() -> None:
    """Put the two in nbmake's places."""
    nb_run.NotebookClient = Probed
    pytest_items.NotebookRun = Once


@pytest.fixture
def ran(chapter: Path) -> Any:
    """The chapter as it ran; it ended without an error."""
    result = executed(chapter)
    assert result.error is None, result.error.trace
    return result.nb
