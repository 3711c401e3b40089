"""The post's skeleton: every claim once, with its verdict, and a link where its chapter stands."""

from __future__ import annotations

import pytest

from gpt4lab.book import chapters
from gpt4lab.chapters.c00_start.skeleton import SECTIONS, skeleton
from gpt4lab.claims import judge, ledger
from gpt4lab.scenario import load_scenario


def test_every_claim_stands_in_it_once() -> None:
    listed = [key for ids in SECTIONS.values() for key in ids.split()]
    assert sorted(listed) == sorted(ledger())


@pytest.mark.parametrize("key", ledger())
def test_a_claim_is_lit_by_its_verdict_in_words(key: str) -> None:
    verdict = judge(ledger()[key], load_scenario("leak")).verdict
    assert f'title="{key}: {verdict.replace("-", " ")}"' in skeleton().data


def test_a_link_leads_to_each_chapter_and_to_no_other() -> None:
    page = skeleton().data
    linked = [ledger()[key].chapter for key in ledger() if ledger()[key].chapter in chapters()]
    assert page.count(".ipynb") == len(linked)
