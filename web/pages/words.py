"""The glossary, and the bibliography with all sources as BibTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from gpt4lab import catalog
from gpt4lab.catalog import Reference, Term
from gpt4lab.claims.prose import fill
from web.pages import parts, used
from web.pages.catalog import TABLES, items

BIBTEX = "gpt4lab.bib"
KINDS = {"paper": "Articles and reports", "datasheet": "Makers’ own pages", "code": "Code", "database": "Data sets"}
KINDS |= {"press": "Press and courts", "post": "Posts and talks"}


def _glossary(folder: Path) -> str:
    ordered = sorted(catalog.glossary.values(), key=lambda term: term.name.casefold())
    letters = groupby(ordered, lambda term: term.name[0].upper())
    return parts.sections(parts.finder(), [(letter, _entries(_of_term, folder, terms)) for letter, terms in letters])


def _entries(of_one: Callable[[Path, Any], str], folder: Path, all_of: Iterable[Any]) -> str:
    return "".join(of_one(folder, one) for one in all_of)


def _of_term(folder: Path, term: Term) -> str:
    rows = {
        "Meaning": escape(fill(term.says)),
        "Numbers": parts.several(map(parts.number_link, term.numbers)),
        "See also": parts.row(parts.link(f"#{key}", catalog.glossary[key].name) for key in term.see),
        "More": " · ".join(
            [*(parts.chapter_link(folder, number) for number in term.chapters), parts.report_link(term.slug)]
        ),
    }
    return parts.entry(term.slug, escape(term.name), rows)


def _bibliography(folder: Path) -> str:
    (folder / "extra").mkdir(parents=True, exist_ok=True)
    bibtex = "\n".join(one.bibtex() for one in catalog.references.values())
    (folder / "extra" / BIBTEX).write_text(bibtex, encoding="utf-8")
    lead = f'<p>For your own: <a href="{BIBTEX}" download>all {len(catalog.references)} as BibTeX</a>.</p>'
    ordered = sorted(catalog.references.values(), key=lambda one: one.cite().casefold())
    kinds = [(words, [one for one in ordered if one.kind == kind]) for kind, words in KINDS.items()]
    below = [(words, _entries(_of_reference, folder, sources)) for words, sources in kinds]
    return parts.sections(lead + parts.finder(kind=KINDS), below)


def _of_reference(folder: Path, one: Reference) -> str:
    names = {f"{table}-{item.slug}": item.name for table in TABLES for item in items(table)}
    facts = used.cited_by_facts(TABLES).get(one.slug, [])
    rows = {
        "Title": escape(one.title),
        "By": escape(", ".join(one.authors)),
        "In": escape(", ".join(part for part in (one.venue, one.arxiv and f"arXiv:{one.arxiv}") if part)),
        "Link": parts.link(one.link, one.link),
        "Note": escape(one.note),
        "In chapters": parts.row(parts.chapter_link(folder, n) for n in used.cited_in_chapters().get(one.slug, [])),
        "For numbers": parts.row(map(parts.number_link, used.cited_by_numbers().get(one.slug, []))),
        "For facts": parts.row(parts.link(f"catalog.html#{place}", names[place]) for place in facts),
        "More": f"<code>{escape(one.slug)}</code> · {parts.report_link(one.slug)}",
    }
    return parts.entry(one.slug, escape(one.cite()), rows, kind=one.kind)


GLOSSARY = parts.Page("glossary", "Glossary", "The words of the book, in a sentence or two each.", _glossary)
BIBLIOGRAPHY = parts.Page("bibliography", "Bibliography", "All that the book cites, and where it does.", _bibliography)
