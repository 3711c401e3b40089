"""Validation: every table of the library's numbers beside published ones, the wrong rows left in."""

from __future__ import annotations

from html import escape
from pathlib import Path

from gpt4lab import catalog
from gpt4lab.book.page import Raw, table
from gpt4lab.checks.check import Check, Checks
from gpt4lab.checks.tables import NOT_PREDICTED, tables
from gpt4lab.units import minus, show
from web.pages import parts

LEAD = "<p>An error says how far the book's number lies above what was found: +5% is five percent too much.</p>"
HEAD = ("What", "Predicted", "Found", "Error", "Found by")


def body(_: Path) -> str:
    """A table of all groups, then each group with all its rows."""
    groups = [(f"group-{at}", one) for at, one in enumerate(tables())]
    over = [(Raw(parts.link(f"#{key}", one.title)), len(one.checks), *_errors(one.checks)) for key, one in groups]
    below = [(one.title, f'<div id="{key}">{_group(one.checks, one.leaves_out)}</div>') for key, one in groups]
    reasons = parts.several(f"{escape(_names(prefix))}: {escape(why)}" for prefix, why in NOT_PREDICTED.items())
    lead = LEAD + table("All groups", ("Group", "Rows", "Mean error", "Largest"), over)
    return parts.sections(lead, [*below, ("Measured by others, and not predicted here", reasons)])


def _errors(checks: Checks) -> tuple[str, str]:
    return f"{checks.mean_error:.1%}", f"{checks.largest:.1%}"


def _group(checks: Checks, leaves_out: str) -> str:
    words = "{} rows, mean error {}, largest {}. Left out: {}".format(len(checks), *_errors(checks), escape(leaves_out))
    return f"<p>{words}</p>" + table("The book's number and the published one", HEAD, map(_row, checks))


def _row(one: Check) -> tuple[object, ...]:
    what = ": ".join(filter(None, (one.name, one.what, one.assumed)))
    error = minus(f"{one.error:+.1%}")
    return what, show(one.predicted, one.unit), show(one.found, one.unit), error, Raw(parts.source_link(one.where))


def _names(prefix: str) -> str:
    return ", ".join(one.name for slug, one in catalog.measurements.items() if slug.startswith(prefix))


ABOUT = "The book's formulas beside what others measured and published. Rows that come out wrong stay in."
PAGE = parts.Page("validation", "How far off", ABOUT, body)
