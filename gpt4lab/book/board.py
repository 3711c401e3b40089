"""The ledger board: every claim with its verdict, to filter and search, under the reader's own assumptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets as w

from gpt4lab.book import store
from gpt4lab.book.chapter import chapters
from gpt4lab.book.page import block, escape, shortened, table
from gpt4lab.book.tables import CLAIM_HEAD, ORIGIN, claim_rows
from gpt4lab.book.way import Assumptions
from gpt4lab.claims import VERDICTS, Result, audit, ledger, tally
from gpt4lab.panels import verdicts
from gpt4lab.panels.controls import TextControl, spoken
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError, differences, load_scenario, names, share
from gpt4lab.units import counted, show

ALL = "all"
UNUSABLE = (ScenarioError, KeyError)  # what a line of assumptions may raise


def mine() -> Scenario:
    """The reader's own assumptions, as last set in the scenario bar; the post's where there are none to use."""
    return _mine()[0]


def _mine() -> tuple[Scenario, str]:
    """The same, and what is wrong with those that were kept."""
    kept = Assumptions.recall("mine")
    try:
        return load_scenario(kept.text if kept else "leak"), ""
    except UNUSABLE as error:
        why = f"Your own assumptions of another day cannot be used any more, so the post's are shown. {error}"
        return load_scenario("leak"), why


class Board(w.VBox):
    """Scenario bar, filters, tally and table. `results` are the rows in view.

    List and line show one state: choose a name, or write a line; a state without a name has an entry of its own.
    """

    def __init__(self, scenario: Scenario | None = None) -> None:
        kept, self._trouble = (scenario, "") if scenario else _mine()
        self.scenario, self.results, self._held = kept, [], False
        self.named = w.Dropdown(description="Scenario")
        self.address = TextControl("Assumptions", late=True)
        self.verdict = w.Dropdown(options=[ALL, *VERDICTS], description="Verdict")
        self.chapter = w.Dropdown(options=_chapters(), description="Chapter")
        origins = [(ALL, ALL), *((words, key) for key, words in ORIGIN.items())]
        self.origin = w.Dropdown(options=origins, description="From")
        self.search = TextControl("Search", help="A word, or an id like C33.")
        self._said, self._error, self._table = spoken(), spoken("alarm"), w.HTML()
        bar = w.HBox([self.named, self.address])
        filters = w.HBox([self.verdict, self.chapter, self.origin, self.search])
        self._table.add_class("g4l-board-table")
        super().__init__([bar, self._error, self._said, filters, self._table])
        self.add_class("g4l-board")
        for control in (self.named, self.address):
            control.observe(lambda event: self.assume(event["new"]), "value")
        for control in (self.verdict, self.chapter, self.origin, self.search):
            control.observe(self._draw, "value")
        self._show(self._trouble)
        verdicts.follow(self)

    def show_verdicts(self) -> None:
        """Anew, where a claim was signed."""
        self._draw()

    def assume(self, text: str) -> None:
        """Judge everything under a named or shared scenario, and keep it as the reader's own."""
        if self._held:
            return
        try:
            self.scenario = load_scenario(text)
        except UNUSABLE as error:
            self._complain(str(error))
            return
        kept = Assumptions(share(self.scenario)).keep("mine")
        self._show("" if kept else store.trouble())

    def _show(self, trouble: str) -> None:
        """Both controls at the scenario, and all that follows from it."""
        self._held = True
        try:
            here = share(self.scenario)
            own = [] if here in names() else [(f"{self.scenario.name}, changed", here)]
            options = (*own, *((name, name) for name in names()))
            if options != self.named.options:
                self.named.options = options
            self.named.value = self.address.value = here
        finally:
            self._held = False
        self._complain(trouble)
        self._judge()

    def _complain(self, text: str) -> None:
        self._error.value = f'<p class="g4l-error">{escape(shortened(text))}</p>' if text else ""

    def _judge(self) -> None:
        self._all = audit(self.scenario)
        here, post = tally(self._all), tally(audit(load_scenario("leak")))
        lead = f"Of {counted(here.decided, 'claim')} that arithmetic decides, <strong>{here}</strong>"
        compared = f" (by the post's own numbers: {post})" if str(here) != str(post) else ""
        apart = f" Apart from these: {here.apart()}."
        self._said.value = block("tally", f"<p>{lead}{compared}.{apart}</p>{_changes(self.scenario)}")
        self._draw()

    def _draw(self, _: Any = None) -> None:
        self.results = [result for result in self._all if self._wanted(result)]
        caption = f"{len(self.results)} of {len(self._all)} claims"
        head = (*CLAIM_HEAD, "From", "Chapter")
        claims = [result.claim for result in self.results]
        rows = zip(claim_rows(self.results), claims, strict=True)
        cells = [(*row, ORIGIN[claim.origin], claim.chapter) for row, claim in rows]
        self._table.value = table(caption, head, cells)

    def _wanted(self, result: Result) -> bool:
        claim, word = result.claim, self.search.value.casefold().strip()
        texts = (claim.id, claim.quote, claim.note, claim.why)
        return (
            self.verdict.value in ((ALL,) if verdicts.sealed(claim.id) else (ALL, result.verdict))
            and self.chapter.value in (ALL, claim.chapter)
            and self.origin.value in (ALL, claim.origin)
            and any(word in text.casefold() for text in texts)
        )


def board() -> Board:
    """The ledger board of chapter 00."""
    return Board()


def _chapters() -> list[tuple[str, str]]:
    """Chapters that claims belong to: the title where the chapter is written, else its number."""
    numbers = sorted({claim.chapter for claim in ledger().values()})
    titles = {number: chapter.title for number, chapter in chapters().items()}
    return [(ALL, ALL), *[(f"{number} {titles.get(number, '')}".strip(), number) for number in numbers]]


def _changes(scenario: Scenario) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in _lines(scenario))
    return f"<p>Changed from the post:</p><ul>{items}</ul>" if items else "<p>These are the post's own assumptions.</p>"


def _lines(scenario: Scenario) -> Iterator[str]:
    for path, (here, there) in differences(scenario, load_scenario("leak")).items():
        field = FIELDS[path]
        yield f"{field.label}: {show(here, field.unit)} instead of {show(there, field.unit)}"
