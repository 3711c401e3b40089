"""The post's skeleton as a page: its claims in its own order, each by a short quote, lit by its verdict."""

from __future__ import annotations

from html import escape

from IPython.display import HTML

from gpt4lab.book.chapter import chapters
from gpt4lab.book.page import block, shown
from gpt4lab.claims import Result, judge, ledger
from gpt4lab.panels.verdicts import SIGNS, sealed, tone
from gpt4lab.scenario import Scenario, load_scenario

#: The sections of the post, and what stands around it, with their claims in the order of its sentences.
SECTIONS = {
    "Above it": "F08 P04 P01",
    "Parameters count": "C01 C02 C03",
    "Mixture of experts": "C04 C05 C06 C07 C08",
    "MoE routing": "C101 C09 C10",
    "Inference": "C11 C12 C14 C13",
    "Dataset": "C15 C16 C17 C18",
    "GPT-4 32K": "C19 C20",
    "Batch size": "C21 C22 C23 C24 C25 C26",
    "Parallelism strategies": "C38 C39 C40 C41",
    "Training cost": "C27 C28 C29 C30 C31 C32 C33 C34 C35 C36 C37",
    "Mixture of expert tradeoffs": "C102 C42 C43 C44 C45 C46 C47 C48 C49",
    "GPT-4 inference cost": "C50 C51 C103 C52 C104 C53 C54 C55",
    "Multi-query attention": "C56 C57 C58 C59 C60 C61",
    "Continuous batching": "C62 C63",
    "Vision multi-modal": "C64 C65 C66 C67 C68 C69 C70 C71 C72",
    "Speculative decoding": "C73 C74 C75 C76 C77",
    "Inference architecture": "C78 C79 C80 C81 C82 C83 C84",
    "Chinchilla": "C85 C86 C87",
    "Dataset mixture": "C88 C89 C90 C91 C105 C92 C93 C94 C95 C96 C97 C98 C99 C100",
    "The source": "P02 P03",
    "What the article behind it says": "S01 S02 S03 S04 S05 S06 S07 S08 S09 S10",
    "The forum below it": "F01 F02 F03 F04 F05 F06 F07",
}


def skeleton(scenario: Scenario | None = None) -> HTML:
    """All claims by section, under a scenario (the post's, where none is given); a link where its chapter stands."""
    here = scenario or load_scenario("leak")
    parts = (f"<p><strong>{title}</strong><br>{_claims(ids.split(), here)}</p>" for title, ids in SECTIONS.items())
    return shown(block("verdicts", *parts))


def _claims(ids: list[str], scenario: Scenario) -> str:
    return "&ensp;".join(_claim(judge(ledger()[key], scenario)) for key in ids)


def _claim(result: Result) -> str:
    """A claim with its sign, and its word for whoever points at it or does not see it."""
    claim, verdict, sign, lit = (
        result.claim,
        result.verdict.replace("-", " "),
        SIGNS[result.verdict],
        tone(result.verdict),
    )
    if sealed(claim.id):
        verdict, sign, lit = "not signed yet", "◌", "open"
    quote = escape(claim.quoted)
    there = chapters().get(claim.chapter)
    linked = f'<a href="{there.file}.ipynb">{quote}</a>' if there else quote
    shown_as = f'<span class="g4l-verdict g4l-{lit}" role="img" aria-label="{verdict}">{sign}</span>'
    return f'<span title="{claim.id}: {verdict}">{shown_as} {linked}</span>'
