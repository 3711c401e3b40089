"""What a panel shows for one scenario, and its words as HTML: a pure result, made and tested without a widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import attrs

from gpt4lab.charts.drawing import Scene
from gpt4lab.charts.marks import with_words
from gpt4lab.charts.theme import MARKS
from gpt4lab.rows import Rows
from gpt4lab.units import show


def as_shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Decided values as their controls show them, so that a shared line says what the page says."""
    return {path: float(f"{v:.{SHOWN}g}") if isinstance(v, float) else v for path, v in values.items()}


#: Digits of a decided number; number.js shows as many of a large one.
SHOWN = 5


@attrs.frozen
class View:
    """One state of a panel.

    label, value, unit: the headline number. post: the post's own value of it, None where it has none; whose: what that
    is called, where it is not simply the post's.
    sentence: what the state means, in one or two sentences. rows: the data of the chart, by dataset.
    alt: what the chart shows, for a reader who cannot see it; the sentence, where nothing else is said.
    follow: fields that this state decides, with their values; their controls move there by themselves.
    text: what there is to read below the chart, for the panel's `html_of`. scenes: of a drawing, step by step.
    """

    label: str = ""
    value: Any = ""
    unit: str = ""
    sentence: str = ""
    rows: Mapping[str, Rows] = attrs.field(factory=lambda: {"data": []})
    post: Any = None
    whose: str = "the post"
    alt: str = ""
    follow: Mapping[str, Any] = attrs.field(factory=dict, converter=as_shown)
    text: Any = None
    scenes: Sequence[Scene] = ()

    @property
    def headline(self) -> str:
        """The number with its unit: "$56.6 million"."""
        return self.value if isinstance(self.value, str) else show(self.value, self.unit)

    @property
    def change(self) -> str:
        """How it differs from the post's: "the post: $63.0 million, 10% less here"."""
        if self.post is None:
            return ""
        if isinstance(self.value, str) or not self.post:
            return f"{self.whose}: {self.post if isinstance(self.post, str) else show(self.post, self.unit)}"
        return f"{self.whose}: {show(self.post, self.unit)}, {compared(self.value, self.post)}"

    @property
    def datasets(self) -> dict[str, Rows]:
        """The rows of the chart, each of the four marks with its words."""
        marks = {name: rows for name, rows in self.rows.items() if name in MARKS}
        return {**self.rows, **with_words(**marks)}

    @property
    def description(self) -> str:
        """The text alternative of the chart: what it shows, then the state."""
        return f"{self.alt} {self.sentence}".strip()


def compared(here: float, there: float) -> str:
    """One number against another, in words: the same, 12% more here, 3.1 times that here, 1/261 of that here."""
    ratio = here / there
    if 0 < ratio < 0.05:
        return f"1/{1 / ratio:,.3g} of that here"
    if abs(ratio - 1) < 0.005:
        return "the same here"
    if ratio >= 2:
        return f"{ratio:,.3g} times that here"
    return f"{abs(ratio - 1):.0%} {'more' if ratio > 1 else 'less'} here"


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
