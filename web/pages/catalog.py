"""The catalog: everything that others published and this book uses, each fact with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import attrs

from gpt4lab import catalog
from gpt4lab.book.page import table
from gpt4lab.catalog import Constant, Constants, Entry, Evidence, Measurement, Rental, Source, describe
from gpt4lab.claims import ledger
from gpt4lab.units import show
from web.pages import parts

LEAD = (
    "<p>The number in brackets after a fact names its source, below. What nobody published is absent, never zero.</p>"
)
TABLES = {
    "models": "Models",
    "utilisations": "Utilisations that published runs reached",
    "ramps": "Batches that grew",
    "accelerators": "Accelerators, and what an hour of them was offered for",
    "prices": "Prices of answers",
    "latencies": "Times of a token, measured from outside",
    "datasets": "Bodies of text",
    "constants": "Laws, rules of thumb and other constants",
    "epoch": "Estimates of Epoch AI",
    "evidence": "What became public after the post",
    "measurements": "Measurements of trainings and answers",
    "static_batches": "Tables of static batches",
}
SEEN = {"confirmed": "seen in its source", "unconfirmed": "not yet seen in its source"}
DAYS = {"released": "Released", "date": "Date", "until": "Until", "not_before": "Not before"}


def body(_: Path) -> str:
    """A section for each table."""
    below = [(title, "".join(of_entry(name, one) for one in items(name))) for name, title in TABLES.items()]
    return parts.sections(LEAD + parts.finder(table=TABLES), below)


def items(name: str) -> list[Any]:
    """The entries of a table."""
    return list(getattr(catalog, name).values())


def of_entry(name: str, item: Entry) -> str:
    """One entry of a table, its facts numbered by their sources."""
    rows = {words: str(getattr(item, day)) for day, words in DAYS.items() if getattr(item, day, None)}
    rows |= {label: f"{escape(told)} {_mark(item, field)}" for field, label, told in _facts(item)}
    rows |= _said(item) if isinstance(item, Evidence) else {}
    rows |= {
        "Offers": parts.several(map(_offer, getattr(item, "rentals", ()))),
        "Rows": _rows(item),
        "Note": escape(item.note),
    }
    rows["Sources"] = "".join(f"<div>[{at}] {_source(one)}</div>" for at, one in enumerate(item.sources, 1))
    return parts.entry(
        f"{name}-{item.slug}", escape(item.name), rows | {"More": parts.report_link(item.slug)}, table=name
    )


def _facts(item: Entry) -> Iterator[tuple[str, str, str]]:
    """Field, label and value in words of every fact that was published."""
    if isinstance(item, Constants):
        for symbol, one in item.values.items():
            yield symbol, f"{symbol}, {one.note}" if one.note else symbol, show(one.value, one.unit) + _spread(one)
    if isinstance(item, Measurement):
        for key, number in (*item.setup.items(), *item.measured.items()):
            known = catalog.measured_keys.get(key)
            label = known.label if known else key
            yield key, label[:1].upper() + label[1:], show(number, known.unit if known else "1")
    for field, (label, unit) in describe(type(item)).items():
        number = getattr(item, field)
        if number is not None:
            yield (
                field,
                label[:1].upper() + label[1:],
                ("no", "yes")[number] if isinstance(number, bool) else show(number, unit or "1"),
            )


def _spread(one: Constant) -> str:
    if one.low is not None:
        return f" ({show(one.low, one.unit)} to {show(one.high, one.unit)})"
    return f" ± {show(one.se, one.unit)}" if one.se is not None else ""


def _mark(item: Entry, field: str) -> str:
    vouching = [at for at, one in enumerate(item.sources, 1) if field in one.covers or not one.covers]
    return f"[{item.sources.index(item.source_of(field)) + 1}]" if vouching else ""


def _said(item: Evidence) -> dict[str, str]:
    bears = parts.row(parts.claim_link(key) for key in item.bears_on if key in ledger()) or "the whole of the post"
    stance = f"{item.stance} · word of {item.strand} · {'independent' if item.independent else 'goes back to the leak'}"
    return {"Says": escape(item.says), "Effect": escape(item.effect), "On claims": bears, "Stance": escape(stance)}


def _offer(one: Rental) -> str:
    told = [(label, getattr(one, field)) for field, (label, _) in describe(Rental).items()]
    prices = ", ".join(f"{show(usd, 'USD/GPU/hour')} {label}" for label, usd in told if usd is not None)
    return f"{one.date}, {escape(one.vendor)}: {escape(prices)}. {_source(one.source)}"


def _rows(item: Any) -> str:
    if not (rows := getattr(item, "rows", ())):
        return ""
    named = attrs.has(type(rows[0]))
    head = (
        [field.name.replace("_", " ") for field in attrs.fields(type(rows[0]))] if named else ["tokens seen", "batch"]
    )
    cells = [attrs.astuple(one) if named else [f"{number:,.0f}" for number in one] for one in rows]
    return f"<details><summary>{len(rows)} rows</summary>{table(item.name, head, cells)}</details>"


def _source(one: Source) -> str:
    seen = SEEN[one.status] + (f", checked {one.checked}" if one.checked else "")
    vouches = f" For: {', '.join(one.covers).replace('_', ' ')}." if one.covers else ""
    return f"{parts.source_link(one.reference)}, {one.kind}, {seen}. {escape(one.note + vouches)}"


ABOUT = "What others published and this book computes with: every fact, its unit and its source."
PAGE = parts.Page("catalog", "Catalog", ABOUT, body)
