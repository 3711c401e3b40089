"""The cell magic %%live: run a cell where torch (or what it names) is installed; elsewhere say so, and go on."""

from __future__ import annotations

from importlib.util import find_spec

from IPython import get_ipython
from IPython.display import Markdown, display

MISSING = (
    "*This cell needs {library}, which is not installed here; the rest of the chapter works without it.* "
    "Close the book and run `python3 book.py setup`: it looks for a build for this machine."
)


def live(library: str, cell: str) -> None:
    """Run the cell, or say in one sentence why not. An error in the cell stays an error."""
    if find_spec(library or "torch") is None:
        display(Markdown(MISSING.format(library=library or "torch")))
        return
    get_ipython().run_cell(cell, store_history=False).raise_error()


def register() -> None:
    """Make %%live known to the notebook; nothing happens outside one."""
    if shell := get_ipython():
        shell.register_magic_function(live, "cell", "live")
