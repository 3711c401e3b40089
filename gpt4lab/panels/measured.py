"""A panel that measures when it is moved; what was measured once is remembered, and stays on the chart.

    decode = Measured(
        title="A decode step, measured here",
        controls=("cache.heads", "cache.tokens"),
        measure=race,                 # Scenario -> a finding: takes a second, and torch
        shown=race_view,              # (Scenario, its finding, findings of the earlier settings) -> View
        along="cache.heads",          # earlier settings of this control are kept, while the others stand still
        first=(1, 2, 4, 8, 16),       # settings of it that are measured before the panel opens
        chart=race_chart,
    )

Without torch it says in its place how to get it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

import attrs

from gpt4lab import place
from gpt4lab.panels.panel import LivePanel, Panel, Speed, method
from gpt4lab.panels.setting import path_of
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario, change, get, load_scenario

Setting = tuple[tuple[str, Any], ...]

#: Findings that a panel remembers: far more than a chart can show.
KEPT = 256


@attrs.frozen(kw_only=True)
class Measured(Panel):
    """The declaration of such a panel. A finding belongs to the values of its controls and to nothing else."""

    measure: Callable[[Scenario], Any]
    shown: Callable[[Scenario, Any, Sequence[Any]], View]
    along: str
    first: Sequence[Any] = ()
    speed: Speed = "debounced"
    view: Callable[[Scenario], View] = attrs.field(init=False, default=method("_measured_view"))
    known: dict[Setting, Any] = attrs.field(init=False, eq=False, repr=False, factory=dict)
    busy: Lock = attrs.field(init=False, eq=False, repr=False, factory=Lock)

    def widget(self, scenario: Scenario | None = None) -> LivePanel:
        """The panel on the page, its first settings measured. Without torch it says so in its place."""
        start = scenario or load_scenario(self.start)
        with suppress(ImportError):
            for value in self.first:
                self.finding(change(start, {self.along: value}))
        return super().widget(start)

    def finding(self, scenario: Scenario) -> Any:
        """What was measured at these settings; measured now, where they are new. The oldest finding goes for it.

        One at a time: two measurements beside each other would slow each other down.
        """
        here = self._setting(scenario)
        with self.busy:
            if here not in self.known:
                found = self.measure(scenario)
                while len(self.known) >= KEPT:
                    del self.known[next(iter(self.known))]
                self.known[here] = found
            return self.known[here]

    def earlier(self, scenario: Scenario) -> list[Any]:
        """What was measured with other values of `along`, everything else being as it is here."""
        here = {*self._setting(scenario)}
        known = [*self.known.items()]  # a measurement may be going on
        return [found for there, found in known if [path for path, _ in {*there} - here] == [self.along]]

    def _setting(self, scenario: Scenario) -> Setting:
        return tuple((path, get(scenario, path)) for path in map(path_of, (*self.controls, *self.folded)))

    def _measured_view(self, scenario: Scenario) -> View:
        try:
            found = self.finding(scenario)
        except ImportError:
            return View(sentence=place.needs("torch"))
        return self.shown(scenario, found, self.earlier(scenario))
