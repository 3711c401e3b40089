"""Every exercise of the book without a page, a kernel or a browser.

A chapter's notebook declares its exercises, beside the prose that leads to them. Here that declaration alone is read
and run: the calls of `exercise`, the statements that make the names in them, and nothing else of the chapter. A panel
in them is no widget but its start, which is all that an exercise asks of it.

The notebooks are those of the package; a reader's copies are not looked at.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from gpt4lab.book.chapter import chapters
from gpt4lab.book.exercises.box import Exercise
from gpt4lab.book.exercises.exercise import declare
from gpt4lab.panels.panel import Panel
from gpt4lab.scenario import Scenario, change, load_scenario

PACKAGE = Path(__file__).resolve().parents[2]
PLACES = (PACKAGE / "shipped" / "notebooks", PACKAGE.parent / "notebooks")  # installed, or beside the package
ASKS, STANDS = "exercise", "widget"


class NoChapters(ValueError):
    """The package came without its notebooks."""


@attrs.frozen
class Start:
    """What an exercise asks of a panel: where it starts."""

    scenario: Scenario

    @classmethod
    def of(cls, panel: Panel, scenario: Scenario | None = None) -> Start:
        """As `panel.widget(scenario)` would stand, with what its view moves along."""
        start = scenario or load_scenario(panel.start)
        return cls(change(start, panel.view(start).follow))


@cache
def exercises(number: str) -> Mapping[str, Exercise]:
    """The exercises of a chapter by key, in its order. Raises NoChapters."""
    found: dict[str, Exercise] = {}

    def declared(key: str, prompt: str, **asked: Any) -> None:
        found[key] = declare(key, prompt, **asked)

    alone = ast.Module([_Alone().visit(each) for each in calls(number, ASKS)], [])
    exec(compile(ast.fix_missing_locations(alone), number, "exec"), {"_declared": declared, "_start": Start.of})
    return found


def calls(number: str, name: str) -> list[ast.stmt]:
    """The statements of a chapter that call this by itself, and what makes the names in them. Raises NoChapters."""
    names: set[str] = set()
    kept: list[ast.stmt] = []
    for statement in reversed([*_statements(number)]):
        if _calls(statement, name) or _bound(statement) & names:
            kept.append(statement)
            names |= _names(statement, ast.Load)
    return kept[::-1]


def _statements(number: str) -> Iterator[ast.stmt]:
    """The code of a chapter, but for cells that need torch and those of the reader."""
    name = f"{chapters()[number].file}.ipynb"
    file = next((place / name for place in PLACES if (place / name).is_file()), None)
    if file is None:
        raise NoChapters(f"chapter {number} is not in this package: {name} lies neither in it nor beside it")
    cells = (cell for cell in json.loads(file.read_text("utf-8"))["cells"] if cell["cell_type"] == "code")
    sources = ("".join(cell["source"]) for cell in cells)
    return (each for source in sources if not source.startswith("%%") for each in ast.parse(source).body)


def _calls(statement: ast.stmt, wanted: str) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name == wanted
        case _:
            return False


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    return _names(statement, ast.Store)


def _names(statement: ast.stmt, use: type[ast.expr_context]) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, use)}


class _Alone(ast.NodeTransformer):
    """Declare in place of showing: `exercise(...)` and `panel.widget(...)`."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call, and those within it."""
        self.generic_visit(node)
        match node.func:
            case ast.Name(id=name) if name == ASKS:
                node.func = ast.Name("_declared", ast.Load())
            case ast.Attribute(value=panel, attr=attribute) if attribute == STANDS:
                return ast.Call(ast.Name("_start", ast.Load()), [panel, *node.args], node.keywords)
        return node
