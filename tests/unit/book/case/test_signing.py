"""Your verdict, then ours: what is sealed, what a signature counts, and that nothing of ours shows before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gpt4lab.book import Board, verdict
from gpt4lab.book.case import signing
from gpt4lab.book.case.ballot import Switch, Verdict
from gpt4lab.book.chapter import chapters
from gpt4lab.book.way import Opened, Signed, Wish
from gpt4lab.claims import VERDICTS, judge, ledger
from gpt4lab.panels import verdicts
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.verdicts import in_words, verdict_mark
from gpt4lab.scenario import load_scenario
from tests.unit.panels.declared import declared

LEAK = load_scenario("leak")
#: A mark of each verdict, as the page shows it.
MARKS = [in_words(word) for word in VERDICTS]


@pytest.fixture(autouse=True)
def unsealed() -> Iterator[None]:
    yield
    verdicts._SHOWING.clear()
    verdicts.seal(())


def sign(page: Verdict, word: str = "consistent", sure: float = 0.8) -> None:
    page.ballot.word.stand(word)
    page.ballot.sure.stand(sure)
    page.ballot.press_sign()


@pytest.mark.parametrize("chapter", chapters())
def test_nothing_of_ours_shows_before_all_is_signed_and_then_everything(chapter: str) -> None:
    plain = verdict(chapter, "We say so.").table.value
    signing.wish(True)
    page = verdict(chapter, "We say so.")
    ours = {claim.id: in_words(judge(claim, LEAK).verdict) for claim in signing.claims_to_sign(chapter)}
    for key, mark in ours.items():
        row = page.table.value.partition(f"<td>{key}</td>")[2].partition("</tr>")[0]
        assert not any(shown in row for shown in MARKS)
        assert "We say so." not in page.table.value
        assert page.ballot.claim is ledger()[key]
        sign(page)
        row = page.table.value.partition(f"<td>{key}</td>")[2].partition("</tr>")[0]
        assert mark in row
    assert page.ballot.claim is None
    assert page.table.value == plain


PANELS = {name: panel for name, panel in declared(Panel).items() if panel.claims}


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_is_neutral_until_a_claim_is_signed(name: str) -> None:
    panel = PANELS[name]
    signing.wish(True)
    live = panel.widget()
    sealed = [key for key in panel.claims if verdicts.sealed(key)]
    assert live._verdicts.value.count(verdicts.NEUTRAL) == len(sealed)
    signing.wish(False)
    assert verdicts.NEUTRAL not in live._verdicts.value


def test_the_board_does_not_tell_by_its_filter() -> None:
    signing.wish(True)
    board = Board()
    board.verdict.value = "unit-error"
    assert not {result.claim.id for result in board.results} & {"C12", "C13"}
    signing.sign(ledger()["C12"], "unit-error", 0.9)
    assert "C12" in {result.claim.id for result in board.results}


def test_only_what_was_wished_before_the_chapter_was_opened_counts() -> None:
    Opened(when="2026-01-01T00:00:00Z").keep("03")
    Wish(True, when="2026-01-02T00:00:00Z").keep(signing.KEY)
    Opened(when="2026-01-03T00:00:00Z").keep("09")
    for key in ("C12", "C29", "C29", "C36"):
        signing.sign(ledger()[key], "consistent", 0.7)
    signing.take_back(ledger()["C36"])
    assert verdict_mark(judge(ledger()["C36"], LEAK)) == verdicts.NEUTRAL
    signing.sign(ledger()["C36"], "opinion", 0.7)
    signing.sign(ledger()["C35"], "opinion", 0.7)
    assert {key: record.seen for key, record in Signed.all().items()} == {
        "C12": True,
        "C29": True,
        "C36": True,
        "C35": False,
    }


def test_without_the_wish_a_signature_does_not_count() -> None:
    signing.sign(ledger()["C12"], "consistent", 0.7)
    assert Signed.all()["C12"].seen


def test_what_is_left_open_is_asked_for_and_the_last_signature_comes_back() -> None:
    signing.wish(True)
    page = verdict("03")
    page.ballot.press_sign()
    assert "Choose a verdict" in page.ballot._said.value
    first = page.ballot.claim
    assert first is not None
    sign(page, "unit-error", 0.6)
    assert "we say" in page.ballot._said.value
    assert Signed.all()[first.id].sure == 0.6
    page.ballot.press_undo()
    assert page.ballot.claim is first
    assert verdicts.sealed(first.id)
    assert Signed.all()[first.id].verdict is None


def test_all_switches_move_together_and_a_wish_keeps_its_date() -> None:
    here, there = Switch(), verdict("03")
    here.value = True
    assert there.switch.value
    assert there.ballot.layout.display == ""
    kept = Wish.recall(signing.KEY)
    signing.wish(True)
    assert Wish.recall(signing.KEY) == kept
    there.switch.value = False
    assert not here.value
    assert there.ballot.layout.display == "none"
