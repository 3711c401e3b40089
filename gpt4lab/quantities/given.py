"""What a look sets for itself: numbers, arrays or words at paths, held against what each field can mean.

A look may leave a field's slider, and set a whole number between two others, as a sweep does; but a share stays a share
and a count begins at one. Numbers of any library are taken: what Python calls real, and arrays by their `ndim`.
"""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gpt4lab.scenario import FIELDS, PRODUCTS, RENAMED, Scenario, ScenarioError, change
from gpt4lab.scenario.field import Field, allowed, plain
from gpt4lab.units import cut

Given = Mapping[str, Any]


def looked(scenario: Scenario, given: Given) -> tuple[Scenario, dict[str, Any]]:
    """The scenario with the words that a look sets, and the numbers beside it, each cleaned.

    Words change the scenario itself, because facts are read behind them: "cluster.accelerator". Raises ScenarioError.
    """
    given = {RENAMED.get(path, path): found for path, found in given.items()}
    words = {path: found for path, found in given.items() if _is_word(FIELDS.get(path), found)}
    numbers = {path: clean(path, found) for path, found in given.items() if path not in words}
    _refuse_contradiction(scenario, numbers)
    return (_with(scenario, tuple(words.items())) if words else scenario), numbers


def worded(scenario: Scenario, given: Given) -> tuple[Scenario, dict[str, Any]]:
    """The same for a search, which judges what it finds: the numbers as they are. Raises ScenarioError."""
    words = tuple((path, found) for path, found in given.items() if isinstance(found, str))
    return _with(scenario, words), {path: found for path, found in given.items() if not isinstance(found, str)}


def _refuse_contradiction(scenario: Scenario, numbers: Given) -> None:
    """Raise ScenarioError where a product and its first field are both given, and do not agree."""
    both = [path for path, (first, _) in PRODUCTS.items() if path in numbers and first in numbers]
    parts = {part: numbers[part] for path in both for part in (path, *PRODUCTS[path]) if part in numbers}
    if parts and not any(hasattr(part, "ndim") for part in parts.values()):
        change(scenario, parts)


def _is_word(field: Field | None, found: Any) -> bool:
    """Whether a field wants a word. Raises ScenarioError where it does and has none."""
    wants = field is not None and bool(field.catalog or field.choices)
    if field and wants and not isinstance(found, str):
        raise ScenarioError(f"{field.path} = {_shown(found)} is not a name; {allowed(field)}.")
    return wants


@lru_cache(maxsize=256)
def _with(scenario: Scenario, words: tuple[tuple[str, str], ...]) -> Scenario:
    return change(scenario, dict(words))


def clean(path: str, found: Any) -> Any:
    """A number or array of floats that the field or quantity at `path` can be. Raises ScenarioError for all else.

    Arrays of integers and of short floats become float64, so that nothing overflows.
    """
    number = found if type(found) in (int, float) else _as_number(found)
    field = FIELDS.get(path)
    if number is None or not _can_be(field, *_ends(number)):
        words = f"{field.sense_in_words}; {allowed(field)}" if field else "a finite number"
        raise ScenarioError(f"{cut(path)} = {_shown(found if number is None else number)} is not {words}.")
    return number


def _as_number(found: Any) -> Any:
    """A plain number or an array of floats; None for what is neither."""
    number = plain(found)
    if isinstance(number, (int, float)):
        return None if isinstance(number, bool) else number
    if hasattr(found, "to_numpy"):  # a column of a table, whose min() would pass over what is missing
        found = found.to_numpy()
    if not hasattr(found, "ndim") or getattr(found.dtype, "kind", "") not in "iuf":
        return None
    return found if str(found.dtype) == "float64" else found.astype("float64")


def _ends(number: Any) -> tuple[Any, Any]:
    """The least and the largest; NaN where one is none, or where there is nothing."""
    if not hasattr(number, "ndim"):
        return number, number
    return (number.min(), number.max()) if number.size else (math.nan, math.nan)


def _can_be(field: Field | None, lo: Any, hi: Any) -> bool:
    least, most = field.sense if field else (-math.inf, math.inf)
    return -sys.float_info.max <= lo <= hi <= sys.float_info.max and least <= lo and hi <= most


def said(given: Given) -> str:
    """What a look sets, in words: "training.mfu = 0.4 and cluster.gpus = 10 to 1,000"."""
    return " and ".join(f"{cut(path)} = {_shown(found)}" for path, found in given.items())


def _shown(found: Any) -> str:
    """A value for an error: short, whatever it is; of an array its ends."""
    kind = getattr(getattr(found, "dtype", None), "kind", "")
    if kind and kind in "iuf" and found.size:
        return f"{found.min():,.6g} to {found.max():,.6g} (an array)"
    return "a number beyond 1e308" if type(found) is int and found.bit_length() > 1024 else reprlib.repr(found)
