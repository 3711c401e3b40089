"""The post's skeleton: every claim once, with its verdict, and a link where its chapter stands."""

from __future__ import annotations

import pytest

from gpt4lab.book import chapters
from gpt4lab.chapters.c00_start.skeleton import SECTIONS, skeleton
from gpt4lab.claims import judge, ledger
from gpt4lab.scenario import load_scenario

LISTED = [key for ids in SECTIONS.values() for key in ids.split()]


def test_every_claim_stands_in_it_once() -> None:
    """A new claim is named where its sentence stands (CONTRIBUTING.md, "Add a claim")."""
    assert sorted(LISTED) == sorted(ledger())


def test_quoted_claims_stand_in_the_order_of_the_post(post: str) -> None:
    places = {key: post.find(ledger()[key].quote) for key in LISTED}
    found = [key for key in LISTED if places[key] >= 0]
    assert len(found) > 100
    assert found == sorted(found, key=places.__getitem__)


@pytest.mark.parametrize("key", ledger())
def test_a_claim_is_lit_by_its_verdict_in_words(key: str) -> None:
    verdict = judge(ledger()[key], load_scenario("leak")).verdict
    assert f'title="{key}: {verdict.replace("-", " ")}"' in skeleton().data


def test_a_link_leads_to_each_chapter_and_to_no_other() -> None:
    page = skeleton().data
    linked = [ledger()[key].chapter for key in ledger() if ledger()[key].chapter in chapters()]
    assert page.count(".ipynb") == len(linked)
