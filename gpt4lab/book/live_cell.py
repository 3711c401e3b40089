"""The cell magic %%live: run a cell where torch (or what it names) is installed; elsewhere say so, and go on."""

from __future__ import annotations

from importlib.util import find_spec

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


def register() -> None:
    """Make %%live known to the notebook; nothing happens outside one."""
    if shell := get_ipython():
        shell.register_magic_function(live, "cell", "live")
