"""Tables that fill in when a live model has trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpt4lab.book.tables import Check, crosscheck
from gpt4lab.panels.training import LiveTraining, Reading
from gpt4lab.panels.view import View

WAITING = "The table fills in when the run above has ended."


def live_crosscheck(lab: LiveTraining, look: Callable[[Any], list[dict[str, Any]]], caption: str) -> Reading:
    """`crosscheck` of what `look` finds in the trained model; its rows have the fields of `Check`."""
    return lab.reading(
        title="",
        look=look,
        view=lambda rows, _: View("", "", "", "" if rows else WAITING, {"data": rows}),
        html_of=lambda view: _table(view, caption),
    )


def _table(view: View, caption: str) -> str:
    checks = [Check(**row) for row in view.rows["data"]]
    return str(crosscheck(checks, caption).data) if checks else ""
