"""What a card says of a claim: all that somebody needs who quotes it, and nothing that the audit does not say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import attrs

from gpt4lab import __version__
from gpt4lab.book.tables import ORIGIN, residual_of, then_of
from gpt4lab.claims import Result, judge, ledger
from gpt4lab.claims.ledger import HELPED, NEEDS_MORE
from gpt4lab.claims.prose import as_stated
from gpt4lab.claims.review import Record, review
from gpt4lab.claims.sensitivity import flips_in_words
from gpt4lab.home import page_of
from gpt4lab.panels.verdicts import SIGNS
from gpt4lab.quantities import QUANTITIES
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError, share


@attrs.frozen
class Card:
    """A claim judged under some assumptions. under: those, as a shared line. flip: the nearest change, in words."""

    result: Result
    under: str
    flip: str
    on: dt.date

    @property
    def id(self) -> str:
        """The claim's id: "C33"."""
        return self.result.claim.id

    @property
    def kicker(self) -> str:
        """Which claim this is, and whose."""
        claim = self.result.claim
        return f"{claim.id} · from {ORIGIN[claim.origin]} · chapter {claim.chapter}"

    @property
    def quote(self) -> str:
        """The claim in its own words."""
        return self.result.claim.quoted

    @property
    def verdict(self) -> str:
        """The verdict's sign and words: never the one without the other."""
        return f"{SIGNS[self.result.verdict]} {self.result.verdict.replace('-', ' ')}"

    def lines(self) -> Iterator[tuple[str, str]]:
        """What is told below the verdict: the name of each part and the part, empty ones left out."""
        claim, needs = self.result.claim, self.result.verdict in (HELPED, NEEDS_MORE)
        told = {
            "As written": as_stated(claim.id),
            "Recomputed": self.result.shown(),
            "What that is": self._computed() if self.result.recomputed else "",
            "Residual": residual_of(self.result),
            "If": claim.assumption if needs else "",
            "Then": then_of(self.result),
            "Why": claim.why,
            "What flips it": self.flip,
        }
        return ((name, words) for name, words in told.items() if words)

    def _computed(self) -> str:
        """What the recomputed numbers are numbers of: "12.5%" alone says nothing to whoever reads one card."""
        found = (FIELDS.get(name) or QUANTITIES.get(name) for name in self.result.claim.quantity)
        return "; ".join(dict.fromkeys(one.meaning.rstrip(".") for one in found if one))

    @property
    def made(self) -> str:
        """When it was judged, by what, and under which assumptions."""
        return f"Judged on {self.on.isoformat()} by gpt4lab {__version__}, assumptions: {self.under}"

    @property
    def address(self) -> str:
        """Where the card lives."""
        return page_of(self.id)

    @property
    def review(self) -> Record:
        """The same as ClaimReview."""
        return {"@context": "https://schema.org", **review(self.result, self.under, self.on)}

    def text(self) -> list[str]:
        """The whole card, line by line; in one piece, the text alternative of its picture."""
        told = [f"{name}: {words}" for name, words in self.lines()]
        return [self.kicker, self.quote, self.verdict, *told, self.made, self.address]


def card(key: str, scenario: Scenario, on: dt.date | None = None) -> Card:
    """The card of a claim under a scenario, judged today unless told otherwise.

    Raises ScenarioError for an id that the ledger lacks.
    """
    claim = ledger().get(key.strip().upper())
    if claim is None:
        raise ScenarioError(f"card {key[:40]!r}: no such claim; write an id such as C33 (gpt4lab claims lists all).")
    flip = flips_in_words(claim, scenario, most=1) if claim.checkable else ""
    return Card(judge(claim, scenario), share(scenario), flip, on or dt.date.today())
