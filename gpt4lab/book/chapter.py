"""The frame of a chapter: its opening, its close, and the way to the others."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import attrs
from IPython.display import HTML, Markdown, display

from gpt4lab import catalog
from gpt4lab.book import store
from gpt4lab.book.page import block, escape, shown
from gpt4lab.book.way import Answer, Opened
from gpt4lab.claims import claims_of
from gpt4lab.panels.controls import LOOK


@attrs.frozen
class Chapter:
    """What is known of a chapter before it is opened: `chapter.toml` in its folder.

    file: the notebook; quote: the claim in the post's own few words; stakes: what hangs on it.
    """

    number: str
    file: str
    title: str
    quote: str
    stakes: str
    takeaway: str
    minutes: int
    seconds: int

    @property
    def link(self) -> str:
        """A link to the notebook, from any other notebook of the book."""
        return f"[{self.number} {self.title}]({self.file}.ipynb)"


@cache
def chapters() -> Mapping[str, Chapter]:
    """The chapters of the book, in order, by number."""
    known = (folder / "chapter.toml" for folder in files("gpt4lab.chapters").iterdir() if folder.is_dir())
    found = [_read(entry) for entry in known if entry.is_file()]
    return {chapter.number: chapter for chapter in sorted(found, key=lambda chapter: chapter.number)}


def _read(entry: Traversable) -> Chapter:
    words = tomllib.loads(entry.read_text("utf-8"))
    return Chapter(number=words["file"].partition("_")[0], **words)


def opening(number: str) -> None:
    """Open a chapter, below its title: the claim and what hangs on it, how long it takes, where the reader stands."""
    here = chapters()[number]
    Opened().keep(number)
    display(HTML(f"<script>{LOOK}</script>"), _header(here))
    display(Markdown(" · ".join(_neighbours(number))))


def _header(here: Chapter) -> HTML:
    claims = len(claims_of(here.number))
    facts = (
        f"{here.minutes} minutes to read · runs in about {here.seconds} s on two cores · {claims} claims of the post"
    )
    return shown(
        block(
            "opening",
            f'<p class="g4l-quote">“{escape(here.quote)}”</p>',
            f'<p class="g4l-stakes">{escape(here.stakes)}</p>',
            f'<p class="g4l-facts">{escape(facts)}<br>{escape(_progress())}</p>',
        )
    )


def _progress() -> str:
    opened = Opened.all().keys() & chapters().keys()
    solved = sum(answer.solved for answer in Answer.all().values())
    counted = f"{solved} exercise{'' if solved == 1 else 's'} solved"
    return f"Your way so far: {len(opened)} of {len(chapters())} chapters opened, {counted}. {store.trouble()}".strip()


def closing(number: str) -> None:
    """Close a chapter: what to take away, and where to go on."""
    display(shown(block("takeaway", f"<p>{escape(chapters()[number].takeaway)}</p>")))
    display(Markdown(" · ".join(_neighbours(number))))


def _neighbours(number: str) -> list[str]:
    order = list(chapters().values())
    at = [chapter.number for chapter in order].index(number)
    before = [f"← {order[at - 1].link}"] if at else []
    return before + ([f"{order[at + 1].link} →"] if at + 1 < len(order) else [])


def references(*keys: str) -> Markdown:
    """The sources of a chapter, each with its link. Raises UnknownName for a key that the catalog lacks."""
    lines = [f"- {catalog.references[key].text().replace('$', chr(92) + '$')}" for key in keys]
    return Markdown("## References\n\n" + "\n".join(lines))
