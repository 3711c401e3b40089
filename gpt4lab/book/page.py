"""Pieces of a page: HTML made from data, with one stylesheet and everything escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import ipywidgets as w
from IPython.display import HTML

from gpt4lab.charts import theme

escape = html.escape


@cache
def style() -> str:
    """The stylesheet of the book as a <style> element: colours, panels, then the pieces of a chapter."""
    sheets = [theme.read("tokens.css")]
    for package, name in (("gpt4lab.panels", "panel.css"), ("gpt4lab.book", "book.css")):
        sheets.append(files(package).joinpath(name).read_text("utf-8"))
    return f"<style>{''.join(sheets)}</style>"


def block(name: str, *parts: str, role: str = "") -> str:
    """One <div> of the class "g4l-name" around some HTML."""
    attributes = f' role="{role}"' if role else ""
    return f'<div class="g4l-{name}"{attributes}>{"".join(parts)}</div>'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a caption and header cells; a cell is text, or `Raw` HTML."""
    header = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="g4l-scroll"><table class="g4l-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>"
    )


class Raw(str):
    """Text that is HTML already."""


def _cell(value: Any) -> str:
    return f"<td>{value if isinstance(value, Raw) else escape(str(value))}</td>"


def shown(*parts: str) -> HTML:
    """A static piece of the page; its dollar signs are no formulas."""
    return HTML(f'{style()}<div class="mathjax_ignore">{"".join(parts)}</div>')


def live(*parts: str) -> w.HTML:
    """A piece of the page that changes."""
    return w.HTML(style() + "".join(parts))
