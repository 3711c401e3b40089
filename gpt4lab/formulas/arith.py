"""Arithmetic that works on a float and on an array alike.

Formulas are written with plain operators; the few functions that Python's operators lack are here. Each one looks at
its argument: a plain number goes to `math`, anything else to the array library that the argument brought with it.
So this module imports no array library, and a formula runs in a browser's Python that has none.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

#: A float, an int, or an array of them: formulas do not care. (Typed as float because arrays behave like one.)
Num = float


#: Plain numbers. (Any, since a number that is typed as one may be an array.)
_PLAIN: Any = (int, float)


def _namespace(*values: Any) -> ModuleType:
    """The array library of the first argument that is an array."""
    for value in values:
        if hasattr(value, "__array_namespace__"):
            return value.__array_namespace__()
    raise TypeError(f"neither a number nor an array: {values!r}")


def maximum(a: Num, b: Num) -> Num:
    """The larger of two numbers, element by element for arrays."""
    if isinstance(a, _PLAIN) and isinstance(b, _PLAIN):
        return b if b > a else a
    return _namespace(a, b).maximum(a, b)


def minimum(a: Num, b: Num) -> Num:
    """The smaller of two numbers, element by element for arrays."""
    if isinstance(a, _PLAIN) and isinstance(b, _PLAIN):
        return b if b < a else a
    return _namespace(a, b).minimum(a, b)


def where(condition: bool, a: Num, b: Num) -> Num:
    """`a` where the condition holds, else `b`."""
    if condition is True or condition is False or isinstance(condition, _PLAIN):
        return a if condition else b
    return _namespace(condition).where(condition, a, b)


def ceil(a: Num) -> Num:
    """The next whole number."""
    return math.ceil(a) if isinstance(a, _PLAIN) else _namespace(a).ceil(a)


def floor(a: Num) -> Num:
    """The last whole number."""
    return math.floor(a) if isinstance(a, _PLAIN) else _namespace(a).floor(a)


def sqrt(a: Num) -> Num:
    """The square root."""
    return math.sqrt(a) if isinstance(a, _PLAIN) else _namespace(a).sqrt(a)


def exp(a: Num) -> Num:
    """e to the power a."""
    return math.exp(a) if isinstance(a, _PLAIN) else _namespace(a).exp(a)


def log(a: Num) -> Num:
    """The natural logarithm."""
    return math.log(a) if isinstance(a, _PLAIN) else _namespace(a).log(a)
