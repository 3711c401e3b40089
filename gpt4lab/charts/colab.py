"""Colab: every box of the book says which manager draws it. Tried against a stand-in for Colab, not in Colab itself.

Colab draws widgets of third parties by a manager that the output itself must name. anywidget names it for its own
widgets; a panel, an exercise or a guess is a box around some, and would stay blank. Elsewhere nothing happens here.
"""

from __future__ import annotations

import sys
from typing import Any

import ipywidgets as w
from anywidget import _util  # nothing public says which manager it has switched on
from IPython import get_ipython


def register() -> None:
    """In Colab, teach the notebook how to show a widget; it asks this before the widget itself."""
    shell = get_ipython()
    if "google.colab.output" in sys.modules and shell and shell.display_formatter:
        shell.display_formatter.mimebundle_formatter.for_type(w.DOMWidget, with_manager)


def with_manager(widget: Any) -> Any:
    """What a widget shows, and who draws it; anywidget's own say that already."""
    shown = widget._repr_mimebundle_()
    return (shown, _util.get_repr_metadata()) if isinstance(shown, dict) else shown
