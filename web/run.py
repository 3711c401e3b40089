"""Run a chapter once, as in a browser: without torch and numpy, and with widgets that have the same names in every run.

    python -m web.run notebooks/09_sixty_three_million.ipynb OUT

writes OUT/09_sixty_three_million.ipynb for the pages, and for what runs on them into OUT/static/book, which is there:
09_sixty_three_million.json, the state of each widget, the code of each cell, a hash of what each showed; and each
script of a widget once, named by its hash.
"""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import comm
import nbformat
from comm import DummyComm
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from ipywidgets import Widget

from web.front.page import hashed

HEAVY = {"torch", "numpy", "pandas", "scipy", "sklearn", "joblib", "distributed"}  # no browser's Python has them
VIEW = "application/vnd.jupyter.widget-view+json"
RUN_AGAIN = re.compile(r"Run the chapter \(Run → Run All Cells\), and (it is made anew|it moves)\.")
#: What a chapter says of JupyterLab, and what is true on a page, where all has run. A test holds that each is said.
ON_A_PAGE = {
    r" · runs in about \S+ s on two cores": "",
    r"(?m)^Press \*\*Shift \+ Enter.*$": "",
    r"(?m)^A cell whose code is folded.*$": "What you see and move is computed by Python in your browser, which starts "
    "when you touch a panel. Your guesses and solved exercises are kept in this browser and come back.",
}
said: dict[str, str] = {}  # by cell and place in it: what HTML is shown, as a hash
at = [0, 0]  # the cell that runs, and how many widgets it has made


class Light(PathFinder):
    """The usual finder, which finds none of the heavy libraries."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> Any:
        """Find a module, as if the heavy ones were not installed."""
        return None if name.partition(".")[0] in HEAVY else super().find_spec(name, path, target)


def named_comm(*args: Any, **more: Any) -> DummyComm:
    """A line to nowhere, named by its cell and its place in it: page.py names the widgets of a page alike."""
    at[1] += 1
    return DummyComm(*args, comm_id=f"c{at[0]:03d}n{at[1]:03d}", **more)


def main(source: Path, out: Path) -> None:
    """Run a chapter and write what it shows."""
    notebook = nbformat.read(source, 4)
    shell = InteractiveShell.instance()
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            for of_jupyter, here in ON_A_PAGE.items():
                cell.source = re.sub(of_jupyter, here, cell.source)
        elif cell.cell_type == "code":
            at[:] = number, 0
            cell.outputs = [prepared(output, number, n) for n, output in enumerate(outputs(shell, cell))]
            if cell.metadata.get("jupyter", {}).get("source_hidden"):
                cell.metadata.setdefault("tags", []).append("remove-input")
    nbformat.write(notebook, out / source.name)
    book = out / "static" / "book"
    (book / f"{source.stem}.json").write_text(json.dumps(page(notebook, book), separators=(",", ":")), encoding="utf-8")


def outputs(shell: Any, cell: Any) -> list[Any]:
    """What a cell shows; a cell with a magic keeps what was recorded of it."""
    if cell.source.lstrip().startswith("%%"):
        return cell.outputs
    with capture_output() as captured:
        result = shell.run_cell(cell.source)
    if error := result.error_before_exec or result.error_in_exec:
        raise SystemExit(f"{cell.source}\n{type(error).__name__}: {error}")
    shown = [display.data for display in captured.outputs]
    shown += [shell.display_formatter.format(result.result)[0]] if result.result is not None else []
    printed = re.sub(r"(?ms)^Out\[\d+\]:.*", "", captured.stdout)
    spoken = [nbformat.v4.new_output("stream", text=printed)] if printed.strip() else []
    return [*(nbformat.v4.new_output("display_data", data) for data in shown), *spoken]


def prepared(output: Any, cell: int, number: int) -> Any:
    """An output as a page shows it: HTML has a name, links lead to pages, and nobody is told to run anything."""
    data = output.get("data", {})
    if VIEW in data:
        output.data = {VIEW: data[VIEW]}
    elif "text/html" in data:
        said[f"{cell}.{number}"] = hashed(data["text/html"])
        name = f'<div class="g4l-shown" data-at="{cell}.{number}">'
        output.data = {"text/html": f"{name}{to_pages(data['text/html'])}</div>"}
    return output


def to_pages(html: str) -> str:
    """HTML whose links lead to pages, and that tells nobody to run anything."""
    from gpt4lab import place

    return RUN_AGAIN.sub(place.how_to_get("torch"), re.sub(r"\b(\d\d_\w+)\.ipynb", r"\1.html", html))


def page(notebook: Any, scripts: Path) -> dict[str, Any]:
    """What the page's script and its Python know of the chapter; scripts of widgets are written into a folder."""
    state: dict[str, Any] = Widget.get_manager_state(drop_defaults=False)["state"]
    for model in state.values():
        held = model["state"]
        if "_esm" in held:
            held.pop("code", None)  # the drawing library: the page has it
            held["_esm"] = script(held["_esm"], scripts)
        else:
            model["state"] = {name: value for name, value in held.items() if value is not None}
    cells = [None if cell.cell_type != "code" else cell.source.lstrip() for cell in notebook.cells]
    return {"state": state, "cells": cells, "said": said}


def script(text: str, folder: Path) -> str:
    """Write a script, and give its name: a browser reads a file once, whoever asks for it."""
    name = f"{hashed(text)}.js"
    (folder / name).write_text(text, encoding="utf-8")
    return name


if __name__ == "__main__":
    sys.meta_path[sys.meta_path.index(PathFinder)] = Light
    os.environ["GPT4LAB_PLACE"] = "page"
    comm.create_comm = named_comm
    main(Path(sys.argv[1]), Path(sys.argv[2]))
