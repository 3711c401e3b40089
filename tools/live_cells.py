"""What the `%%live` cells of a chapter showed when they ran: it stands in the notebook until the reader runs them.

    .venv/bin/python -m tools.live_cells            of every chapter
    .venv/bin/python -m tools.live_cells 12         of those whose file name begins so

A recording lies beside the chapter's text and belongs to the words of its cell: after a change of one, record it anew.
What is timed wants an idle machine.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from ipywidgets import Widget

from tools.stills import DRAWN, inside

HOW = "Recorded on {date} ({machine}). Run the chapter (Run → Run All Cells), and it is made anew."


def recorded(text: Path, source: str, draw: bool = True) -> Any:
    """The output of a live cell as it was recorded; None for another cell. draw: whether with its pictures."""
    html = recordings(text).get(name_of(source)) if source.startswith("%%live") else None
    if html is None:
        return None
    shown = html if draw else DRAWN.sub("base64,", html)
    return nbformat.v4.new_output("display_data", {"text/html": shown}, metadata={"gpt4lab": {"drawn": ["recorded"]}})


def recordings(text: Path) -> dict[str, str]:
    """What was recorded of a text's cells, by `name_of`."""
    file = file_of(text)
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def file_of(text: Path) -> Path:
    """Where the recordings of a text lie."""
    return text.with_suffix(".live.json")


def name_of(source: str) -> str:
    """Under what a cell's recording is kept."""
    return sha256(source.encode()).hexdigest()[:12]


def main(beginning: str = "") -> None:
    """Run the texts whose name begins so, and write down what their live cells show."""
    for text in sorted((Path(__file__).resolve().parents[1] / "notebooks" / "text").glob(f"{beginning}*.md")):
        if found := dict(showed(text)):
            file_of(text).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def showed(text: Path) -> Iterator[tuple[str, str]]:
    """Each live cell's name with what it shows, as HTML."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    from tools.notebooks import SAID

    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    shell.push(dict(SAID))
    how = HOW.format(date=date.today().isoformat(), machine=f"{platform.machine()}, torch {version('torch')}")
    for cell in (cell for cell in jupytext.read(text).cells if cell.cell_type == "code"):
        first, _, code = cell.source.partition("\n")
        with capture_output() as printed:
            ran = shell.run_cell(code if first.startswith("%%") else cell.source)
        ran.raise_error()
        for run in running():
            run.wait()
        if first.startswith("%%live"):
            shown = "".join(pieces(printed.stdout, ran.result))
            yield name_of(cell.source), f'<div class="mathjax_ignore">{shown}<p><em>{how}</em></p></div>'


def pieces(printed: str, result: Any) -> Iterator[str]:
    """What was printed, and what the cell ends in: a table, or a widget standing still."""
    if words := re.sub(r"(?ms)^Out\[\d+\]:.*", "", printed).strip():
        yield f"<pre>{escape(words)}</pre>"
    if isinstance(result, Widget):
        yield inside(result)
    elif result is not None:
        yield result.data


def running() -> Iterator[Any]:
    """The trainings that were begun on the page."""
    from gpt4lab.panels.training import KEPT

    for attempts in KEPT.values():
        yield attempts[0].run


if __name__ == "__main__":
    main(*sys.argv[1:2])
