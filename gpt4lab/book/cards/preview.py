"""What a link to a chapter shows elsewhere: its conflict as a picture, both numbers large."""

from __future__ import annotations

import textwrap

from gpt4lab.book.chapter import Chapter
from gpt4lab.charts import theme
from gpt4lab.charts.still import document, line

WIDTH, HEIGHT, EDGE = 1200, 630, 72  # px, as social networks want them
MIDDLE = 620  # px, where the second number begins


def preview(chapter: Chapter, kicker: str = "") -> str:
    """A chapter's conflict as an SVG document; `kicker` in place of the chapter's number."""
    first = chapter.conflict.first
    said = [first.in_words(words) for words in (*first.claimed, *first.found)]
    gap = first.in_words(first.gap)
    drawn = line(EDGE, 92, kicker or f"gpt4lab · chapter {chapter.number}", 26, theme.SOFT)
    drawn += line(EDGE, 154, chapter.title, 52, font_weight=700)
    drawn += _pair(EDGE, said[0], said[1], theme.INK) + _pair(MIDDLE, said[2], said[3], theme.BLUE)
    drawn += _below(EDGE, 500, textwrap.wrap(gap, 64)[:2], 32, theme.INK)
    drawn += line(EDGE, HEIGHT - 32, "GPT-4's leaked numbers, recomputed", 22, theme.SOFT)
    return document(chapter.title, ". ".join([*said, gap]), WIDTH, HEIGHT, drawn)


def _pair(x: float, words: str, number: str, colour: str) -> str:
    """A number below what it is."""
    told = _below(x, 222, textwrap.wrap(words, 38)[:4], 25, theme.SOFT)
    parts = textwrap.wrap(number, 17)
    top, size = (384, 60) if len(parts) == 1 else (360, 46)
    return told + _below(x, top, parts, size, colour, font_weight=700)


def _below(x: float, top: float, parts: list[str], size: float, colour: str, **look: int) -> str:
    """Lines below each other."""
    return "".join(line(x, top + 1.2 * size * at, part, size, colour, **look) for at, part in enumerate(parts))
