"""Make the chapters from their text.

    .venv/bin/python -m tools.notebooks             every chapter
    .venv/bin/python -m tools.notebooks 09          those whose file name begins so

The text in notebooks/text is what one edits; the .ipynb beside it is what one reads, before anything has run and where
nothing runs at all. So a cell that ends in `say`, `references` or `closing` stands there as the words that it says now,
numbers and all; what else it computes stays code if a later cell needs it. After a change of a text, number or claim
make them again: a test compares. The same text and the same numbers make the same file, ids included.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from gpt4lab.book.chapter import chapters, closing, introduction, references
from gpt4lab.book.prose import say

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SAID = {"say": say, "references": references, "closing": closing}
Statements = list[ast.stmt]


def main(beginning: str = "") -> None:
    """Write the notebook of each text whose name begins like this."""
    for text in sorted((NOTEBOOKS / "text").glob(f"{beginning}*.md")):
        nbformat.write(made(text), NOTEBOOKS / f"{text.stem}.ipynb")


def made(text: Path) -> nbformat.NotebookNode:
    """The notebook of a text: below the title the chapter's introduction, its sentences in words."""
    notebook = jupytext.read(text)
    name_cells(notebook.cells)
    title, *rest = in_words(notebook.cells)
    numbers = [number for number, chapter in chapters().items() if chapter.file == text.stem]
    below = [new_markdown_cell(str(introduction(number).data), id="introduction") for number in numbers]
    notebook.cells = [title, *below, *rest]
    return notebook


def name_cells(cells: Sequence[Any]) -> None:
    """Give each cell an id that follows from what stands in the text: elsewhere nothing changes with it."""
    taken: set[str] = set()
    for cell in cells:
        name = sha256(f"{cell.cell_type} {cell.source}".encode()).hexdigest()[:8]
        cell.id = next(free for n in range(len(cells)) if (free := f"{name}-{n}" if n else name) not in taken)
        taken.add(cell.id)


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
    """What a sentence says, after those of the earlier statements on which it rests."""
    known: dict[str, Any] = {**SAID}
    exec(compile(ast.Module(behind(names(sentence, ast.Load), earlier), []), "<chapter>", "exec"), known)
    return eval(compile(ast.Expression(sentence.value), "<chapter>", "eval"), known).data


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
