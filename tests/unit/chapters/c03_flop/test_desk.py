"""The unit desk: number and unit of a claim written anew, and back."""

from __future__ import annotations

from gpt4lab.chapters.c03_flop.desk import desk
from gpt4lab.claims import ledger


def test_what_was_written_anew_leads_back_to_the_same_claim() -> None:
    """The list alone cannot: it stands at that claim already."""
    page = desk("C12", "C13")
    said, post = page._said.value, (page.number.value, page.unit.value)
    page.unit.value = "GFLOP/token"
    page.number.value = "7"
    assert page._said.value != said
    page.number.value = "seven"
    assert page.error
    page.back.click()
    assert (page.number.value, page.unit.value) == post
    assert (page._said.value, page.error) == (said, "")
    assert page.claim.value == "C12" == ledger()["C12"].id
