"""Chapter 17: the reader's own verdicts, beside the book's and beside chance, and the correction that follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import ipywidgets as w

from gpt4lab.book.case import Case, Signature
from gpt4lab.book.case.calibration import brier
from gpt4lab.book.page import block, escape, table
from gpt4lab.claims import audit, judge, ledger
from gpt4lab.claims.ledger import NO_CLAIM
from gpt4lab.claims.prose import as_stated
from gpt4lab.panels.controls import TextControl, spoken
from gpt4lab.panels.verdicts import tone
from gpt4lab.scenario import load_scenario
from gpt4lab.units import counted

SIDES = {"holds": "holds", "fails": "fails", "open": "cannot be decided"}
NONE_YET = (
    "You have signed no verdict yet. In chapter 00, or at the verdict of any chapter, you can give yours before ours "
    "is shown; then this page has something to say about you."
)
HEAD = (
    "CORRECTION. We have reported numbers of the model GPT-4 from a post that appeared on the internet in July 2023. "
    "The post retells an article of SemiAnalysis, which names no source. OpenAI has confirmed none of it."
)
FOOT = "A number that agrees with others of the same text is not thereby confirmed."


def mix() -> dict[str, float]:
    """The book's own mix of verdicts, by side, over all that it judges."""
    sides = Counter(tone(r.verdict) for r in audit(load_scenario("leak")) if r.verdict != NO_CLAIM)
    return {side: sides[side] / sides.total() for side in SIDES}


def by_chance(signed: Sequence[Signature]) -> float:
    """The share of these claims on which somebody agrees with us who draws each side from our own mix."""
    shares = mix()
    return sum(shares[tone(one.ours)] for one in signed) / len(signed)


def summary(case: Case) -> str:
    """Own verdicts beside ours, in words and a table; HTML."""
    signed = case.signatures()
    if not signed:
        return f"<p>{NONE_YET}</p>"
    agreed, unseen = sum(one.agrees for one in signed) / len(signed), [one for one in signed if one.unseen]
    score = brier(case.forecasts())
    words = (
        f"Of {counted(len(signed), 'verdict')}, {agreed:.0%} fall on our side. Who draws each from our own mix "
        f"of words would reach {by_chance(signed):.0%}. {len(unseen)} of yours were signed unseen."
        + ("" if score is None else f" On those your Brier score is {score:.2f}; a coin has 0.25.")
    )
    rows = [(side, *_counts(signed, name)) for name, side in SIDES.items()]
    bands = case.bands()
    held = f"<p>Your bands held the answer {sum(bands)} of {counted(len(bands), 'time')}.</p>" if bands else ""
    return f"<p>{escape(words)}</p>{table('Side by side', ('It', 'You say', 'We say', 'Both'), rows)}{held}"


def _counts(signed: Sequence[Signature], side: str) -> tuple[int, int, int]:
    yours, ours = (
        [tone(word) == side for word in words] for words in zip(*((s.yours, s.ours) for s in signed), strict=True)
    )
    return sum(yours), sum(ours), sum(a and b for a, b in zip(yours, ours, strict=True))


def correction(signed: Sequence[Signature]) -> str:
    """What a newspaper should have printed, by the reader's own verdicts."""
    sides = {side: [one.claim for one in signed if tone(one.yours) == side] for side in SIDES}
    parts = [HEAD, *map(_wrong, sides["fails"])]
    if sides["open"]:
        words = "; ".join(ledger()[key].quoted for key in sides["open"])
        parts.append(f"Nobody outside OpenAI can decide these statements, which we printed as facts: {words}.")
    if count := len(sides["holds"]):
        verb = "agrees" if count == 1 else "agree"
        parts.append(f"{counted(count, 'statement')} {verb} with the rest of the post or with what was published.")
    return "\n\n".join([*parts, FOOT])


def _wrong(key: str) -> str:
    """One statement that does not hold, with what it should have been where that can be computed."""
    claim, result = ledger()[key], judge(ledger()[key], load_scenario("leak"))
    found = f" By the post’s own numbers it is {result.shown()}." if result.recomputed else ""
    stated = f", which is to say {as_stated(key)}" if as_stated(key) and as_stated(key) not in claim.quote else ""
    return f"We repeated {claim.quoted}{stated}. It does not hold.{found}"


class OwnPage(w.VBox):
    """`refresh()` reads anew what is kept; `text` is the correction, to be edited, copied or downloaded."""

    def __init__(self) -> None:
        self._said, self._link = spoken(), w.HTML()
        self.text = TextControl("The correction", lines=12, help="It stays on this machine.")
        self.text.observe(lambda _: self._offer(), ["value"])
        again = w.Button(description="Read it anew", tooltip="Read the verdicts that you have signed since")
        again.on_click(lambda _: self.refresh())
        super().__init__([self._said, self.text, self._link, w.HBox([again])])
        self.add_class("g4l-case")
        self.refresh()

    def refresh(self) -> None:
        """All that is kept by now."""
        case = Case.read()
        self._said.value = block("case-tables mathjax_ignore", summary(case))
        self.text.value = correction(case.signatures())
        self._offer()

    def _offer(self) -> None:
        address = f"data:text/plain;charset=utf-8,{quote(self.text.value)}"
        self._link.value = block("aside", f'<p><a download="correction.txt" href="{address}">Download it</a></p>')


def own_page() -> Any:
    """The reader's page, on what is kept."""
    return OwnPage()
