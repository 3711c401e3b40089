"""What every page is made of: a file for Sphinx, entries with an address, links. All that is not ours is escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path

import attrs

from gpt4lab import catalog, home
from gpt4lab.book.chapter import chapters
from gpt4lab.claims import ledger
from gpt4lab.quantities import QUANTITIES
from gpt4lab.scenario import FIELDS, Scenario, load_scenario

FENCE = "`" * 8  # longer than any in the text within


def post() -> Scenario:
    """The post's own numbers, under which every page is computed."""
    return load_scenario("leak")


@attrs.frozen
class Page:
    """One page: its file's name, its title, what it is about in a sentence or two, and its Markdown for a folder."""

    name: str
    title: str
    about: str
    body: Callable[[Path], str]

    def write(self, folder: Path) -> None:
        """The page, for Sphinx."""
        text = f"# {self.title}\n\n{raw(f'<p>{escape(self.about)}</p>')}\n\n{self.body(folder)}\n"
        (folder / f"{self.name}.md").write_text(text, encoding="utf-8")


def raw(html: str) -> str:
    """HTML that Sphinx passes on as it is; its dollar signs are no formulas."""
    return f'{FENCE}{{raw}} html\n<div class="g4l-page mathjax_ignore">{html.replace(FENCE, "")}</div>\n{FENCE}'


def sections(lead: str, parts: Iterable[tuple[str, str]] = ()) -> str:
    """HTML, then a heading and its HTML each, as Markdown."""
    return "\n\n".join([raw(lead), *(f"## {heading}\n\n{raw(html)}" for heading, html in parts)])


def entry(key: str, head: str, rows: Mapping[str, str], **data: str) -> str:
    """One thing with a permanent address, and what is told of it, as HTML; `data` is what it is found by."""
    told = "".join(f"<div><dt>{escape(name)}</dt><dd>{html}</dd></div>" for name, html in rows.items() if html)
    found = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    anchor = f'<a class="g4l-anchor" href="#{escape(key)}" aria-label="Address of {escape(key)}">#</a>'
    return f'<article class="g4l-item" id="{escape(key)}"{found}><h3>{head} {anchor}</h3><dl>{told}</dl></article>'


def finder(**choices: Mapping[str, str]) -> str:
    """What narrows the entries of a page down: words, and one choice for each kind. A script shows it."""
    words = '<label>Search <input type="search" name="words" autocomplete="off" aria-keyshortcuts="/"></label>'
    for name, options in choices.items():
        told = "".join(f'<option value="{escape(key)}">{escape(said)}</option>' for key, said in options.items())
        words += f'<label>{name.title()} <select name="{name}"><option value="">all</option>{told}</select></label>'
    return f'<form class="g4l-find" role="search" hidden>{words}<output></output></form>'


def several(items: Iterable[str]) -> str:
    """HTML items below each other, "" where there are none."""
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{listed}</ul>" if listed else ""


def row(items: Iterable[str], most: int = 12) -> str:
    """HTML items in a row, and how many more there are."""
    listed = list(items)
    return ", ".join(listed[:most]) + f" and {len(listed) - most} more" * (len(listed) > most)


# --- links -------------------------------------------------------------------------------------------


def link(to: str, words: str) -> str:
    """A link; an address that is neither of this site nor of the web is none."""
    safe = to and (":" not in to.partition("#")[0] or to.startswith(("https://", "http://")))
    return f'<a href="{escape(to)}">{escape(words)}</a>' if safe else escape(words)


def chapter_link(folder: Path, number: str, at: str = "", words: str = "") -> str:
    """A link to a chapter, or to a place in it; the words alone where the site is built without it."""
    chapter = chapters()[number]
    words, there = words or f"{number} {chapter.title}", any(folder.glob(f"{chapter.file}.*"))
    return link(f"{chapter.file}.html{at}", words) if there else escape(words)


def panel_link(folder: Path, number: str, title: str) -> str:
    """A link to a panel of a chapter. Its address is made of its title, as draw.js makes it."""
    at = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return chapter_link(folder, number, f"#panel-{at}", f"“{title}”")


def anchor(heading: str) -> str:
    """The address of a heading as JupyterLab makes it, which the chapters' texts use."""
    return heading.replace(" ", "-")


def claim_link(key: str) -> str:
    """A link to a claim in the ledger."""
    return link(f"claims.html#{key}", key)


def source_link(source: str) -> str:
    """Where a number is from: a claim of the post, a line of the bibliography, and words behind either; or words."""
    key, colon, more = source.partition(":")
    if key in set(catalog.references):
        return link(f"bibliography.html#{key}", catalog.references[key].cite()) + escape(colon + more)
    return f"the post, {claim_link(key)}{escape(colon + more)}" if key in ledger() else escape(source)


def number_link(path: str) -> str:
    """A link to where a number comes from: its entry in the index, or the fact of the catalog that it is."""
    if path in FIELDS or path in QUANTITIES:
        return link(f"numbers.html#{path}", meaning(path))
    if path.startswith("catalog/"):
        table, key, fact = path.split("/")[1:]
    else:
        field, _, fact = path.rpartition(".")
        table, key = FIELDS[field].catalog, FIELDS[field].default
    item = getattr(catalog, table)[key]
    return link(f"catalog.html#{table}-{item.slug}", f"{item.label(fact)}, {item.name}")


@cache
def meaning(path: str) -> str:
    """What a quantity or an input is, in words."""
    return FIELDS[path].label if path in FIELDS else QUANTITIES[path].meaning.rstrip(".")


def report_link(about: str) -> str:
    """Where a reader says that an entry is wrong."""
    return link(home.report_of(about), "Report an error")
