"""A reader's answers as one small file, to hand in: JSON in the form of a case file, with a name where they give one.

`gpt4lab grade` judges it again, `gpt4lab gather` counts it, and chapter 00 imports it. The name is kept nowhere else.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import attrs
import ipywidgets as w

from gpt4lab import __version__
from gpt4lab.book import store
from gpt4lab.book.page import block, escape
from gpt4lab.book.way import Answer
from gpt4lab.panels.controls import TextControl
from gpt4lab.units import counted

MOST_NAME = 80  # characters
NAME = "Your name, for the file"
HOW = "It goes into the file alone. Nothing is sent."


def as_answers(name: str = "") -> str:
    """Every answer kept, in the order of its key; what is as at the beginning is left out."""
    kept = {key: _short(answer) for key, answer in sorted(Answer.all().items())}
    named = {"name": name.strip()[:MOST_NAME]} if name.strip() else {}
    head = {"schema": store.SCHEMA, "book": f"gpt4lab {__version__}", **named}
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(answer)}" for key, answer in kept.items())
    return json.dumps(head)[:-1] + f', "answers": {{\n{lines}\n}}}}'


def _short(answer: Answer) -> dict[str, Any]:
    """A record without what reading it would put there."""
    usual = attrs.asdict(Answer(answer.level, when=""))
    return {field: value for field, value in attrs.asdict(answer).items() if field == "level" or value != usual[field]}


class Saver(w.VBox):
    """A name, and the link that saves every answer under it; `refresh()` takes in what was kept since."""

    def __init__(self) -> None:
        self.name = TextControl(NAME, help=HOW)
        self._link = w.HTML()
        self.name.observe(self.refresh, "value")
        super().__init__([self.name, self._link])
        self.add_class("g4l-save")
        self.refresh()

    def refresh(self, _: Any = None) -> None:
        """All answers that are kept by now."""
        count = sum(answer.tries > 0 for answer in Answer.all().values())
        file = f"answers{_in_a_file_name(self.name.value)}.json"
        link = f'<a download="{file}" href="data:application/json,{quote(as_answers(self.name.value))}">'
        words = f"{link}Save my answers</a> ({counted(count, 'exercise')} tried)"
        self._link.value = block("aside", f"<p>{words if count else escape('No answer to save yet.')}</p>")


def _in_a_file_name(name: str) -> str:
    """Its letters, of any language: "-Ada-Lovelace" of "Ada Lovelace!"."""
    return "-".join(["", *re.findall(r"\w+", name[:MOST_NAME])])


_SAVERS: list[Saver] = []


def saver() -> Saver:
    """The one of this kernel: wherever it is shown, it shows the same name and saves the same file."""
    if not (_SAVERS and _SAVERS[0].comm):
        _SAVERS[:] = [Saver()]
    return _SAVERS[0]
