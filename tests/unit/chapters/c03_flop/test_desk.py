"""The unit desk: number and unit of a claim written anew, and back."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


RIDDLES = ["9**9**9**9", "FLOP**9**9**9", "9^9^9^9", "10**100000000 FLOP", "(FLOP**9)**9", "x" * 100_000, "/" * 50_000]
#: The desk in a process of its own: a big-integer power hears no interrupt, so that only a killed process ends it.
TYPED = """
import sys
from gpt4lab.chapters.c03_flop.desk import desk
page = desk("C12")
for line in sys.stdin.read().splitlines():
    page.unit.value = page.number.value = line
    assert page.error and len(page.error) < 600, line[:60]
    page.back.click()
    page.unit.value = line
    assert page.error and len(page.error) < 600, line[:60]
    page.back.click()
    assert not page.error
print("done")
"""


@pytest.mark.parametrize("riddle", RIDDLES, ids=range(len(RIDDLES)))
def test_no_unit_and_no_number_keeps_the_desk_busy(riddle: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TYPED], input=riddle, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "done", done.stderr
