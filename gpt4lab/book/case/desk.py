"""The case file on the page of chapter 00: what there is, two ways to take it along, one way to bring it back."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import ipywidgets as w

from gpt4lab.book import store
from gpt4lab.book.case.case import Case
from gpt4lab.book.case.file import CaseError, as_html, as_json, merge, read, sections
from gpt4lab.book.exercises.saved import saver
from gpt4lab.book.page import block, escape, shortened
from gpt4lab.panels.controls import spoken


class CaseFile(w.VBox):
    """`refresh()` reads anew what is kept; `bring(raw, name)` merges a file of another machine or day."""

    def __init__(self) -> None:
        self._tables, self._links, self._said = w.HTML(), w.HTML(), spoken()
        again = w.Button(description="Read it anew", tooltip="Show what was kept since this cell ran")
        again.on_click(lambda _: self.refresh())
        self.upload = w.FileUpload(accept=".json", description="Import a case file", layout={"width": "auto"})
        self.upload.observe(self._uploaded, "value")
        super().__init__([self._tables, self._links, w.HBox([again, self.upload]), self._said, saver()])
        self.add_class("g4l-case")
        self.refresh()

    def refresh(self) -> None:
        """All that is kept by now."""
        self._tables.value = block("case-tables mathjax_ignore", sections(Case.read()))
        page = _link("case-file.html", "text/html", as_html(), "Download as a page")
        data = _link("case-file.json", "application/json", as_json(), "Download as data, to import or to hand in")
        self._links.value = block("aside", f"<p>{page} · {data}</p>")
        saver().refresh()

    def bring(self, raw: bytes, name: str = "This file") -> None:
        """Merge a case file, and say what came of it."""
        try:
            added, left = merge(read(raw))
        except CaseError as error:
            self._say(f"{shortened(name)} was not imported: {error}.")
            return
        passed = f" {left} could not be read and {'was' if left == 1 else 'were'} passed over." if left else ""
        self._say(f"{added} new; what was here already stays.{passed} {store.trouble()}")
        self.refresh()

    def _uploaded(self, event: Any) -> None:
        for file in event["new"]:
            self.bring(bytes(file["content"]), file["name"])

    def _say(self, words: str) -> None:
        self._said.value = f"<p>{escape(words.strip())}</p>"


def _link(name: str, kind: str, text: str, words: str) -> str:
    """A link that saves a text as a file; nothing leaves the machine."""
    return f'<a download="{name}" href="data:{kind};charset=utf-8,{quote(text)}">{words}</a>'


def case_file() -> CaseFile:
    """The case file of chapter 00."""
    return CaseFile()
