"""The conflict on a chapter's first screen: a claim, what comes out when it is computed, the gap, one decisive move.

It is declared in chapter.toml; what stands in braces is computed, under the post's scenario and what a state sets:

    [conflict]
    claim = "The post says that the run {C33.quote:would be about $63 million}."
    button = "Pay ${cluster.usd_per_gpu_hour:.2f} an hour"   # with the numbers of the state that it leads to
    back = "Pay one dollar again"

    [conflict.first]
    claimed = ["The post says", "{C33.stated}"]
    found = ["Its GPUs, days and price give", "{cluster.rental}"]
    ratio = ["cluster.stated_usd", "cluster.rental"]   # what {gap}, {times} and {share} compare
    gap = "The price is {gap}."
    how = "{cluster.gpus} for {cluster.days} at {cluster.usd_per_gpu_hour}."

    [conflict.moved]
    assume = "C33"                             # sets what this claim assumes
    ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import ipywidgets as w

from gpt4lab.book.page import block, escape
from gpt4lab.claims import judge, ledger
from gpt4lab.claims.prose import fill
from gpt4lab.panels.controls import spoken
from gpt4lab.quantities import unit_of
from gpt4lab.quantities.registry import unchecked
from gpt4lab.scenario import load_scenario
from gpt4lab.units import convert, show

RIGHT = 0.03  # how near a number must be to be called right


def _pair(words: Sequence[str]) -> tuple[str, str]:
    first, second = words
    return first, second


@attrs.frozen
class State:
    """One reading of the claim, as declared.

    claimed, found: words and a number, beside each other. ratio: the two quantities or fields that are compared;
    {claimed} and {found} are their values in one unit, {times}, {share} and {gap} the first over the second. too: what
    the first is where it is more, and less. given: path -> value; "C12.stated" is what a claim states, "C12.meant" the
    same with its slip of unit put right. assume: a claim whose own assumption is set.
    """

    claimed: tuple[str, str] = attrs.field(converter=_pair)
    found: tuple[str, str] = attrs.field(converter=_pair)
    ratio: tuple[str, str] = attrs.field(converter=_pair)
    gap: str
    how: str
    too: tuple[str, str] = attrs.field(default=("large", "small"), converter=_pair)
    given: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    assume: str = ""

    @property
    def settings(self) -> dict[str, Any]:
        """What is set over the post's scenario, as numbers."""
        assumed = ledger()[self.assume].assume if self.assume else {}
        return {**assumed, **{path: _number(there) for path, there in self.given.items()}}

    def _compared(self) -> tuple[float, float, str]:
        """The claimed number and the found one, both in the unit of the first."""
        claimed, found = unchecked(self.ratio, load_scenario("leak"), self.settings).values()
        unit, other = map(unit_of, self.ratio)
        return claimed, convert(found, other, unit), unit

    def _gap(self, ratio: float) -> str:
        """How far the claimed number is off: "right", "11% too high", "1,000 times too short"."""
        if abs(ratio - 1) <= RIGHT:
            return "right"
        size = f"{_times(ratio)} times" if max(ratio, 1 / ratio) >= 2 else f"{abs(ratio - 1):.0%}"
        return f"{size} too {self.too[ratio < 1]}"

    def in_words(self, text: str) -> str:
        """A declared text with its numbers."""
        claimed, found, unit = self._compared()
        ratio = claimed / found
        shown = {"claimed": show(claimed, unit), "found": show(found, unit)}
        told = {**shown, "gap": self._gap(ratio), "times": _times(ratio), "share": f"{ratio:.0%}"}
        for name, words in told.items():
            text = text.replace(f"{{{name}}}", words)
        return fill(text, given=self.settings)


@attrs.frozen
class Conflict:
    """What a chapter opens with; see above."""

    claim: str
    button: str
    back: str
    first: State
    moved: State

    @classmethod
    def read(cls, words: Mapping[str, Any]) -> Conflict:
        """The conflict that a chapter declares."""
        return cls(**{**words, "first": State(**words["first"]), "moved": State(**words["moved"])})

    @property
    def still(self) -> str:
        """The first state as Markdown for a page where nothing runs."""
        said, pair = self.first.in_words, (self.first.claimed, self.first.found)
        numbers = "\n".join(f"- {said(label)}: **{said(number)}**" for label, number in pair)
        return f"> {fill(self.claim)}\n\n{numbers}\n\n**{said(self.first.gap)}** {said(self.first.how)}"


def _number(there: Any) -> Any:
    """A value as declared, or the number that it names of a claim."""
    key, _, part = there.partition(".") if isinstance(there, str) else ("", "", "")
    if key not in ledger():
        return there
    result = judge(ledger()[key], load_scenario("leak"))
    return result.meant if part == "meant" else result.stated[0]


def _times(ratio: float) -> str:
    return f"{float(f'{max(ratio, 1 / ratio):.2g}'):,.12g}"


class ConflictBox(w.VBox):
    """The conflict at work: one button leads to the other state, and back."""

    def __init__(self, conflict: Conflict) -> None:
        self.conflict, self.moved = conflict, False
        self._said = spoken()
        self.button = w.Button().add_class("g4l-move")
        self.button.on_click(lambda _: self._move(not self.moved))
        claim = w.HTML(block("conflict-claim", f"<p>{escape(fill(conflict.claim))}</p>"))
        super().__init__([claim, self._said, self.button])
        self.add_class("g4l-conflict")
        self._move(False)

    def _move(self, moved: bool) -> None:
        self.moved, conflict = moved, self.conflict
        self._said.value = _shown(conflict.moved if moved else conflict.first)
        self.button.description = conflict.back if moved else conflict.moved.in_words(conflict.button)


def _shown(state: State) -> str:
    def said(text: str) -> str:
        return escape(state.in_words(text))

    pair = "".join(
        f"<div><dt>{said(words)}</dt><dd>{said(number)}</dd></div>" for words, number in (state.claimed, state.found)
    )
    return block("conflict-state", f"<dl>{pair}</dl><p><strong>{said(state.gap)}</strong> {said(state.how)}</p>")
