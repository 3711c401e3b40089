"""A verdict on the page: a word and a sign, never colour alone."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from gpt4lab.claims import HOLDS, OPEN, Result, judge, ledger
from gpt4lab.panels.seals import NEUTRAL, sealed
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


def in_words(verdict: str) -> str:
    """The verdict as HTML: its sign for the eye, its words for everybody."""
    tone = "holds" if verdict in HOLDS else "open" if verdict in OPEN else "fails"
    sign = f'<span aria-hidden="true">{SIGNS[verdict]}</span>'
    return f'<span class="g4l-verdict g4l-{tone}">{sign} {escape(verdict.replace("-", " "))}</span>'


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
    quote = escape(f"“{result.claim.quote}”")
    flipped = flipped and not sealed(result.claim.id)
    return (
        f'<li class="g4l-chip{" g4l-flipped" * flipped}" title="{quote}"><strong>{result.claim.id}</strong> '
        f'<span class="g4l-strip-quote">{quote}</span> {verdict_mark(result)}</li>'
    )
