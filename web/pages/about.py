"""The changelog of verdicts, and the colophon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from html import escape
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from gpt4lab.book.colophon import markdown
from gpt4lab.book.page import Raw, table
from gpt4lab.book.prose import priced
from gpt4lab.claims.changes import begun, changes, mistakes
from gpt4lab.panels.verdicts import in_words
from web.pages import parts

HEAD = ("Date", "Claim", "Was", "Became", "Why")


def _changes(_: Path) -> str:
    moved = table("Verdicts that changed, the newest first", HEAD, _moved())
    others = ((_day(one.date), one.what, one.now) for one in reversed(mistakes()))
    told = table("Mistakes that changed no verdict, or several", ("Date", "It said", "Now"), others)
    came = "".join(f"<p>{one.date}: {len(one.verdicts)} claims, {escape(one.why)}.</p>" for one in begun())
    return parts.sections(moved, [("Other mistakes", told), ("When claims were first judged", came)])


def _moved() -> Iterable[tuple[object, ...]]:
    reason = attrgetter("date", "before", "after", "why")
    for (date, before, after, why), same in groupby(reversed(changes()), reason):
        claims = parts.row(map(parts.claim_link, sorted(one.claim for one in same)))
        yield _day(date), Raw(claims), Raw(in_words(before)), Raw(in_words(after)), why


def _day(date: dt.date) -> Raw:
    return Raw(f"<time>{date}</time>")


def _colophon(_: Path) -> str:
    made = f"<p>These pages were made on {dt.date.today()}.</p>"
    return f"{parts.raw(made)}\n\n{priced(markdown('##'))}"


ABOUT = "Every verdict that became another one: what it was, and why."
CHANGES = parts.Page("changes", "Changed verdicts", ABOUT, _changes)
ABOUT = "How this book was made, what it leaves out, what it has had wrong, and its licences."
COLOPHON = parts.Page("colophon", "About this book", ABOUT, _colophon)
