"""A verdict on the page: a word and a sign, never colour alone.

A reader may want to give their own before ours is shown: until then every mark of that claim stays neutral. The book
says which (`seal`); what shows verdicts asks `sealed`, and is told to show them anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Protocol
from weakref import WeakSet

from gpt4lab.claims import HOLDS, OPEN, Result, judge, ledger
from gpt4lab.scenario import Scenario

#: One sign for each kind of verdict.
SIGNS = {
    "consistent": "●",
    "consistent-with-assumption": "◐",
    "unit-error": "✗",
    "arithmetic-mismatch": "✗",
    "needs-more-than-anyone-has-shown": "▲",
    "internally-inconsistent": "✗",
    "not-checkable": "○",
    "opinion": "–",
    "no-claim": "·",
    "not-known": "?",
}
#: The mark in place of a verdict: a sign for the eye, words for everybody.
NEUTRAL = '<span class="g4l-verdict g4l-open"><span aria-hidden="true">□</span> yours first</span>'


class Shows(Protocol):
    """What shows verdicts, and is told to show them anew."""

    def show_verdicts(self) -> None:
        """Show them as the seals are now."""
        ...


_SEALED: set[str] = set()
_SHOWING: WeakSet[Shows] = WeakSet()


def sealed(claim: str) -> bool:
    """Whether the verdict on a claim is not to be shown yet."""
    return claim in _SEALED


def seal(claims: Iterable[str]) -> None:
    """Seal these claims and no others; what has changed is shown at once."""
    before = set(_SEALED)
    _SEALED.clear()
    _SEALED.update(claims)
    if before != _SEALED:
        tell()


def tell() -> None:
    """Have every place show its verdicts anew."""
    for place in list(_SHOWING):
        place.show_verdicts()


def follow(place: Shows) -> None:
    """Tell a place of every change, for as long as it lives."""
    _SHOWING.add(place)


def tone(verdict: str) -> str:
    """On which of three sides it falls, which is also its colour: "holds", "fails", or "open"."""
    return "holds" if verdict in HOLDS else "open" if verdict in OPEN else "fails"


def in_words(verdict: str) -> str:
    """The verdict as HTML: its sign for the eye, its words for everybody."""
    sign = f'<span aria-hidden="true">{SIGNS[verdict]}</span>'
    return f'<span class="g4l-verdict g4l-{tone(verdict)}">{sign} {escape(verdict.replace("-", " "))}</span>'


def verdict_mark(result: Result) -> str:
    """The verdict as HTML; while it is sealed, a mark that says nothing of it."""
    return NEUTRAL if sealed(result.claim.id) else in_words(result.verdict)


class Chips:
    """Some claims with their verdicts under a scenario, as a row that a panel keeps up to date.

    Those that flipped last are marked until others do, so that a page blinks each once.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._claims = [ledger()[key] for key in ids]
        self._verdicts: list[str] = []
        self._flipped: list[bool] = []

    def of(self, scenario: Scenario) -> str:
        """The row as HTML."""
        results = [judge(claim, scenario) for claim in self._claims]
        verdicts = [result.verdict for result in results]
        if verdicts != self._verdicts:
            before = self._verdicts or verdicts
            self._flipped = [old != new for old, new in zip(before, verdicts, strict=True)]
            self._verdicts = verdicts
        chips = "".join(map(_chip, results, self._flipped))
        return f'<ul class="g4l-strip" aria-label="Verdicts under these assumptions">{chips}</ul>' if chips else ""


def _chip(result: Result, flipped: bool) -> str:
    quote = escape(result.claim.quoted)
    flipped = flipped and not sealed(result.claim.id)
    return (
        f'<li class="g4l-chip{" g4l-flipped" * flipped}" title="{quote}"><strong>{result.claim.id}</strong> '
        f'<span class="g4l-strip-quote">{quote}</span> {verdict_mark(result)}</li>'
    )
