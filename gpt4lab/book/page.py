"""Pieces of a page: HTML made from data, everything escaped. Their stylesheet comes with `opening`, once a page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

from IPython.display import HTML

escape = html.escape
MOST_SHOWN = 600  # characters of what a reader typed or of what was kept, said back to them


def shortened(text: str) -> str:
    """A text for the page, its middle left out where it is long: a megabyte pasted is no megabyte of error."""
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN // 2]} … {text[-MOST_SHOWN // 2 :]}"


def block(name: str, *parts: str) -> str:
    """One <div> of the class "g4l-name" around some HTML."""
    return f'<div class="g4l-{name}">{"".join(parts)}</div>'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a caption and header cells; a cell is text, or `Raw` HTML. It scrolls by keyboard, too.

    Columns of numbers stand at the right.
    """
    rows = [list(row) for row in rows]
    sides = [NUMBER * all(map(_is_number, column)) for column in zip(*rows, strict=True)] or [""] * len(head)
    header = "".join(
        f'<th scope="col"{side}>{escape(cell)}</th>' if cell else "<td></td>"
        for cell, side in zip(head, sides, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row, sides))}</tr>" for row in rows)
    return (
        f'<div class="g4l-scroll" tabindex="0" role="group" aria-label="{escape(caption)}">'
        f'<table class="g4l-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>"
    )


class Raw(str):
    """Text that is HTML already."""


NUMBER = ' class="g4l-number"'
LOOKS_LIKE_ONE = re.compile(r"[+−-]?[$×]?[\d.,]+(?!\d*-)(?:[^(),]|,(?=\d{3})){0,28}")


def _is_number(value: Any) -> bool:
    return not isinstance(value, Raw) and bool(LOOKS_LIKE_ONE.fullmatch(str(value)))


def _cell(value: Any, side: str) -> str:
    return f"<td{side}>{value if isinstance(value, Raw) else escape(str(value))}</td>"


def shown(*parts: str) -> HTML:
    """A static piece of the page; its dollar signs are no formulas."""
    return HTML(f'<div class="mathjax_ignore">{"".join(parts)}</div>')
