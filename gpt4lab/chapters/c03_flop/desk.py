"""The unit desk: write a claim's number and unit anew, and see what the audit makes of it.

    desk("C12", "C13")

The audit is the one that judges the ledger; the desk only lets the reader hold the pen.
"""

from __future__ import annotations

from html import escape

import attrs
import ipywidgets as w

from gpt4lab.claims import Result, judge, ledger
from gpt4lab.panels.controls import TextControl, spoken
from gpt4lab.panels.verdicts import verdict_mark
from gpt4lab.scenario import ScenarioError, from_text, load_scenario
from gpt4lab.units import UnitError, show


class Desk(w.VBox):
    """A claim, its number and its unit to rewrite; `result` is the last judgement, `error` what went wrong."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        self.result: Result | None = None
        self.error = ""
        self.claim = w.Dropdown(options=[(f"{key}: {ledger()[key].quote}", key) for key in ids], description="Claim")
        self.number, self.unit = TextControl("Number"), TextControl("Unit", late=True)
        self.claim.layout.width = "36rem"
        self.back = w.Button(description="As the post has it", tooltip="Return number and unit to the post's own")
        self._said = spoken()
        super().__init__([self.claim, w.HBox([self.number, self.unit, self.back]), self._said])
        self.add_class("g4l-desk")
        self.claim.observe(self._as_written, "value")
        self.back.on_click(self._as_written)
        for entry in (self.number, self.unit):
            entry.observe(self._judge, "value")
        self._as_written()

    def _as_written(self, _: object = None) -> None:
        """Put the claim on the desk as the post writes it."""
        claim = ledger()[str(self.claim.value)]
        self.unit.value = claim.stated_unit
        self.number.value = f"{claim.stated[0]:,.12g}"
        self._judge()

    def _judge(self, _: object = None) -> None:
        try:
            claim = attrs.evolve(
                ledger()[str(self.claim.value)],
                stated=(from_text(self.number.value),),
                stated_unit=self.unit.value.strip(),
            )
            self.result = judge(claim, load_scenario("leak"))
        except (ScenarioError, UnitError) as error:
            self.error = str(error)
            self._said.value = f'<p class="g4l-error">{escape(self.error)}</p>'
            return
        self.error = ""
        self._said.value = f'<p class="g4l-sentence">{_sentence(self.result)}</p>'


def _sentence(result: Result) -> str:
    written = show(result.stated[0], result.unit)
    found = escape(f"As written: {written}. Recomputed: {result.shown()}.")
    slip = f" Read {show(1 / result.slip if result.slip < 1 else result.slip, 'x')} " if result.slip != 1 else ""
    slip += ("smaller it fits." if result.slip < 1 else "larger it fits.") if slip else ""
    return f"{found} {verdict_mark(result)}.{escape(slip)}"


def desk(*ids: str) -> Desk:
    """The desk with some claims on it. Each must state a number."""
    return Desk(ids)
