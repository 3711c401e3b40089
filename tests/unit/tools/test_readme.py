"""The README says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from gpt4lab.book.chapter import chapters
from tools import readme


def test_the_tables_are_the_latest(root: Path) -> None:
    text = (root / "README.md").read_text("utf-8")
    assert readme.renewed(text) == text


def test_every_link_within_the_book_leads_somewhere(root: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", (root / "README.md").read_text("utf-8"))
    assert len(targets) > 5
    assert [target for target in targets if not (root / target).exists()] == []


def test_every_chapter_has_its_line(root: Path) -> None:
    text = (root / "README.md").read_text("utf-8")
    titles = {f"| [{c.number} {c.title}](notebooks/{c.file}.ipynb) |" for c in chapters().values()}
    assert [title for title in titles if title not in text] == []
    assert text.count("](notebooks/") == len(titles)
