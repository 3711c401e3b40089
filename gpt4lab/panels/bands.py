"""The switch of a panel that shows a quantity: where its uncertain assumptions leave it. Off at first.

Off, it costs nothing. On, a band lies around the line of a `Curve`, and in words beside the number of any panel that
names its quantity.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import ipywidgets as w

from gpt4lab.panels.controls import spoken
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import FIELDS, NotKnown, Scenario, ScenarioError, get
from gpt4lab.units import show
from gpt4lab.verdict.bands import SHARES, Leeway, band, wanted
from gpt4lab.verdict.uncertain import Spread

if TYPE_CHECKING:
    from gpt4lab.panels.panel import LivePanel

WORDS = {False: "Show the band", True: "Hide the band"}
MEANS = "Where eight in ten draws of the uncertain assumptions lie. What you have moved is taken as you set it."
NO_BAND = Leeway((), (), (), 0)
TOO_SLOW = "One value takes too long here to draw a band of many."
MOVED = "What you move is not drawn."
NOTHING = "Nothing is left to draw: you have set all that was uncertain."


class Bands(w.HBox):
    """The button; `said` and `drawn` are the places of the words. `on`: whether it is switched on."""

    def __init__(self, live: LivePanel) -> None:
        self._live, self.on, self.said, self.drawn = live, False, spoken(), w.HTML()
        self.button = w.Button(description=WORDS[False], tooltip=f"{MEANS} Of: {live.panel.title}")
        self.button.add_class("g4l-button")
        self.button.on_click(lambda _: self.turn())
        self.offered = bool(live.panel.number) and bool(wanted(live.panel.number, live.scenario, live.panel.along_of()))
        super().__init__([self.button] if self.offered else [])
        self.add_class("g4l-more")

    def turn(self) -> None:
        """On, or off again."""
        self.on = not self.on
        self.button.description = WORDS[self.on]
        self._live.refresh()

    def around(self, view: View, scenario: Scenario) -> View:
        """The view with its band, empty where that is switched off, so that the chart has room for one; its words."""
        found = self._found(scenario, self._live.panel.along_at()) if self.on else None
        said = self._words(scenario, view.unit) if found else ("", "")
        for place, words in zip((self.said, self.drawn), said, strict=True):
            place.value = words and f'<p class="g4l-sentence">{html.escape(words)}</p>'
        rows = self._live.panel.banded(found or NO_BAND) if self.offered else {}
        return attrs.evolve(view, rows={**view.rows, **rows})

    def _found(self, scenario: Scenario, at: Any) -> Leeway | None:
        """The band at these places; None where the number itself cannot be had."""
        panel = self._live.panel
        try:
            return band(panel.number, scenario, panel.along_of() if at else "", at, panel.start)
        except (NotKnown, ScenarioError):
            return None

    def _words(self, scenario: Scenario, unit: str) -> tuple[str, str]:
        """Where the draws lie, and beside that the number itself; and what was drawn."""
        here = self._found(scenario, ())
        if here is None or (here.draws and here.ends[0] is None):
            return "", ""
        if not here.draws:
            return TOO_SLOW if here.spreads else NOTHING, ""
        low, high = here.ends[0] or (0.0, 0.0)
        both = [show(end, unit) for end in (low, high)]
        lie = f"lie from {both[0]} to {both[1]}" if both[0] != both[1] else f"give {both[0]}"
        beside = _beside(value(self._live.panel.number, scenario), low, high, unit, here.spreads, scenario)
        return f"Eight in ten of {here.draws} draws {lie}.{beside}", f"{_drawn(here.spreads)} {MOVED}"


def _beside(here: float, low: float, high: float, unit: str, drawn: Sequence[Spread], scenario: Scenario) -> str:
    """Why the number itself lies outside, where it does: what was drawn stands near an end of its range, or beyond."""
    if low <= here <= high:
        return ""
    stands = {one: get(scenario, one.path) for one in drawn}
    aside = [_stands(one, at) for one, at in stands.items() if not one.at(SHARES[0]) <= at <= one.at(SHARES[1])]
    side, since = "below" if here < low else "above", f", since {' and '.join(aside)}" if aside else ""
    return f" The number here, {show(here, unit)}, lies {side} that{since}."


def _stands(one: Spread, at: float) -> str:
    """An assumption that stands aside: "Price is $1 per GPU per hour, less than was published"."""
    beyond = ", less than was published" if at < one.lo else ", more than was published" if at > one.hi else ""
    return f"{FIELDS[one.path].label} is {show(at, FIELDS[one.path].unit)}{beyond}"


def _drawn(spreads: Sequence[Spread]) -> str:
    """What was drawn, from where to where, and who says so."""
    rounded = ", ".join(f"{FIELDS[one.path].label} ({one.claim})" for one in spreads if one.claim)
    published = [
        f"{FIELDS[one.path].label} from {show([one.lo, one.hi], FIELDS[one.path].unit)} ({one.source})"
        for one in spreads
        if not one.claim
    ]
    return f"Drawn: {'; '.join([*published, *([f'within the last digit: {rounded}'] if rounded else [])])}."
