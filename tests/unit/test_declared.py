"""What the package imports, it declares: what is loaded with it as a dependency, what only some need in an extra."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

OWN = {"gpt4lab"}
#: What Jupyter's kernel and widgets bring along, and could not be without; Pyodide brings its own.
BROUGHT = {"IPython": "ipywidgets", "traitlets": "ipywidgets", "comm": "ipywidgets", "pyodide_kernel": "ipywidgets"}


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Each package that a module imports, and whether it is imported with it, outside of every function."""
    tree = ast.parse(file.read_text("utf-8"))
    late = {
        id(inside)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _for_types(node)
        for inside in ast.walk(node)
    }
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        yield from ((name.partition(".")[0], id(node) not in late) for name in names)


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@cache
def foreign(root: Path) -> dict[str, dict[str, bool]]:
    """Package -> the modules that import it -> whether each loads it at once."""
    found: dict[str, dict[str, bool]] = {}
    for file in (root / "gpt4lab").rglob("*.py"):
        for name, at_once in imports(file):
            if name not in sys.stdlib_module_names | OWN:
                modules = found.setdefault(name, {})
                where = file.relative_to(root).as_posix()
                modules[where] = modules.get(where, False) or at_once
    return found


def declared(root: Path) -> dict[str, set[str]]:
    """What each extra asks for, and "" for the dependencies of all."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: {re.split(r"[\[<>=; ]", line)[0].lower() for line in lines} for extra, lines in lists.items()}


@cache
def brought_by() -> Mapping[str, list[str]]:
    """It reads the records of every package that is installed: a second."""
    return packages_distributions()


def called(package: str) -> set[str]:
    """The distributions that bring a package, by their names in pyproject.toml."""
    names = brought_by().get(package) or [BROUGHT.get(package, package)]
    return {BROUGHT.get(package, re.sub(r"[-_.]+", "-", name).lower()) for name in names}


def test_each_import_is_declared(root: Path) -> None:
    known = declared(root)
    anywhere = set().union(*known.values())
    assert {name: [*where] for name, where in foreign(root).items() if not called(name) & anywhere} == {}


#: Folders whose modules may load what an extra brings: live models need torch, simulations numpy.
WITH_EXTRAS = ("gpt4lab/toys/", "gpt4lab/distributed/", "gpt4lab/simulate/")


def test_what_is_loaded_at_once_comes_with_the_package(root: Path) -> None:
    always = declared(root)[""]
    late = {
        name: [file for file, at_once in where.items() if at_once and not file.startswith(WITH_EXTRAS)]
        for name, where in foreign(root).items()
        if not called(name) & always
    }
    assert {name: where for name, where in late.items() if where} == {}


def test_nothing_is_declared_in_vain(root: Path) -> None:
    used = set().union(*map(called, foreign(root)))
    assert declared(root)[""] - used == set()


def test_it_finds_what_is_not_declared(tmp_path: Path) -> None:
    (tmp_path / "gpt4lab").mkdir()
    (tmp_path / "gpt4lab" / "new.py").write_text("import os, requests.adapters\ndef f():\n    from yaml import load\n")
    assert foreign(tmp_path) == {"requests": {"gpt4lab/new.py": True}, "yaml": {"gpt4lab/new.py": False}}
