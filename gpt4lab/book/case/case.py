"""A reader's case: own verdicts beside the book's, gaps of guesses, exercises; from the reader's way or from a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Self

import attrs

from gpt4lab.book import store
from gpt4lab.book.case.calibration import Forecast
from gpt4lab.book.store import State
from gpt4lab.book.way import Answer, Guess, Opened, Signed
from gpt4lab.claims import audit
from gpt4lab.panels.verdicts import tone
from gpt4lab.scenario import load_scenario


@attrs.frozen
class Signature:
    """A verdict that the reader signed, beside the book's under the post's own numbers."""

    claim: str
    yours: str
    ours: str
    sure: float
    unseen: bool

    @property
    def agrees(self) -> bool:
        """Whether both fall on the same side."""
        return tone(self.yours) == tone(self.ours)


def factor(guess: Guess) -> float | None:
    """guess / answer, where both are numbers above zero and the quotient is a float."""
    value, answer = guess.value, guess.answer
    if isinstance(value, str) or answer is None or isinstance(answer, str) or min(value, answer) <= 0:
        return None
    powers = math.log10(value) - math.log10(answer)
    return 10**powers if abs(powers) < 300 else None


@attrs.frozen
class Case:
    """All of it; `Case.read()` is this reader's, with `entries` that of a file (its table of a kind)."""

    opened: Mapping[str, Opened]
    guesses: Mapping[str, Guess]
    answers: Mapping[str, Answer]
    verdicts: Mapping[str, Signed]

    @classmethod
    def read(cls, entries: Callable[[str], State] = store.entries) -> Self:
        """What can be read of it."""
        return cls(Opened.among(entries), Guess.among(entries), Answer.among(entries), Signed.among(entries))

    def signatures(self) -> list[Signature]:
        """In the order of the ledger; what was taken back, and claims that the ledger lacks, are left out."""
        ours = {result.claim.id: result.verdict for result in audit(load_scenario("leak"), list(self.verdicts))}
        signed = [(key, self.verdicts[key], verdict) for key, verdict in ours.items()]
        return [Signature(key, s.verdict, word, s.sure, not s.seen) for key, s, word in signed if s.verdict]

    def forecasts(self) -> list[Forecast]:
        """Of what was signed unseen: how sure, and whether ours falls on the same side."""
        return [(signature.sure, signature.agrees) for signature in self.signatures() if signature.unseen]

    def bands(self) -> list[bool]:
        """Of each band, whether it held the answer."""
        return [guess.held for guess in self.guesses.values() if guess.held is not None]
