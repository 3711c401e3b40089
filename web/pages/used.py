"""Where a number and a source are used: read off the chapters' texts and code, their panels, and the claims."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TypeVar

from gpt4lab import catalog
from gpt4lab import chapters as package
from gpt4lab.book.chapter import chapters
from gpt4lab.claims import ledger
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import path_of
from gpt4lab.quantities import QUANTITIES
from gpt4lab.scenario import FIELDS

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"(?=\b([a-z_]+\.[a-z_0-9]+)\b)")  # also within scenario.training.mfu
Uses = Mapping[str, list[str]]
Where = TypeVar("Where", str, tuple[str, str])


@cache
def text_of(number: str) -> str:
    """All that is written for a chapter: its text, its words, its code."""
    files = [*(ROOT / "gpt4lab/chapters").glob(f"c{number}_*/*.*"), *(ROOT / "notebooks/text").glob(f"{number}_*.md")]
    return "\n".join(file.read_text("utf-8") for file in sorted(files) if file.suffix in (".py", ".toml", ".md"))


@cache
def in_chapters() -> Uses:
    """Name of a number -> the chapters that use it."""
    return _numbers((name, number) for number in chapters() for name in NAME.findall(text_of(number)))


@cache
def in_claims() -> Uses:
    """Name of a number -> the claims that it judges."""
    return _numbers((name, claim.id) for claim in ledger().values() for name in (*claim.quantity, *claim.expect))


@cache
def in_numbers() -> Uses:
    """Name of a number -> the numbers that are computed from it."""
    return _numbers((path, name) for name in QUANTITIES.names() for path in QUANTITIES[name].inputs.values())


@cache
def in_panels() -> dict[str, list[tuple[str, str]]]:
    """Name of a number -> the panels that move it or name it: chapter and title."""
    modules = [import_module(module.name) for module in walk_packages(package.__path__, f"{package.__name__}.")]
    declared = [(module.__name__, one) for module in modules for one in vars(module).values() if isinstance(one, Panel)]
    chapter = len(package.__name__) + 2  # of gpt4lab.chapters.c09_money
    return _numbers((name, (at[chapter : chapter + 2], one.title)) for at, one in declared for name in _of_panel(one))


def _of_panel(panel: Panel) -> Iterable[str]:
    code = inspect.getsource(panel.view) if inspect.isfunction(panel.view) else ""
    return [*map(path_of, (*panel.controls, *panel.folded)), *NAME.findall(code)]


def _numbers(pairs: Iterable[tuple[str, Where]]) -> dict[str, list[Where]]:
    return grouped((name, where) for name, where in pairs if name in FIELDS or name in QUANTITIES)


def grouped(pairs: Iterable[tuple[str, Where]]) -> dict[str, list[Where]]:
    """What belongs to each name, each once, in order."""
    found: dict[str, dict[Where, None]] = defaultdict(dict)
    for name, where in pairs:
        found[name][where] = None
    return {name: list(where) for name, where in found.items()}


def symbols(path: str) -> list[str]:
    """The symbols under which a number stands in the formulas of others."""
    inputs = [QUANTITIES[name].inputs for name in in_numbers().get(path, [])]
    found = {symbol.rstrip("_") for one in inputs for symbol, there in one.items() if there == path}
    return sorted(symbol for symbol in found if "__" not in symbol)  # such a one a model has, not a formula


# --- sources -----------------------------------------------------------------------------------------


@cache
def cited_in_chapters() -> Uses:
    """Key of a source -> the chapters that list it."""
    calls = [(n, call) for n in chapters() for call in re.findall(r"\breferences\(([^)]*)\)", text_of(n))]
    return grouped((key, number) for number, call in calls for key in re.findall(r'"([^"]+)"', call))


@cache
def cited_by_numbers() -> Uses:
    """Key of a source, or what else stands in its place, -> the numbers whose formula or value is from there."""
    of_quantities = [(QUANTITIES[name].source, name) for name in QUANTITIES.names()]
    of_fields = [(field.source.partition(":")[0], path) for path, field in FIELDS.items()]
    return grouped([*of_quantities, *of_fields])


def cited_by_facts(tables: Iterable[str]) -> Uses:
    """Key of a source -> the entries of the catalog that rest on it, as "models-gpt-3-175b"."""
    items = [(table, item) for table in tables for item in getattr(catalog, table).values()]
    return grouped((one.reference, f"{table}-{item.slug}") for table, item in items for one in item.sources)
