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
from gpt4lab.book.case import signing
from gpt4lab.book.conflict import Conflict, ConflictBox
from gpt4lab.book.page import block, escape, shown
from gpt4lab.book.prose import priced
from gpt4lab.book.touch.page import Touch
from gpt4lab.book.way import Answer, Opened
from gpt4lab.claims import claims_of
from gpt4lab.claims.prose import fill
from gpt4lab.panels.controls import LOOK
from gpt4lab.units import counted

ASLEEP = "*The page stands still until it runs: in JupyterLab, Run → Run All Cells.*"
TO_THE_TOP = files("gpt4lab.book").joinpath("top.js").read_text("utf-8")


@attrs.frozen
class Chapter:
    """What is known of a chapter before it is opened: `chapter.toml` in its folder.

    file: the notebook; conflict: a claim in the post's own few words, and what comes out; stakes: what hangs on it;
    takeaway: what a reader may quote, true where it stands alone, its numbers in braces.
    """

    number: str
    file: str
    title: str
    conflict: Conflict
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
    return Chapter(number=words["file"].partition("_")[0], **{**words, "conflict": Conflict.read(words["conflict"])})


def introduction(number: str) -> Markdown:
    """What stands below the title, also where nothing runs: the conflict, its stakes, how long it takes, the way on.

    The conflict is hidden where `opening` has put its live box.
    """
    here = chapters()[number]
    claims, minutes = counted(len(claims_of(number)), "claim"), counted(here.minutes, "minute")
    facts = f"{minutes} to read · runs in about {here.seconds} s on two cores · {claims}"
    still = f'<div class="g4l-still">\n\n{priced(here.conflict.still)}\n\n{ASLEEP}\n\n</div>'
    return Markdown(f"{still}\n\n{priced(here.stakes)}\n\n{facts}\n\n{_neighbours(number)}")


def opening(number: str) -> None:
    """Open a chapter: its look, its conflict, where the reader stands. A run of all cells leaves the reader here."""
    Opened.revise(number, lambda before: before or Opened())
    signing.refresh()
    conflict = ConflictBox(chapters()[number].conflict)
    conflict.children = (*conflict.children, Touch())
    display(HTML(f"<script>{LOOK}\n{TO_THE_TOP}</script>"), conflict)
    display(shown(block("opening", f"<p>{escape(_progress())}</p>")))


def _progress() -> str:
    opened = Opened.all().keys() & chapters().keys()
    solved = sum(answer.solved for answer in Answer.all().values())
    counted = f"{solved} exercise{'' if solved == 1 else 's'} solved"
    return f"Your way so far: {len(opened)} of {len(chapters())} chapters opened, {counted}. {store.trouble()}".strip()


def closing(number: str) -> Markdown:
    """Close a chapter: what to take away, and where to go on."""
    return Markdown(f"> **{priced(fill(chapters()[number].takeaway))}**\n\n{_neighbours(number)}")


def _neighbours(number: str) -> str:
    order = list(chapters().values())
    at = [chapter.number for chapter in order].index(number)
    before = [f"← {order[at - 1].link}"] if at else []
    after = [f"{order[at + 1].link} →"] if at + 1 < len(order) else []
    return " · ".join(before + after)


def references(*keys: str) -> Markdown:
    """The sources of a chapter, each with its link. Raises UnknownName for a key that the catalog lacks."""
    lines = [f"- {priced(catalog.references[key].text())}" for key in keys]
    return Markdown("## References\n\n" + "\n".join(lines))
