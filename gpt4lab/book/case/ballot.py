"""The verdict section of a chapter: by choice the reader's verdicts first, claim by claim, then ours."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from gpt4lab.book import store
from gpt4lab.book.case import signing
from gpt4lab.book.page import block, escape
from gpt4lab.book.tables import judgement
from gpt4lab.book.way import Signed
from gpt4lab.claims import VERDICTS, Claim, judge
from gpt4lab.claims.ledger import NO_CLAIM, NOT_KNOWN
from gpt4lab.claims.prose import as_stated
from gpt4lab.panels import verdicts
from gpt4lab.panels.controls import ChoiceControl, spoken
from gpt4lab.scenario import Scenario, load_scenario

WORDS = {word: word.replace("-", " ") for word in VERDICTS if word not in (NO_CLAIM, NOT_KNOWN)}
SURE = [(f"{percent}%", percent / 100) for percent in (50, 60, 70, 80, 90, 100)]
OFFER = "First my verdict, then yours"
WHAT = (
    "You say in one of the book’s words whether a claim holds, fails or cannot be decided, and how sure you are that "
    "ours falls on the same side. It counts in your calibration if you chose this before you opened the chapter."
)


class Switch(w.Checkbox):
    """The choice to sign first, wherever it stands: all of them show the same."""

    def __init__(self) -> None:
        super().__init__(value=signing.wished(), description=OFFER, indent=False, layout={"width": "auto"})
        self.observe(lambda event: signing.wish(event["new"]), "value")
        verdicts.follow(self)

    def show_verdicts(self) -> None:
        """As it was chosen, perhaps elsewhere."""
        self.value = signing.wished()


class Ballot(w.VBox):
    """One claim after the other: `press_sign()` signs what is chosen, `press_undo()` takes the last signature back."""

    def __init__(self, chapter: str) -> None:
        self.chapter, self.last = chapter, None
        self._asked, self._said = spoken(), spoken()
        first = next(iter(WORDS))
        self.word = ChoiceControl("Your verdict", WORDS, first, stacked=True)
        self.sure = ChoiceControl("How sure you are", SURE, 0.5)
        self._sign = w.Button(description="Sign", tooltip="Sign this verdict, and see ours").add_class("g4l-do")
        self._undo = w.Button(description="Take it back (Z)", tooltip="Take back the last signature; or press Z")
        self._undo.add_class("g4l-undo")
        self._sign.on_click(lambda _: self.press_sign())
        self._undo.on_click(lambda _: self.press_undo())
        super().__init__([self._said, self._asked, self.word, self.sure, w.HBox([self._sign, self._undo])])
        self.add_class("g4l-exercise-box")
        self.ask()

    @property
    def claim(self) -> Claim | None:
        """The claim that is asked about; None where all are signed."""
        done = signing.signed()
        return next((claim for claim in signing.claims_to_sign(self.chapter) if claim.id not in done), None)

    def ask(self) -> None:
        """The next claim, with no verdict chosen."""
        claim, left = self.claim, len({c.id for c in signing.claims_to_sign(self.chapter)} - signing.signed())
        self._asked.value = block("exercise", f"<p>{_question(claim, left) if claim else 'All are signed.'}</p>")
        for part in (self.word, self.sure, self._sign):
            part.layout.display = "" if claim else "none"
        self._undo.layout.display = "" if self.last else "none"
        self.word.known = self.sure.known = False

    def press_sign(self) -> None:
        """Sign, and show ours; with something left open, say what."""
        claim = self.claim
        if claim is None or not (self.word.known and self.sure.known):
            self._say("Choose a verdict, and how sure you are of it." if claim else "")
            return
        kept = signing.sign(claim, self.word.value, self.sure.value)
        self.last = claim
        self._say(f"{_beside(claim)} {'' if kept else store.trouble()}")
        self.ask()

    def press_undo(self) -> None:
        """Take back the last signature of this page."""
        if self.last:
            signing.take_back(self.last)
            self._say(f"{self.last.id} is taken back. You have seen ours, so a new signature does not count.")
            self.last = None
            self.ask()

    def _say(self, words: str) -> None:
        self._said.value = block("feedback", f"<p>{escape(words.strip())}</p>")


def _question(claim: Claim, left: int) -> str:
    stated = as_stated(claim.id)
    says = f" Stated: {escape(stated)}." if stated else ""
    return f"<strong>{claim.id}, {left} to sign.</strong> {escape(claim.quoted)}{says}"


def _beside(claim: Claim) -> str:
    """Yours and ours, once it is signed."""
    yours, ours = Signed.all()[claim.id], judge(claim, load_scenario("leak")).verdict
    same = (
        "The same side." if yours.verdict and verdicts.tone(yours.verdict) == verdicts.tone(ours) else "Another side."
    )
    return f"{claim.id}: you say {WORDS.get(yours.verdict or '', '')}, we say {ours.replace('-', ' ')}. {same}"


class Verdict(w.VBox):
    """The claims of a chapter, judged: `table.value` is the HTML. Before it, where that is wished, the ballot."""

    def __init__(self, chapter: str, conclusion: str, scenario: Scenario | None) -> None:
        self._judged = (chapter, conclusion, scenario)
        self.table, self.ballot, self.switch = w.HTML(), Ballot(chapter), Switch()
        super().__init__([self.switch, w.HTML(), self.ballot, self.table])
        self.add_class("g4l-signing")
        self.show_verdicts()
        verdicts.follow(self)

    def show_verdicts(self) -> None:
        """Anew: the wish or a signature has changed."""
        wished = signing.wished()
        self.children[1].value = block("aside", f"<p>{WHAT}</p>") if wished else ""
        self.ballot.layout.display = "" if wished else "none"
        if self.ballot.claim is not None and wished:
            self.ballot.ask()
        self.table.value = judgement(*self._judged)

    def _repr_mimebundle_(self, **more: Any) -> Any:
        """The widget, and its table for a page that shows none."""
        data = super()._repr_mimebundle_(**more)
        return data and {**data, "text/html": self.table.value}


def verdict(chapter: str, conclusion: str = "", scenario: Scenario | None = None) -> Verdict:
    """The claims of a chapter, judged; see `tables.judgement`."""
    signing.refresh()
    return Verdict(chapter, conclusion, scenario)


def sign_first() -> w.Widget:
    """The choice alone, for chapter 00."""
    signing.refresh()
    box = w.VBox([Switch(), w.HTML(block("aside", f"<p>{WHAT}</p>"))])
    box.add_class("g4l-signing")
    return box
