"""What a notebook's shell is taught: the cell magic %%live; and, in Colab, how to show a box.

%%live runs a cell where torch (or what it names) is installed; elsewhere it says so, and goes on.

Colab draws widgets of third parties by a manager that the output itself must name. anywidget names it for its own
widgets; a panel, an exercise or a guess is a box around some, and would stay blank. This was tried against a stand-in
for Colab, not in Colab itself. Elsewhere nothing changes.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import ipywidgets as w
from anywidget import _util  # nothing public says which manager it has switched on
from IPython import get_ipython
from IPython.display import Markdown, display

from gpt4lab import place


def live(library: str, cell: str) -> None:
    """Run the cell, or say in one sentence why not. An error in the cell stays an error."""
    library = library or "torch"
    if find_spec(library) is None:
        display(Markdown(place.needs(library, "*This cell", "; the rest of the chapter works without it*")))
        return
    get_ipython().run_cell(cell, store_history=False).raise_error()


def with_manager(widget: Any) -> Any:
    """What a widget shows, and who draws it; anywidget's own say that already."""
    shown = widget._repr_mimebundle_()
    return (shown, _util.get_repr_metadata()) if isinstance(shown, dict) else shown


def register() -> None:
    """Teach both to the shell; nothing happens outside one."""
    shell = get_ipython()
    if shell is None:
        return
    shell.register_magic_function(live, "cell", "live")
    if "google.colab.output" in sys.modules and shell.display_formatter:
        shell.display_formatter.mimebundle_formatter.for_type(w.DOMWidget, with_manager)
