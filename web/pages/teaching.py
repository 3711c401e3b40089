"""The teacher's page: docs/teaching.md, its chapters linked to those of the site."""

from __future__ import annotations

import re
from pathlib import Path

from web.pages import parts

TEXT = Path(__file__).resolve().parents[2] / "docs" / "teaching.md"
CHAPTER = re.compile(r"^## \[((\d\d) [^\]]*)\]\(\.\./notebooks/\S+?\.ipynb\)$", re.MULTILINE)


def _lessons(folder: Path) -> str:
    _, _, text = TEXT.read_text("utf-8").partition("\n")
    return CHAPTER.sub(lambda it: f"## {it[1]}\n\n{parts.chapter_link(folder, it[2], words='Open the chapter')}.", text)


ABOUT = "How to run a lesson with each chapter: what to guess, move, solve, discuss and hand in."
TEACHING = parts.Page("teaching", "A lesson with each chapter", ABOUT, _lessons)
