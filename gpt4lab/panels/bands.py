"""The switch of a panel that shows a quantity: where its uncertain assumptions leave it. Off at first.

Off, it costs nothing. On, a band lies around the line of a `Curve`, and in words beside the number of any panel that
names its quantity.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import attrs
import ipywidgets as w

from gpt4lab.panels.controls import spoken
from gpt4lab.panels.view import View
from gpt4lab.scenario import FIELDS, NotKnown, Scenario, ScenarioError
from gpt4lab.units import show
from gpt4lab.verdict.bands import Leeway, band, wanted

if TYPE_CHECKING:
    from gpt4lab.panels.panel import LivePanel

WORDS = {False: "Show the band", True: "Hide the band"}
MEANS = "Where eight in ten draws of the uncertain assumptions lie. What you have moved is taken as you set it."
NOTHING = "Nothing is left to draw: you have set all that was uncertain."


class Bands(w.HBox):
    """The button; `said` is the place of the words. `on`: whether it is switched on."""

    def __init__(self, live: LivePanel) -> None:
        self._live, self.on, self.said = live, False, spoken()
        self.button = w.Button(description=WORDS[False], tooltip=f"{MEANS} Of: {live.panel.title}")
        self.button.add_class("g4l-button")
        self.button.on_click(lambda _: self.turn())
        offered = bool(live.panel.number) and bool(wanted(live.panel.number, live.scenario, live.panel.along_of()))
        super().__init__([self.button] if offered else [])
        self.add_class("g4l-more")

    def turn(self) -> None:
        """On, or off again."""
        self.on = not self.on
        self.button.description = WORDS[self.on]
        self._live.redraw()

    def around(self, view: View, scenario: Scenario) -> View:
        """The view with its band, where that is switched on; its words are said."""
        self.said.value = ""
        found = self._found(scenario, self._live.panel.along_at()) if self.on else None
        if found is None:
            return view
        self.said.value = f'<p class="g4l-sentence">{html.escape(self._words(scenario, view.unit))}</p>'
        return attrs.evolve(view, rows={**view.rows, **self._live.panel.banded(found)})

    def _found(self, scenario: Scenario, at: Any) -> Leeway | None:
        """The band at these places; None where the number itself cannot be had."""
        panel = self._live.panel
        try:
            return band(panel.number, scenario, panel.along_of() if at else "", at, panel.start)
        except (NotKnown, ScenarioError):
            return None

    def _words(self, scenario: Scenario, unit: str) -> str:
        here = self._found(scenario, ())
        if here is None or (here.spreads and here.ends[0] is None):
            return ""
        if not here.spreads:
            return NOTHING
        low, high = (show(end, unit) for end in here.ends[0] or ())
        drawn = "; ".join(f"{FIELDS[one.path].label} ({one.source})" for one in here.spreads)
        told = f"Eight in ten of {here.draws} draws lie from {low} to {high}."
        return f"{told} Drawn: {drawn}. What you move is not drawn."
