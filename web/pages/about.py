"""The changelog of verdicts, and the colophon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from html import escape
from pathlib import Path

from gpt4lab.book.colophon import markdown
from gpt4lab.book.prose import priced
from gpt4lab.claims.changes import Change, begun, changes, mistakes
from gpt4lab.panels.verdicts import in_words
from web.pages import parts


def _changes(_: Path) -> str:
    """Each change of a verdict, what else the book has had wrong, and when claims came."""
    moved = [_entry("change", at, _turned(one), one.date, {"Why": one.why}) for at, one in enumerate(changes(), 1)]
    others = enumerate(mistakes(), 1)
    wrong = [_entry("mistake", at, "", one.date, {"It said": one.what, "Now": one.now}) for at, one in others]
    came = "".join(f"<p>{one.date}: {len(one.verdicts)} claims, {escape(one.why)}.</p>" for one in begun())
    below = [("Verdicts that changed", "".join(reversed(moved))), ("Other mistakes", "".join(reversed(wrong)))]
    return parts.sections("", [*below, ("When claims were first judged", came)])


def _turned(one: Change) -> str:
    return f"{parts.claim_link(one.claim)}: {in_words(one.before)} → {in_words(one.after)}"


def _entry(kind: str, number: int, head: str, date: dt.date, told: Mapping[str, str]) -> str:
    rows = {"Date": str(date)} | {name: escape(words) for name, words in told.items()}
    return parts.entry(f"{kind}-{number}", head or f"Mistake {number}", rows)


def _colophon(_: Path) -> str:
    made = f"<p>These pages were made on {dt.date.today()}.</p>"
    return f"{parts.raw(made)}\n\n{priced(markdown('##'))}"


ABOUT = "Every verdict that became another one: what it was, and why. The newest come first."
CHANGES = parts.Page("changes", "Changed verdicts", ABOUT, _changes)
ABOUT = "How this book was made, what it leaves out, what it has had wrong, and its licences."
COLOPHON = parts.Page("colophon", "About this book", ABOUT, _colophon)
