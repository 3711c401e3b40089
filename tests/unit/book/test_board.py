"""The ledger board: filters, search, the reader's own assumptions."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from gpt4lab.book import Board, board, mine, store
from gpt4lab.chapters.c03_flop.flop import token
from gpt4lab.claims import ledger, tally
from gpt4lab.scenario import change, load_scenario, names, share


def test_board_filters_searches_and_follows_assumptions() -> None:
    page = board()
    assert len(page.results) == len(ledger())
    page.verdict.value = "unit-error"
    assert {result.verdict for result in page.results} == {"unit-error"}
    page.verdict.value, page.search.value = "all", "c33"
    assert [result.claim.id for result in page.results] == ["C33"]
    page.search.value = ""
    before = [result.verdict for result in page.results]
    page.address.value = "leak?training.tokens=26T"
    assert [result.verdict for result in page.results] != before
    assert mine().training.tokens == 26e12
    page.address.value = "leak?training.token=1"
    assert "training.tokens" in page._error.value
    assert mine().training.tokens == 26e12


def test_assumptions_kept_under_an_old_name_are_shown_under_the_new_one() -> None:
    store.keep("scenario", "mine", "leak?toy.experts=8&toy.seed=3")
    assert mine().mixture.experts == 8
    assert board().address.value == "leak?mixture.experts=8&luck.seed=3"


def test_the_reader_s_assumptions_are_there_the_next_day() -> None:
    board().address.value = "leak?training.mfu=0.4"
    again = board()
    assert again.scenario.training.mfu == 0.4
    assert "MFU: 40% instead of 34%" in again._said.value
    assert str(tally(again._all)) in again._said.value
    assert tally(again._all).apart() in again._said.value


def test_a_memory_that_no_scenario_fits_gives_the_post() -> None:
    for kept in ("leak?training.mfu=7", "no-such-model", "leak?gone.field=3"):
        store.keep("scenario", "mine", kept)
        assert mine().name == "leak"
        assert "cannot be used any more" in board()._error.value
        assert store.recall("scenario", "mine") == kept, "kept until the reader sets others"


def test_list_and_line_show_one_state_and_lead_back() -> None:
    page = board()
    for text, entry in (
        ("h100-rerun", "h100-rerun"),
        ("leak?training.mfu=0.4", "leak, changed"),
        (" leak ", "leak"),
        ("gpt-3-175b?training.mfu=0.4", "gpt-3-175b, changed"),
    ):
        page.address.value = text
        assert (page.named.label, page.named.value) == (entry, page.address.value)
    page.named.value = "gpt-3-175b"
    assert (page.address.value, page.scenario) == ("gpt-3-175b", load_scenario("gpt-3-175b"))
    assert all(name in [label for label, _ in page.named.options] for name in names())
    assert "gpt-3-175b, changed" not in dict(page.named.options)


@pytest.mark.parametrize("name", names())
def test_every_scenario_can_be_chosen_from_every_state(name: str) -> None:
    page = Board(change(load_scenario(name), {"training.mfu": 0.123}))
    assert page.named.label == f"{name}, changed"
    page.named.value = name
    assert page.scenario == load_scenario(name)
    assert (page.named.label, page.address.value, page._error.value) == (name, name, "")


@pytest.mark.parametrize("base", ["leak", "llama-3.1-405b"])
def test_a_scenario_with_a_name_of_its_own_is_as_good_as_any(base: str) -> None:
    own = attrs.evolve(change(load_scenario(base), {"training.mfu": 0.41}), name="my own/1 & more?")
    assert load_scenario(share(own)) == own
    page = Board(own)
    assert page.scenario == own
    page.named.value = "leak"
    assert page.scenario == load_scenario("leak")
    panel = token.widget(own)
    assert panel.scenario == own
    panel._address.value = "leak"
    assert panel.scenario == load_scenario("leak")


def test_what_cannot_be_kept_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPT4LAB_STATE", str(tmp_path / "file" / "below"))
    page = board()
    page.named.value = "h100-rerun"
    assert page.scenario == load_scenario("h100-rerun")
    assert "this session only" in page._error.value
    assert mine() == page.scenario


def test_what_a_reader_types_cannot_write_on_the_page() -> None:
    page = board()
    page.address.value = "<img src=x>"
    assert "&lt;img" in page._error.value
    assert "<img" not in page._error.value
    page.address.value = "leak"
    assert page._error.value == ""


def test_every_control_of_the_board_has_a_name() -> None:
    page = board()
    controls = (page.named, page.address, page.verdict, page.chapter, page.origin, page.search)
    names = [getattr(control, "description", None) or control.label for control in controls]
    assert all(names)
    assert len(set(names)) == len(names)


def test_chapters_can_be_chosen_by_title() -> None:
    page = board()
    page.chapter.value = "09"
    assert {result.claim.chapter for result in page.results} == {"09"}
    assert ("09 Sixty-three million dollars", "09") in page.chapter.options
