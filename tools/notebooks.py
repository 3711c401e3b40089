"""Make the chapters from their text.

    .venv/bin/python tools/notebooks.py             every chapter
    .venv/bin/python tools/notebooks.py 09          those whose file name begins so

The text in notebooks/text is what one edits; the .ipynb beside it is what one reads. Cell ids are kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import jupytext
import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def main(beginning: str = "") -> None:
    """Write the notebook of each text whose name begins like this."""
    for text in sorted((NOTEBOOKS / "text").glob(f"{beginning}*.md")):
        write(text, NOTEBOOKS / f"{text.stem}.ipynb")


def write(text: Path, notebook: Path) -> None:
    """Write one notebook; a cell that stands where it stood keeps its id."""
    made = jupytext.read(text)
    if notebook.exists():
        kept = {(cell.cell_type, cell.source): cell.id for cell in nbformat.read(notebook, as_version=4).cells}
        for cell in made.cells:
            cell.id = kept.pop((cell.cell_type, cell.source), cell.id)
    nbformat.write(made, notebook)


if __name__ == "__main__":
    main(*sys.argv[1:2])
