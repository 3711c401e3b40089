"""Make the chapters from their text.

    .venv/bin/python -m tools.notebooks             every chapter
    .venv/bin/python -m tools.notebooks 09          those whose file name begins so

The text in notebooks/text is what one edits; the .ipynb beside it is what one reads, before anything has run and where
nothing runs at all. So a cell that ends in `say`, `references`, `closing` or `colophon` stands there as the words that
it says now, numbers and all; what else it computes stays code if a later cell needs it. A cell that shows a panel of
its chapter holds what that opens with, standing still (stills.py), a `%%live` cell what it once showed (live_cells.py).
After a change of a text, number, claim or chart make them again: a test compares, the pictures by the numbers that they
draw.
The same text and the same numbers make the same file, ids included.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from gpt4lab.book.chapter import chapters, closing, introduction, references
from gpt4lab.book.colophon import colophon
from gpt4lab.book.prose import say
from tools.live_cells import recorded
from tools.stills import DRAWN, HOW, still

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SAID = {"say": say, "references": references, "closing": closing, "colophon": colophon}
AGAIN = f"<p><em>The panel from above, once more. {HOW}</em></p>"
Statements = list[ast.stmt]


def main(beginning: str = "") -> None:
    """Write the notebook of each text whose name begins like this."""
    for text in sorted((NOTEBOOKS / "text").glob(f"{beginning}*.md")):
        nbformat.write(made(text), NOTEBOOKS / f"{text.stem}.ipynb")


def made(text: Path, draw: bool = True) -> nbformat.NotebookNode:
    """The notebook of a text: below its opening the chapter's introduction; sentences in words, panels still.

    draw: whether with their pictures.
    """
    notebook = jupytext.read(text)
    name_cells(notebook.cells)
    with unread():
        for at, cell in enumerate(notebook.cells):
            if output := still(panel_of(cell, notebook.cells[:at]), draw) or recorded(text, cell.source, draw):
                cell.outputs = [output]
    title, opening, *rest = in_words(notebook.cells)
    numbers = [number for number, chapter in chapters().items() if chapter.file == text.stem]
    below = [new_markdown_cell(str(introduction(number).data), id="introduction") for number in numbers]
    notebook.cells = [title, opening, *below, *rest]
    tell_once(notebook.cells)
    draw_once(notebook.cells)
    for cell in notebook.cells:
        cell.source = "\n" * is_folded(cell) + cell.source  # JupyterLab shows the first line of what is folded
    return notebook


def is_folded(cell: Any) -> bool:
    """Whether the code of a cell is folded away."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def name_cells(cells: Sequence[Any]) -> None:
    """Give each cell an id that follows from what stands in the text: elsewhere nothing changes with it."""
    taken: set[str] = set()
    for cell in cells:
        name = sha256(f"{cell.cell_type} {cell.source}".encode()).hexdigest()[:8]
        cell.id = next(free for n in range(len(cells)) if (free := f"{name}-{n}" if n else name) not in taken)
        taken.add(cell.id)


@contextmanager
def unread() -> Iterator[None]:
    """As for a reader who has done nothing yet: what the maker of the book has kept stands in no notebook."""
    with TemporaryDirectory() as empty, patch.dict(os.environ, GPT4LAB_STATE=empty):
        yield


# --- panels ------------------------------------------------------------------------------------------


def panel_of(cell: Any, before: Sequence[Any]) -> Any:
    """What a cell shows of its chapter's own, made anew; None for everything else, and for a cell that needs torch."""
    *own, last = statements(cell) or [ast.Pass()]
    if cell.source.startswith("%%") or not isinstance(last, ast.Expr):
        return None
    earlier = [statement for each in before if not each.source.startswith("%%") for statement in statements(each)]
    shown, known = not_begun(last.value), [*earlier, *own]
    return computed(shown, known) if is_of_a_chapter(shown, known) else None


def not_begun(shown: ast.expr) -> ast.expr:
    """A live run as it is before it starts."""
    match shown:
        case ast.Call(func=ast.Attribute(value=run, attr="start")):
            return run
        case _:
            return shown


