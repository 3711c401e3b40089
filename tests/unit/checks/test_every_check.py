"""All that returns `Checks` and asks for nothing: found by its signature, held to one contract."""

from __future__ import annotations

import ast
import importlib
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

import gpt4lab
from gpt4lab import catalog
from gpt4lab.checks.check import HERE, Check, Checks
from gpt4lab.checks.fsdp import GROUPS
from gpt4lab.checks.tables import tables
from gpt4lab.units import factor

PACKAGE = Path(gpt4lab.__file__).parent


def declared() -> Iterator[tuple[str, str]]:
    """Module and name of every public function that returns Checks and can be called without arguments."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and _returns_checks(node) and not node.name.startswith("_"):
                yield module, node.name


def _returns_checks(node: ast.FunctionDef) -> bool:
    closed = len(node.args.args) == len(node.args.defaults) and None not in node.args.kw_defaults
    return closed and isinstance(node.returns, ast.Name) and node.returns.id == "Checks"


FOUND = list(declared())
TABLES = {table.title: table.checks for table in tables()}


def contract(check: Check) -> None:
    assert check.what
    assert factor(check.unit, f"({check.unit})") == pytest.approx(1), f"{check.unit}: a unit of the book"
    assert check.where in catalog.references or check.where.endswith(HERE)
    assert math.isfinite(check.predicted)
    assert check.predicted > 0
    # A count may come out as none, as the problems after a cut-off do; whatever else is measured is more than nothing.
    assert check.found > 0 or (check.found, check.unit) == (0, "1")


@pytest.mark.parametrize(("module", "name"), FOUND, ids=[f"{module}.{name}" for module, name in FOUND])
def test_what_returns_checks_keeps_their_contract(module: str, name: str) -> None:
    checks = getattr(importlib.import_module(module), name)()
    assert isinstance(checks, Checks)
    assert checks
    for check in checks:
        contract(check)


@pytest.mark.parametrize("title", TABLES)
def test_a_table_of_checks_keeps_their_contract(title: str) -> None:
    for check in TABLES[title]:
        contract(check)
        assert check.found > 0, "the mean error of a table is published: each of its rows has one"


def test_the_search_finds_all_but_those_that_ask_for_an_argument() -> None:
    found = {check for module, name in FOUND for check in getattr(importlib.import_module(module), name)()}
    assert {title for title, checks in TABLES.items() if not set(checks) <= found} == {
        *GROUPS,
        "Megatron-LM 2021, Table 2, tensor and pipeline parallel",
        "Megatron-LM 2021, Table 2, ZeRO-3",
        "Speculative decoding, expected by its authors",
    }


def test_the_noun_is_declared_once() -> None:
    nouns = [
        (path.relative_to(PACKAGE).as_posix(), node.name)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and node.name in ("Check", "Checks")
    ]
    assert sorted(nouns) == [("checks/check.py", "Check"), ("checks/check.py", "Checks")]
