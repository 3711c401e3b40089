"""Tables that fill in when a live model has trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpt4lab.book.tables import crosscheck
from gpt4lab.checks.check import Checks
from gpt4lab.panels.reading import Reading
from gpt4lab.panels.training import LiveTraining
from gpt4lab.panels.view import View

WAITING = "The table fills in when the run above has ended."


def live_crosscheck(lab: LiveTraining, look: Callable[[Any], Checks], caption: str) -> Reading:
    """`crosscheck` of what `look` finds in the trained model."""
    return lab.reading(
        title="",
        look=look,
        view=lambda checks, _: View("", "", "", "" if checks else WAITING, {}, text=checks),
        html_of=lambda view: str(crosscheck(view.text, caption).data) if view.text else "",
    )