def is_of_a_chapter(shown: ast.expr, earlier: Statements) -> bool:
    """Whether this calls something that was imported from a chapter, by itself or under a name of the notebook."""
    for statement in reversed(earlier):
        if (
            isinstance(shown, ast.Name)
            and isinstance(statement, ast.Assign)
            and shown.id in names(statement, ast.Store)
        ):
            shown = statement.value
    if not isinstance(shown, ast.Call):
        return False
    maker = shown.func
    while isinstance(maker, ast.Attribute):
        maker = maker.value
    ours = [each for each in earlier if isinstance(each, ast.ImportFrom) and "gpt4lab.chapters" in str(each.module)]
    return isinstance(maker, ast.Name) and any(maker.id in names(each, ast.Store) for each in ours)


def tell_once(cells: Sequence[Any]) -> None:
    """Leave the line that says what a number is at its first place in a chapter: a file has no room for more."""
    told: set[str] = set()

    def first(line: re.Match[str]) -> str:
        again = line[0] in told
        told.add(line[0])
        return "" if again else line[0]

    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r'(?<=") title="[^"]*"', first, cell.source)


def draw_once(cells: Sequence[Any]) -> None:
    """Draw a panel that comes again, under an exercise, at its first place alone."""
    drawn: set[str] = set()
    for output in (output for cell in cells for output in cell.get("outputs", ())):
        shown = DRAWN.sub("", output.data["text/html"])  # a picture numbers its parts
        output.data["text/html"] = AGAIN if shown in drawn else output.data["text/html"]
        drawn.add(shown)


# --- sentences ---------------------------------------------------------------------------------------


def in_words(cells: Sequence[Any]) -> list[Any]:
    """The cells of the notebook, in order. From the end: what a sentence computes is kept where later code needs it."""
    kept: list[Any] = []
    needed: set[str] = set()
    for at in reversed(range(len(cells))):
        pieces = list(pieces_of(cells[at], cells[:at], needed))
        needed |= {name for piece in pieces for statement in statements(piece) for name in names(statement, ast.Load)}
        kept = pieces + kept
    return kept


def pieces_of(cell: Any, before: Sequence[Any], needed: set[str]) -> Iterator[Any]:
    """A cell as it is; one that ends in a sentence as the words, below the code of it that is needed later."""
    *own, last = statements(cell) or [ast.Pass()]
    if not (isinstance(last, ast.Expr) and is_sentence(last.value)):
        yield cell
        return
    if code := [ast.unparse(statement) for statement in behind(needed, own)]:
        yield new_code_cell("\n".join(code), id=f"{cell.id}-code", metadata=cell.metadata)
    earlier = [statement for each in before for statement in statements(each)]
    yield new_markdown_cell(words(last, [*earlier, *own]).strip(), id=cell.id)


def is_sentence(node: ast.expr) -> bool:
    """Whether this is a call that says something."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAID


def words(sentence: ast.Expr, earlier: Statements) -> str:
    """What a sentence says."""
    return computed(sentence.value, earlier).data


def computed(expression: ast.expr, earlier: Statements) -> Any:
    """What an expression gives, after those of the earlier statements on which it rests."""
    known: dict[str, Any] = {**SAID}
    wanted = names(ast.Expr(expression), ast.Load)
    exec(compile(ast.Module(behind(wanted, earlier), []), "<chapter>", "exec"), known)
    return eval(compile(ast.Expression(expression), "<chapter>", "eval"), known)


def behind(wanted: set[str], earlier: Statements) -> Statements:
    """The statements that give these names their values, and those behind them, in order."""
    wanted, found = set(wanted), list[ast.stmt]()
    for statement in reversed(earlier):
        if names(statement, ast.Store) & wanted:
            found.insert(0, statement)
            wanted |= names(statement, ast.Load)
    return found


def statements(cell: Any) -> Statements:
    """The statements of a code cell, its magics left out."""
    lines = cell.source.splitlines() if cell.cell_type == "code" else []
    return ast.parse("\n".join(line for line in lines if not line.startswith("%"))).body


def names(statement: ast.stmt, how: type[ast.expr_context]) -> set[str]:
    """The names that a statement reads (ast.Load) or binds (ast.Store)."""
    found = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, how)}
    return found | (bound_otherwise(statement) if how is ast.Store else set())


def bound_otherwise(statement: ast.stmt) -> set[str]:
    """What an import, a function or a class binds."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    return {statement.name} if isinstance(statement, ast.FunctionDef | ast.ClassDef) else set()


if __name__ == "__main__":
    main(*sys.argv[1:2])
