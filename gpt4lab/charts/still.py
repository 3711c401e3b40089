"""Pictures that stand still: an SVG document with its text alternative, and one as PNG.

What is drawn here needs no library. PNG, and the charts that stand in the shipped notebooks (tools/stills.py), are
drawn by vl-convert, which is installed with the tests.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from gpt4lab import place
from gpt4lab.charts import theme

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NoRenderer(RuntimeError):
    """What draws a chart, or a PNG, is not installed."""


def text_of(words: str) -> str:
    """Words as the text or the attribute of an XML element."""
    return escape(_NOT_XML.sub("�", words))


def document(title: str, description: str, width: float, height: float, body: str) -> str:
    """An SVG document on paper, with a title and a description for who cannot see it; "" where they stand beside it."""
    said = f"<title>{text_of(title)}</title><desc>{text_of(description)}</desc>" if title else ""
    name = f' role="img" aria-label="{text_of(title)}"' if title else ""
    paper = f'<rect width="{width:g}" height="{height:g}" fill="{theme.PAPER}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}"{name} font-family="{text_of(theme.FONT)}">'
        f"{said}{paper}{body}</svg>"
    )


def line(x: float, y: float, words: str, size: float, colour: str = theme.INK, **look: Any) -> str:
    """One line of words; `look` are further attributes of SVG, an underscore for each dash."""
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in look.items())
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}"{more}>{text_of(words)}</text>'


def png(svg: str, scale: float = 2) -> bytes:
    """The picture as PNG, two pixels for each of its units. Raises NoRenderer."""
    return renderer().svg_to_png(svg, scale=scale)


def renderer() -> Any:
    """What draws a chart, or a PNG. Raises NoRenderer where it is not installed."""
    try:
        import vl_convert
    except ImportError as missing:
        raise NoRenderer(place.needs("vl_convert", "A PNG") + " SVG and HTML need nothing.") from missing
    return vl_convert
