"""The ledger: every claim, what comes out, what flips it, and its card as a page of its own."""

from __future__ import annotations

import datetime as dt
import re
from html import escape
from pathlib import Path

from gpt4lab.book import cards
from gpt4lab.book.chapter import chapters
from gpt4lab.claims import VERDICTS, audit, claims_of, tally
from gpt4lab.panels.verdicts import SIGNS, in_words
from web.pages import parts, used

LEAD = (
    "<p>“Recomputed” is what the book’s formulas make of the post’s other numbers. The residual says how far what is "
    "written lies above that: +5% is five percent too much. What flips a claim is the smallest change of one input "
    "that would turn its verdict.</p>"
)


def body(folder: Path) -> str:
    """How the claims fare together, what narrows them down, and a section for each chapter."""
    verdicts = {verdict: f"{SIGNS[verdict]} {verdict.replace('-', ' ')}" for verdict in VERDICTS}
    numbers = {number: f"{number} {chapter.title}" for number, chapter in chapters().items()}
    below = [(words, _of_chapter(folder, number)) for number, words in numbers.items()]
    return parts.sections(fare() + LEAD + _words() + parts.finder(verdict=verdicts, chapter=numbers), below)


def meanings() -> dict[str, str]:
    """What each word of a verdict means, as chapter 00 explains it."""
    told = dict(re.findall(r"^- \*\*([a-z ]+)\*\*: (.+)$", used.text_of("00"), re.MULTILINE))
    return {verdict: told[verdict.replace("-", " ")] for verdict in VERDICTS}


def _words() -> str:
    listed = parts.several(f"{in_words(verdict)}: {escape(words)}" for verdict, words in meanings().items())
    return f"<details><summary>What the words of the verdicts mean</summary>{listed}</details>"


def fare() -> str:
    """How many claims hold alone, with help, or not at all, in words."""
    all_of = tally(audit(parts.post()))
    words = f"Of {all_of.decided} claims that arithmetic decides, {all_of}."
    return f"<p><strong>{escape(words)}</strong> Apart from these: {escape(all_of.apart())}.</p>"


def _of_chapter(folder: Path, number: str) -> str:
    made = [cards.card(claim.id, parts.post(), dt.date.today()) for claim in claims_of(number)]
    place = folder / "extra" / "claims"
    place.mkdir(parents=True, exist_ok=True)
    for one in made:
        (place / f"{one.id}.html").write_text(cards.page(one), encoding="utf-8")
    return "".join(_of_claim(folder, one) for one in made)


def _of_claim(folder: Path, made: cards.Card) -> str:
    claim, result = made.result.claim, made.result
    rows = {name: escape(words) for name, words in made.lines()}
    rows |= {"What that is": parts.several(map(parts.number_link, claim.quantity))} if result.recomputed else {}
    seen = claim.status.replace("CONFIRMED", "confirmed").replace("FROM MEMORY", "from memory")
    rows |= {"Note": escape(claim.note), "Evidence": escape(claim.evidence), "Source": escape(seen)}
    doors = (
        parts.chapter_link(folder, claim.chapter),
        parts.link(f"claims/{claim.id}.html", "Card"),
        parts.report_link(claim.id),
    )
    head = f'<span class="g4l-id">{claim.id}</span> {escape(claim.quoted)} {in_words(result.verdict)}'
    rows |= {"More": " · ".join(doors)}
    return parts.entry(claim.id, head, rows, verdict=result.verdict, chapter=claim.chapter)


PAGE = parts.Page(
    "claims", "The ledger", "Every claim of the post and of the forum below it, recomputed and judged.", body
)
