"""A guess on the axis of its result: a point, and a band in which the reader is fairly sure that the number lies.

    guess = BandControl("Your guess", "USD", 1e6, 1e10)         # log, as it spans decades; the point in the middle
    guess.low, guess.value, guess.high, guess.why               # what the reader has chosen
    BandControl("Your guess", "USD", 1e6, 1e10, value=4e7, low=1e7, high=None, truth=5.7e7, fixed=True, told="...")

Three handles: each is dragged, typed, or moved by keys. On a log axis the band's end at an end of the axis lies open.
Nothing moves where it is `fixed`: `truth` is then drawn over the guess, and `told` says the same in words.
"""

from __future__ import annotations

import math
from typing import Any

import traitlets as t

from gpt4lab.charts.axes import log_ticks
from gpt4lab.panels.controls import NO_ECHO, Control, NumberControl, read_beside

TWO_DECADES = 100
MOST_TICKS = 6


class BandControl(NumberControl):
    """A point and a band around it, from `lo` to `hi`.

    Raises
    ------
    ControlError
        On a value or an end of the band that is no number or out of range, or a broken range.

    """

    _esm = str(Control._esm) + read_beside("band.js")

    low = t.Float(None, allow_none=True).tag(sync=True, echo_update=NO_ECHO)
    high = t.Float(None, allow_none=True).tag(sync=True, echo_update=NO_ECHO)
    banded = t.Bool(False, help="whether somebody has set the band; else the point carries it along").tag(sync=True)
    why = t.Unicode("").tag(sync=True, echo_update=NO_ECHO)
    ticks = t.List(t.Float()).tag(sync=True)
    fixed = t.Bool(False).tag(sync=True)
    truth = t.Any(None).tag(sync=True)
    truth_words = t.Unicode().tag(sync=True)
    guess_words = t.Unicode().tag(sync=True)
    told = t.Unicode(help="guess and truth in words, where nothing moves").tag(sync=True)

    def __init__(self, label: str, unit: str, lo: float, hi: float, *, integer: bool = False, **options: Any) -> None:
        scale = "log" if is_log(lo, hi, unit) else "linear"
        low, value, high = (_at(share, lo, hi, scale, integer) for share in (0.25, 0.5, 0.75))
        given = {"value": value, "low": low, "high": high, **options}
        super().__init__(label, unit, lo, hi, scale=scale, integer=integer, ticks=_ticks(lo, hi, scale), **given)
        self.kind = "band"

    @property
    def band(self) -> tuple[float | None, float | None]:
        """The ends of the band around the value; None where one lies open."""
        return _open(self, min, self.low, self.lo), _open(self, max, self.high, self.hi)

    @t.validate("low", "high")
    def _end(self, proposal: dict[str, Any]) -> float | None:
        return self._inside(proposal)


def is_log(lo: float, hi: float, unit: str) -> bool:
    """Whether an axis is a log one: of a ratio, or where it spans two decades."""
    return lo > 0 and (unit == "x" or hi / lo >= TWO_DECADES)


def _open(control: BandControl, outer: Any, end: float | None, bound: float) -> float | None:
    if end is None or (control.scale == "log" and outer(end, bound) == end == bound):
        return None
    return outer(end, control.value)


def _at(share: float, lo: float, hi: float, scale: str, integer: bool) -> float:
    """The number at a share of the axis, to two digits."""
    exact = lo * (hi / lo) ** share if scale == "log" else lo + (hi - lo) * share
    near = min(hi, max(lo, float(f"{exact:.2g}")))
    return min(math.floor(hi), max(math.ceil(lo), round(near))) if integer else near


def _ticks(lo: float, hi: float, scale: str) -> list[float]:
    """Round numbers on the axis."""
    if scale == "log":
        return log_ticks(lo, hi)
    raw = (hi - lo) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= raw)
    first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, last + 1)]
