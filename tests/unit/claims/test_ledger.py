"""The ledger: complete, in the post's words, and every entry either judged by arithmetic or saying why not."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from gpt4lab.claims import VERDICTS, Claim, claims_of, ledger
from gpt4lab.claims.ledger import ORIGINS
from gpt4lab.quantities import QUANTITIES, unit_of
from gpt4lab.scenario import FIELDS
from gpt4lab.units import UnitError, factor


def ids(letter: str, first: int, last: int) -> list[str]:
    return [f"{letter}{number:02d}" for number in range(first, last + 1)]


ALL = [*ids("C", 1, 105), *ids("P", 1, 4), *ids("F", 1, 8), *ids("S", 1, 10)]

#: The chapters of the book, and the claims that each one settles.
CHAPTERS = {
    "00": [*ids("P", 1, 4), "F08"],
    "01": ["C01", "C02", "C03", "C07", "C10", "S01"],
    "02": [*ids("C", 4, 6), "C08", "C09", *ids("C", 42, 49), "C101", "C102"],
    "03": ids("C", 11, 14),
    "04": [*ids("C", 15, 18), *ids("C", 88, 97), "C105"],
    "05": ids("C", 98, 100),
    "06": ids("C", 21, 26),
    "07": ["C19", "C20"],
    "08": [*ids("C", 38, 41), "S05"],
    "09": [*ids("C", 27, 37), "S06"],
    "10": ids("C", 85, 87),
    "11": [*ids("C", 50, 55), "C103", "C104", *ids("S", 2, 4), *ids("S", 7, 10)],
    "12": ids("C", 56, 61),
    "13": ["C62", "C63"],
    "14": ids("C", 73, 77),
    "15": ids("C", 64, 72),
    "16": ids("C", 78, 84),
    "17": ids("F", 1, 7),
}

CLAIMS = list(ledger().values())
CHECKABLE = [claim for claim in CLAIMS if claim.checkable]


def test_who_says_it_stands_outside_the_quotation_marks() -> None:
    for claim in CLAIMS:
        tag, mark, words = claim.quoted.partition("“")
        assert (tag.startswith("[source"), mark, words[-1]) == (claim.id.startswith("S"), "“", "”")
        assert "[source" not in words


def test_every_claim_is_there_once() -> None:
    assert len(ALL) == len(set(ALL))
    assert set(ALL) <= set(ledger()), "a claim of the post is missing"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_has_its_claims(chapter: str) -> None:
    assert set(CHAPTERS[chapter]) <= {claim.id for claim in claims_of(chapter)}


def test_what_the_poster_adds_is_told_apart_from_what_he_copied() -> None:
    """LibGen, Sci-Hub, both sets of 5T and the division by the sequence length are not in the article."""
    assert {"C25", "C88", "C92", "C93", "C95"} <= {claim.id for claim in CLAIMS if claim.origin == "poster"}
    assert {claim.origin for claim in CLAIMS} == set(ORIGINS)
    assert all((claim.origin == "source") == claim.quote.startswith("[source") for claim in CLAIMS)


def test_remarks_and_questions_are_no_claims() -> None:
    none = {claim.id for claim in CLAIMS if claim.verdict == "no-claim"}
    assert none == {"C26", "C54", "C72", "C82", "F03", "F04", "F06", "P04"}


def test_what_was_contradicted_is_not_called_an_opinion_or_right() -> None:
    typed = {claim.id: claim.verdict for claim in CLAIMS if claim.evidence.startswith("Contradicted") and claim.verdict}
    assert typed == {"C57": "arithmetic-mismatch"}


def test_every_claim_is_in_one_chapter() -> None:
    assert Counter(claim for claims in CHAPTERS.values() for claim in claims) == Counter(ALL)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_is_quoted_briefly_and_judged_or_excused(claim: Claim) -> None:
    assert 0 < len(claim.quote.split()) <= 12
    assert claim.quote.startswith("[source") == claim.id.startswith("S")
    if claim.checkable:
        assert claim.quantity or claim.expect, "something recomputes it"
        assert not claim.why
    else:
        assert claim.verdict in VERDICTS
        assert claim.why.endswith("."), "a typed verdict says why arithmetic cannot reach"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_what_a_claim_says_in_words_is_a_sentence(claim: Claim) -> None:
    for text in (claim.note, claim.evidence, claim.why):
        assert not text or text.endswith((".", "”.", "”"))
        assert "  " not in text
    referred = re.findall(r"\b[CSPF]\d{2,3}\b", f"{claim.note} {claim.contradicts}")
    assert set(referred) <= set(ledger())
    assert not claim.contradicts or claim.contradicts[:3] in ledger()


@pytest.mark.parametrize("claim", CHECKABLE, ids=lambda claim: claim.id)
def test_every_path_of_a_claim_exists(claim: Claim) -> None:
    bounds = [bound for pair in claim.expect.values() for bound in pair if isinstance(bound, str)]
    for path in (*claim.quantity, *claim.expect, *bounds):
        assert unit_of(path) is not None
    for path in (*claim.assume, *[path for given in claim.given for path in given], *filter(None, [claim.sets])):
        assert path in FIELDS or path in QUANTITIES


@pytest.mark.parametrize("claim", [claim for claim in CHECKABLE if claim.stated], ids=lambda claim: claim.id)
def test_a_stated_number_measures_what_recomputes_it(claim: Claim) -> None:
    target = unit_of(claim.sets or claim.quantity[0]) if claim.quantity else ""
    if target and claim.stated_unit:
        assert factor(claim.stated_unit, target) > 0


def test_units_that_measure_different_things_are_refused() -> None:
    """The conversion itself would catch it if the ledger compared a rate with an amount."""
    with pytest.raises(UnitError):
        factor("TFLOP/s", unit_of("flop.per_token"))


def test_a_range_never_states_more_numbers_than_cases() -> None:
    for claim in CHECKABLE:
        if claim.stated and claim.relation == "about" and claim.quantity:
            assert len(claim.stated) <= len(claim.quantity) * len(claim.given)


def test_an_unknown_verdict_or_relation_is_refused() -> None:
    with pytest.raises(ValueError, match="verdict"):
        Claim(id="C00", chapter="00", quote="x", verdict="perhaps")
    with pytest.raises(ValueError, match="relation"):
        Claim(id="C00", chapter="00", quote="x", relation="roughly")


# The quotes, held against the post itself, which is no part of the book (CONTRIBUTING.md, "Add a claim")


def test_every_word_that_is_quoted_stands_in_the_post(post: str) -> None:
    """What is left out of a quote is marked " … ", and what stands around it comes in that order."""
    quoted = {claim.id: claim.quote for claim in CLAIMS if not claim.quote.startswith("[source")}
    patterns = {key: ".*".join(map(re.escape, quote.split(" … "))) for key, quote in quoted.items()}
    assert not {key: quoted[key] for key, pattern in patterns.items() if not re.search(pattern, post)}
