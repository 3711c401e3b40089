"""A view without controls: title, legend, a chart or a piece of text, and one sentence."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as w

from gpt4lab.charts import LiveChart
from gpt4lab.panels.controls import ChoiceControl, TextControl, spoken
from gpt4lab.panels.view import View, heading


class Figure(w.VBox):
    """What a view shows, by `chart` (View -> chart with named data) or by `html_of` (View -> HTML).

    choices: value -> words, for a figure that the reader can turn; `asks` is the control's label. Without choices it is
    an entry for text, and `helps` says what may be written there.
    """

    def __init__(
        self,
        title: str,
        view: View,
        chart: Callable[[View], Any] | None = None,
        html_of: Callable[[View], str] | None = None,
        legend: str = "",
        choices: Mapping[Any, str] | None = None,
        asks: str = "",
        helps: str = "",
    ) -> None:
        self.error, self._html_of = "", html_of
        self._sentence, self._body = spoken(), w.HTML()
        self.chart = LiveChart(chart(view), rows=view.datasets) if chart else None
        self.choice = None
        if choices:
            self.choice = ChoiceControl(label=asks, options=choices, value=next(iter(choices)))
        elif asks:
            self.choice = TextControl(asks, help=helps)
        words = w.HTML(heading(title, legend) if title else "")
        parts = [words, self._sentence, self.choice, self.chart or self._body]
        super().__init__([part for part in parts if part])
        self.add_class("g4l-panel")
        self.show(view)

    def show(self, view: View) -> None:
        """Put another view in its place."""
        self.view, self.error = view, ""
        if self.chart is not None:
            self.chart.show(description=view.description, **view.datasets)
        if self._html_of:
            self._body.value = self._html_of(view)
        self._sentence.value = f'<p class="g4l-sentence">{html.escape(view.sentence)}</p>'

    def complain(self, error: Exception) -> None:
        """Say in place what went wrong; what was shown stays."""
        self.error = f"{type(error).__name__}: {error}"
        self._sentence.value = f'<p class="g4l-error">{html.escape(self.error)}</p>'
