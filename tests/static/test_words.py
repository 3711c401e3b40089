"""One meaning a word: a class has one home, and so have the types of rows and arrays."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

#: The records of a scenario are named as the paths of their fields: `training.mfu` is of `Training`.
GROUPS = "gpt4lab/scenario/records.py"
TYPES = {"Row", "Rows", "Num", "Floats", "Ints"}


def defined(file: Path) -> Iterator[str]:
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        if isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name) and target.id in TYPES)


def test_a_class_has_one_home(root: Path) -> None:
    homes = defaultdict(list)
    for file in sorted((root / "gpt4lab").rglob("*.py")):
        place = file.relative_to(root).as_posix()
        for name in defined(file) if place != GROUPS else ():
            homes[name].append(place)
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}
    assert len(homes) > 100
