"""Numbers inside a formula: three or four digits, powers of ten in steps of a thousand, as in 277×10⁹."""

from __future__ import annotations

import math
from typing import Any

from gpt4lab.units import SUPERSCRIPT


def plain_number(value: Any) -> str:
    """Plain characters: 277×10⁹, 0.34, 25,000; anything that is not a number is written as it is."""
    mantissa, exponent = _parts(value)
    return mantissa if not exponent else f"{mantissa}×10{str(exponent).translate(SUPERSCRIPT)}"


def latex_number(value: Any) -> str:
    r"""`277 \times 10^{9}`, `0.34`, `25{,}000`."""
    mantissa, exponent = _parts(value)
    if not isinstance(value, (int, float)):
        return rf"\text{{{mantissa}}}"
    mantissa = mantissa.replace(",", "{,}")
    return mantissa if not exponent else rf"{mantissa} \times 10^{{{exponent}}}"


def _parts(value: Any) -> tuple[str, int]:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return str(value), 0
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return _plain(value), 0
    exponent = 3 * math.floor(math.log10(abs(value)) / 3)
    return _plain(value / 10.0**exponent), exponent


def _plain(value: float) -> str:
    if abs(value - round(value)) < 1e-9 * max(1.0, abs(value)):
        return f"{round(value):,}"
    return f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
