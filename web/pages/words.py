"""The glossary, and the bibliography with all sources as BibTeX."""

from __future__ import annotations

from html import escape
from pathlib import Path

from gpt4lab import catalog
from gpt4lab.catalog import Reference, Term
from gpt4lab.claims.prose import fill
from web.pages import parts, used
from web.pages.catalog import TABLES, items

BIBTEX = "gpt4lab.bib"
KINDS = {"paper": "articles and reports", "datasheet": "makers' own pages", "code": "code", "database": "data sets"}
KINDS |= {"press": "press and courts", "post": "posts and talks"}


def _glossary(folder: Path) -> str:
    ordered = sorted(catalog.glossary.values(), key=lambda term: term.name.casefold())
    return parts.sections(parts.finder(), [("Words", "".join(_of_term(folder, term) for term in ordered))])


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
    sources = "".join(_of_reference(folder, one) for one in ordered)
    return parts.sections(lead + parts.finder(kind=KINDS), [("Sources", sources)])


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
