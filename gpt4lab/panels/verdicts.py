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


def strip(ids: Iterable[str], scenario: Scenario) -> str:
    """Some claims with their verdicts under a scenario, as a list that a panel keeps up to date."""
    items = "".join(f"<li>{_item(judge(ledger()[key], scenario))}</li>" for key in ids)
    return f'<ul class="g4l-strip" aria-label="Verdicts under these assumptions">{items}</ul>' if items else ""


def _item(result: Result) -> str:
    quote = f'<span class="g4l-strip-quote">“{escape(result.claim.quote)}”</span>'
    return f"<strong>{result.claim.id}</strong> {quote} {verdict_mark(result)}"
