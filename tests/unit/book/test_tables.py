"""Tables that close a chapter."""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs
import pytest

from gpt4lab import catalog
from gpt4lab.book import Check, consequences, crosscheck, legend_of_marks, rows, verdict
from gpt4lab.book.tables import residual_of
from gpt4lab.charts import theme
from gpt4lab.claims import judge, ledger
from gpt4lab.claims.sensitivity import flips_in_words
from gpt4lab.scenario import change, load_scenario

LEAK = load_scenario("leak")


def cells(checks: Iterable[Check]) -> list[list[str]]:
    rows = crosscheck(checks).data.split("<tr>")[2:]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


def test_crosscheck_shows_the_ratio() -> None:
    assert cells([Check("x", 2.0, 3.0, "FLOP", "here")]) == [["x", "2 FLOP", "3 FLOP", "1.500", "here"]]


def test_crosscheck_cites_a_reference_and_says_what_was_disturbed() -> None:
    cited, timed = cells([Check("x", 1, 1, "s", "leviathan2023"), Check("x", 1, 1, "s", disturbed=True)])
    assert cited[-1] == catalog.references["leviathan2023"].cite()
    assert timed[-1] == "this machine; disturbed"


def test_what_all_checks_are_about_is_left_to_the_caption() -> None:
    one, other = Check("days", 1, 1, "day", name="A"), Check("hours", 1, 1, "hour", name="B")
    assert [row[0] for row in cells([one, attrs.evolve(one, name="C")])] == ["A", "C"]
    assert [row[0] for row in cells([one, other])] == ["A: days", "B: hours"]


def test_a_table_without_checks_has_its_head() -> None:
    assert "Found / formula" in crosscheck(()).data


def test_verdict_lists_exactly_the_claims_of_a_chapter() -> None:
    page = verdict("03", "It does not.").table.value
    ids = [key for key, claim in ledger().items() if claim.chapter == "03"]
    assert all(f"<td>{key}</td>" in page for key in ids)
    assert page.count('class="g4l-verdict ') == len(ids)


def judged(page: str) -> dict[str, list[str]]:
    """The cells of each claim of a verdict."""
    found = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in page.split("<tr>")[2:]]
    return {row[0]: row[1:] for row in found if row}


@pytest.mark.parametrize("chapter", sorted({claim.chapter for claim in ledger().values()}))
def test_a_verdict_says_what_flips_each_claim(chapter: str) -> None:
    flips = {key: row[-1] for key, row in judged(verdict(chapter).table.value).items()}
    assert flips == {key: flips_in_words(ledger()[key], LEAK, most=2) for key in flips}
    assert all((flip == "–") == (not ledger()[key].checkable) for key, flip in flips.items())


def test_a_verdict_follows_its_scenario_and_so_does_its_conclusion() -> None:
    dear = change(LEAK, {"cluster.usd_per_gpu_hour": 1.16})
    here, there = (verdict("09", "It flips with {C33.flip}.", scenario).table.value for scenario in (LEAK, dear))
    assert "It flips with GPUs from 25,000 to" in here
    assert "It flips with Price from $1.16 to" in there
    assert ("with assumption" in judged(here)["C33"][0], "with" in judged(there)["C33"][0]) == (True, False)


def test_a_conclusion_cannot_write_on_the_page() -> None:
    assert "<b>" not in verdict("03", "<b>No</b>").table.value


@pytest.mark.parametrize(("claim", "shown"), [("C33", "+5.0%"), ("C12", "×1,000"), ("C52", "1/100"), ("C46", "")])
def test_a_residual_is_a_share_or_the_factor_of_a_slip(claim: str, shown: str) -> None:
    assert residual_of(judge(ledger()[claim], LEAK)) == shown


def test_consequences_compute_each_reading() -> None:
    page = consequences("training.tokens", {"as said": 13e12, "twice": 26e12}, ["training.flop"], "If").data
    assert "2.16×10²⁵ FLOP" in page
    assert "4.32×10²⁵ FLOP" in page


def test_rows_carry_units_and_no_html() -> None:
    page = rows([{"heads": "<16>", "bytes": 61_440, "share": 0.12345}], "<Cache>", bytes="byte").data
    assert "61.4 kB" in page
    assert "0.123" in page
    assert "&lt;16&gt;" in page
    assert "&lt;Cache&gt;" in page


def test_the_legend_names_every_mark() -> None:
    page = legend_of_marks().data
    assert all(mark.label in page for mark in theme.MARKS.values())
