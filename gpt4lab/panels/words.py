"""The words of a panel, as HTML: its name, how to read it, and its number."""

from __future__ import annotations

from html import escape

from gpt4lab.panels.view import View


def heading(title: str, legend: str) -> str:
    """The name and the first sentence of the legend; the rest of it stands behind "How to read it"."""
    return f'<h3 class="g4l-title">{escape(title)}</h3>{_legend(legend)}'


def _legend(text: str) -> str:
    first, stop, rest = text.partition(". ")
    if not rest:
        return f'<p class="g4l-legend">{escape(text)}</p>' if text else ""
    return (
        f'<details class="g4l-legend"><summary>{escape(first + stop)} <span class="g4l-word">How to read it</span>'
        f"</summary><p>{escape(rest)}</p></details>"
    )


def headline(view: View) -> str:
    """What, how much, and how it differs from the post."""
    return (
        f'<div class="g4l-headline"><span class="g4l-headline-name">{escape(view.label)}</span>'
        f'<strong class="g4l-headline-value">{escape(view.headline)}</strong>'
        f'<span class="g4l-headline-change">{escape(view.change)}</span></div>'
    )
