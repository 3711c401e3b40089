"""A look into a model while it trains: a figure of its own, further down the page than the run that it follows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from gpt4lab.panels.figure import Figure
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

READING_S = 1.0  # a look into the model, at most this often ...
REST = 20  # ... and after a rest of so many times what the last look took: the run comes first
EMPTY = "Nothing has trained yet: press Run in the panel above, and this fills in."


@attrs.frozen
class Attempt:
    """One run with the assumptions that it began with."""

    run: BackgroundRun[Any]
    scenario: Scenario


class Reading(Figure):
    """One look into the model of a training panel.

    look: Attempt -> findings, called in the run's thread between two steps, now and then and at the end.
    view: (findings, choice) -> View. What else it takes, `Figure` says.
    """

    def __init__(self, look: Callable[[Attempt], Any], view: Callable[[Any, Any], View], **figure: Any) -> None:
        self.findings, self._attempt, self._rest_until = None, None, 0.0
        self._look, self._view_of = look, view
        super().__init__(view=View("", "", "", EMPTY, {"data": []}), **figure)
        if self.choice:
            self.choice.observe(lambda _: self._draw(), "value")

    def follow(self, attempt: Attempt) -> None:
        """Look into this run from now on."""
        self._attempt, self._rest_until = attempt, 0.0
        attempt.run.on_update(lambda _: self._refresh(attempt), READING_S)

    def _refresh(self, attempt: Attempt) -> None:
        begin, busy = time.monotonic(), attempt.run.state == "running"
        if attempt is not self._attempt or not attempt.run.history or (busy and begin < self._rest_until):
            return
        try:
            self.findings = self._look(attempt)
            self._draw()
        except Exception as error:  # in a thread nobody would see it
            self.complain(error)
        now = time.monotonic()
        self._rest_until = now + REST * (now - begin)

    def _draw(self) -> None:
        if self.findings is not None:
            self.show(self._view_of(self.findings, self.choice.value if self.choice else None))
