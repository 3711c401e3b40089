"""The index of numbers: every quantity and every input, with formula, unit, inputs, source, value and use."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from importlib import import_module
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

from gpt4lab.claims.sensitivity import elasticities
from gpt4lab.quantities import QUANTITIES, Quantity, explain, topics, unit_of, values
from gpt4lab.scenario import FIELDS
from gpt4lab.scenario.records import GROUPS
from gpt4lab.units import minus, show
from web.pages import parts, used

LEAD = (
    "<p>First come the numbers that are computed, a group for each topic, then the inputs that you can move. The name "
    "in small type is the one that <code>gpt4lab explain training.cost</code> and <code>value(...)</code> take. Values "
    "are those that follow from the post's own numbers.</p>"
)
UNITS = {"1": "a plain number", "fraction": "a share", "x": "times as much", "s": "second"}
STRONGEST = 5  # inputs whose effect is told
#: What models compute has no file of its own to say what it is about.
TOPICS = {
    "answer": "Answers: what the full model of a decode step says of their time and price.",
    "assembly": "A pipeline whose schedule is drawn by hand.",
    "chinchilla": "Fits to Chinchilla's published points.",
    "gang": "Gangs: answers that are begun together and end together.",
    "sites": "Several clusters in several places.",
    "stages": "Stages of the model that answers, cut by hand.",
    "step": "One training step, by the full model.",
    "verdict": "The post's numbers as one network.",
}


def body(folder: Path) -> str:
    """A section for each first word of a name: what is computed, then what a reader may move."""
    names = sorted(QUANTITIES.names(), key=_head)
    computed = [
        _section(_topic(head), (_computed(folder, QUANTITIES[name]) for name in group))
        for head, group in groupby(names, _head)
    ]
    inputs = [
        _section(f"Inputs: {_said(GROUPS[head])}", (_input(folder, path) for path in group))
        for head, group in groupby(FIELDS, _head)
    ]
    return parts.sections(LEAD + parts.finder(kind={"computed": "computed", "input": "input"}), [*computed, *inputs])


def _head(name: str) -> str:
    return name.partition(".")[0]


def _section(about: str, entries: Iterable[str]) -> tuple[str, str]:
    """What a group is about in short, then in full, and its entries."""
    return re.split(r"(?<!Inputs)[:,.]", about)[0], f"<p>{escape(about)}</p>{''.join(entries)}"


def _topic(head: str) -> str:
    module = f"{topics.__name__}.{head}"
    return TOPICS[head] if head in TOPICS or not find_spec(module) else _said(import_module(module))


def _said(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def _computed(folder: Path, quantity: Quantity) -> str:
    made = [
        f"<code>{escape(s.rstrip('_'))}</code> {parts.number_link(p)}: {valued(p)}" for s, p in quantity.inputs.items()
    ]
    moved = [f"{parts.number_link(path)}: {minus(f'{by:+.2f}%')}" for path, by in _moves(quantity.name)]
    rows = {"Formula": f"<code>{escape(quantity.formula.text())}</code>", "Made of": parts.several(made)}
    rows |= {"Source of the formula": parts.source_link(quantity.source), "One percent more of": parts.several(moved)}
    return _entry(folder, quantity.name, parts.meaning(quantity.name), "computed", rows)


def _moves(name: str) -> list[tuple[str, float]]:
    """By how many percent a formula's result moves for one percent of the inputs that move it most."""
    return [*elasticities(name, parts.post()).items()][:STRONGEST] if name in set(QUANTITIES) else []


def _input(folder: Path, path: str) -> str:
    field, told = FIELDS[path], explain(path, parts.post())
    rows = {"What it is": escape(field.meaning)}
    rows |= {word.title(): escape(getattr(told, word, "")) for word in ("allowed", "published")}
    return _entry(folder, path, field.label, "input", rows | {"Source": parts.source_link(field.source)})


def _entry(folder: Path, name: str, words: str, kind: str, rows: Mapping[str, str]) -> str:
    others = {parts.meaning(other): other for other in used.in_numbers().get(name, [])}  # of those alike, one
    told = {
        "By the post's numbers": valued(name),
        "Unit": escape(UNITS.get(unit_of(name), unit_of(name)).replace("/", " per ")),
        **rows,
        "Symbol in other formulas": parts.row(f"<code>{escape(symbol)}</code>" for symbol in used.symbols(name)),
        "In claims": parts.row(map(parts.claim_link, used.in_claims().get(name, []))),
        "In chapters": parts.row(parts.chapter_link(folder, number) for number in used.in_chapters().get(name, [])),
        "In panels": parts.row(parts.panel_link(folder, *panel) for panel in used.in_panels().get(name, [])),
        "In other numbers": parts.row(map(parts.number_link, others.values())),
        "More": parts.report_link(name),
    }
    return parts.entry(name, f"{escape(words)} <code>{escape(name)}</code>", told, kind=kind)


def valued(path: str) -> str:
    """The value of a number under the post's assumptions, as HTML."""
    known = _values()
    return escape(show(known[path] if path in known else values((path,), parts.post())[path], unit_of(path)))


@cache
def _values() -> dict[str, Any]:
    return values((*FIELDS, *QUANTITIES.names()), parts.post())


ABOUT = "Every number of the book: what it is, how it is made, and where it is used."
PAGE = parts.Page("numbers", "Index of numbers", ABOUT, body)
