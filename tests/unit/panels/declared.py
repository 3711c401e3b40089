"""What the chapters declare, found by itself, and what to try on it: for the tests that hold for every panel."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, TypeVar

import pytest

from gpt4lab import chapters

Kind = TypeVar("Kind")


def declared(kind: type[Kind]) -> dict[str, Kind]:
    """Everything of exactly this type that a chapter declares, by "module.name" below `gpt4lab.chapters`.

    Each once: what another module only imports stands under the name that comes first.
    """
    found: dict[str, Kind] = {}
    for module in pkgutil.walk_packages(chapters.__path__, "gpt4lab.chapters."):
        place = module.name.removeprefix("gpt4lab.chapters.")
        for name, value in vars(importlib.import_module(module.name)).items():
            if type(value) is kind and not any(value is known for known in found.values()):
                found[f"{place}.{name}"] = value
    return found


def settings(control: Any) -> list[Any]:
    """Values to try on one control: its bounds and the middle, or all of its options."""
    if control.kind == "number":
        middle = (control.lo * control.hi) ** 0.5 if control.scale == "log" else (control.lo + control.hi) / 2
        values = [control.lo, middle, control.hi]
        return [round(value) for value in values] if control.integer else values
    if control.kind == "text":
        return ["", "1 2", "3 4 200", "5 14 18", "F1 B1 W1", "4=leak", "...gg..." * 8]
    return [value for _, value in control.options] if control.kind == "choice" else [False, True]


def shortened(place: str, constants: Mapping[str, Mapping[str, Any]], patch: pytest.MonkeyPatch) -> None:
    """Set constants of the module that declares a live panel, so that what it runs is short."""
    module = importlib.import_module(f"gpt4lab.chapters.{place.rpartition('.')[0]}")
    for name, value in constants.get(place.rpartition(".")[0], {}).items():
        patch.setattr(module, name, value)
