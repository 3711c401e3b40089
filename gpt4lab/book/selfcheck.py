"""Does the book work here? Widgets, charts, live models, memory of the reader's way: each with what to do if not."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from html import escape

import attrs
from IPython.display import HTML

from gpt4lab import place
from gpt4lab.book import store
from gpt4lab.book.page import block, shown, table
from gpt4lab.charts import vega


@attrs.frozen
class Finding:
    """One part of the environment: whether it works, and what to do where it does not."""

    part: str
    works: bool
    detail: str
    remedy: str = ""


def findings() -> list[Finding]:
    """The state of everything that a chapter needs."""
    return [check() for check in CHECKS]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer.")


def _widgets() -> Finding:
    import ipywidgets

    remedy = f"Open the book by “{place.how_to_open()}”; a page without a kernel has no sliders."
    return Finding("Sliders", _in_kernel(), f"ipywidgets {ipywidgets.__version__}", remedy)


def _in_kernel() -> bool:
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def _charts() -> Finding:
    size = len(vega.script()) // 1000
    detail = f"drawing library on this machine, {size} kB, no network"
    return Finding("Charts", size > 100, detail, "A file of the book is damaged: install the book again.")


def _torch() -> Finding:
    found = importlib.util.find_spec("torch") is not None
    detail = "torch is installed" if found else "torch is missing: calculators work, live models do not"
    return Finding("Live models", found, detail, place.how_to_get("torch"))


def _memory() -> Finding:
    works = store.keep("selfcheck", "written", True)
    remedy = f"To keep it, {place.how_to_keep()}; until then it is kept for this session only."
    return Finding("Memory of your way", works, place.where_kept(), remedy)


CHECKS: tuple[Callable[[], Finding], ...] = (_python, _widgets, _charts, _torch, _memory)


def selfcheck() -> HTML:
    """What does not work here and what to do about it; one quiet line where all does."""
    if place.where() == "page":
        return shown(block("opening", f"<p>{escape(place.needs('torch', 'What trains', '; all else works'))}</p>"))
    missing = [(found.part, found.detail, found.remedy) for found in findings() if not found.works]
    if not missing:
        return shown(block("opening", "<p>Everything that the book needs works here.</p>"))
    return shown(table("What does not work here", ("Part", "Found", "What helps"), missing))
