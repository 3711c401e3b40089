"""A card as a picture (SVG) and as a page of its own (HTML): no script runs, and nothing is asked for elsewhere."""

from __future__ import annotations

import json
import math
import textwrap
from html import escape

from gpt4lab.book.cards.card import Card
from gpt4lab.charts import theme
from gpt4lab.charts.still import document, line
from gpt4lab.claims import HOLDS, OPEN, Result

WIDTH, EDGE = 640, 28  # px
HELD, FAILED = "#00775a", "#b04c00"  # the colours of text in tokens.css; the words say it too
PER_LETTER = 0.52  # widths of a letter in its size: wider than most, so that no line runs over
KICKER, QUOTE, VERDICT, TOLD, SMALL = 13, 23, 18, 15, 12


def picture(card: Card) -> str:
    """The card as an SVG document, its text the alternative."""
    head, below = _flow([(card.kicker, KICKER, theme.SOFT), (card.quote, QUOTE, theme.INK)], EDGE)
    told = [(f"{name}: {words}", TOLD, theme.INK) for name, words in card.lines()]
    body, end = _flow(told, below + 1.85 * VERDICT)
    line_of_numbers, end = number_line(card.result, end), end + (LINE if compared(card.result) else 0)
    foot, end = _flow([(card.made, SMALL, theme.SOFT), (card.address, SMALL, theme.SOFT)], end)
    drawn = head + _verdict(card, below + 1.3 * VERDICT) + body + line_of_numbers + foot
    return document(f"{card.id}: {card.verdict}", " ".join(card.text()[1:]), WIDTH, end + EDGE - 12, drawn)


def _verdict(card: Card, y: float) -> str:
    """Sign and words apart: a font that lacks the sign is changed for the sign alone."""
    (sign, words), colour = card.verdict.split(" ", 1), _tone(card.result.verdict)
    return line(EDGE, y, sign, VERDICT, colour) + line(EDGE + 24, y, words, VERDICT, colour, font_weight=600)


def _tone(verdict: str) -> str:
    return HELD if verdict in HOLDS else theme.SOFT if verdict in OPEN else FAILED


def _flow(paragraphs: list[tuple[str, int, str]], top: float) -> tuple[str, float]:
    """Paragraphs below each other, wrapped; and where they end."""
    drawn = []
    for words, size, colour in paragraphs:
        letters = int((WIDTH - 2 * EDGE) / (PER_LETTER * size))
        for part in textwrap.wrap(words, letters, break_on_hyphens=False):
            top += 1.3 * size
            drawn.append(line(EDGE, top, part, size, colour))
        top += 0.55 * size
    return "".join(drawn), top


# --- what is written and what comes out, on one line -------------------------------------------------

LINE = 78  # px


def compared(result: Result) -> bool:
    """Whether there are two numbers to lay on a line: above nothing, and not the same."""
    return result.residual is not None and all(number > 0 for number in (*result.stated, *result.recomputed))


def number_line(result: Result, top: float) -> str:
    """The numbers as written (hollow diamonds) and as recomputed (dots), on one logarithmic line."""
    if not compared(result):
        return ""
    y, numbers = top + 36, (*result.stated, *result.recomputed)
    rule = f'<path d="M{EDGE} {y:g}H{WIDTH - EDGE}" stroke="{theme.SOFT}"/>'
    written = [_diamond(_across(number, numbers), y) for number in result.stated]
    found = [_dot(_across(number, numbers), y) for number in result.recomputed]
    key = [_diamond(EDGE + 9, y - 22), line(EDGE + 24, y - 18, "as written", SMALL)]
    key += [_dot(EDGE + 9, y + 22), line(EDGE + 24, y + 26, "recomputed", SMALL)]
    return rule + "".join(found + written + key)


def _across(number: float, numbers: tuple[float, ...]) -> float:
    """The place of a number: a quarter of a factor of two at least lies left and right of all of them."""
    lo, hi = math.log(min(numbers)) - 0.2, math.log(max(numbers)) + 0.2
    return 150 + (WIDTH - EDGE - 170) * (math.log(number) - lo) / (hi - lo)


def _diamond(x: float, y: float) -> str:
    return f'<path d="M{x:.1f} {y - 9:g}l9 9l-9 9l-9 -9z" fill="none" stroke="{theme.INK}" stroke-width="1.5"/>'


def _dot(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:g}" r="5" fill="{theme.BLUE}"/>'


# --- as a page ---------------------------------------------------------------------------------------

LOOK = """
body { background: #fff; color: #1a1a1a; font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 40rem;
  padding: 0 1rem; }
svg { height: auto; max-width: 100%; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #f2f2f2; } }
"""


def page(card: Card) -> str:
    """The card as a page that stands alone: the picture, the same as text to copy, and the ClaimReview."""
    told = {"Claim": card.quote, "Verdict": card.verdict, **dict(card.lines()), "Made": card.made, "Here": card.address}
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in told.items())
    data = json.dumps(card.review, ensure_ascii=False).replace("<", "\\u003c")  # no text of ours ends the script
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(card.id)}: {escape(card.verdict)}</title><style>{LOOK}</style>"
        f'<script type="application/ld+json">{data}</script></head>'
        f"<body><main><h1>{escape(card.kicker)}</h1>{picture(card)}<dl>{rows}</dl></main></body></html>\n"
    )
