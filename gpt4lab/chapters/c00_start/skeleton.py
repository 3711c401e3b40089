"""The post's skeleton as a page: its claims in its own order, a sign each by its verdict, and their words behind it."""

from __future__ import annotations

from collections import Counter
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


#: The section that stands open, so that one sees what lies in the others: here the claim of the first screen dies.
OPEN = "Inference"


def skeleton(scenario: Scenario | None = None) -> HTML:
    """All claims by section, a sign each, under a scenario (the post's, where none is given).

    A section opens to the words of its claims, each a link where its chapter stands.
    """
    here = scenario or load_scenario("leak")
    parts = (_section(title, ids.split(), here) for title, ids in SECTIONS.items())
    return shown(block("verdicts g4l-skeleton", *parts))


def _section(title: str, ids: list[str], scenario: Scenario) -> str:
    results = [judge(ledger()[key], scenario) for key in ids]
    signs = "".join(_sign(result) for result in results)
    count = Counter(_told(result)[0] for result in results)
    words = f"{title}: {', '.join(f'{number} {verdict}' for verdict, number in count.items())}"
    summary = f'<span>{title}</span> <span role="img" aria-label="{words}">{signs}</span>'
    claims = "".join(f"<li>{_claim(result)}</li>" for result in results)
    return f"<details{' open' * (title == OPEN)}><summary>{summary}</summary><ul>{claims}</ul></details>"


def _told(result: Result) -> tuple[str, str, str]:
    """Verdict, sign and tone of a claim, as far as they may be told."""
    if sealed(result.claim.id):
        return "not signed yet", "◌", "open"
    return result.verdict.replace("-", " "), SIGNS[result.verdict], tone(result.verdict)


def _sign(result: Result) -> str:
    """The sign alone; what it means is told by the section, and to whoever points at it."""
    verdict, sign, lit = _told(result)
    return f'<span class="g4l-verdict g4l-{lit}" title="{result.claim.id}: {verdict}">{sign}</span>'


def _claim(result: Result) -> str:
    """A claim by its words, with its sign, and its verdict for whoever does not see that."""
    verdict, sign, lit = _told(result)
    quote = escape(result.claim.quoted)
    there = chapters().get(result.claim.chapter)
    linked = f'<a href="{there.file}.ipynb">{quote}</a>' if there else quote
    lamp = f'<span class="g4l-verdict g4l-{lit}" role="img" aria-label="{verdict}">{sign}</span>'
    return f'<span title="{result.claim.id}: {verdict}">{lamp} {linked}</span>'
