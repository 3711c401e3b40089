"""An axis: which field, what it is called, in which unit, on which scale."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import altair as alt

# How a number is written on an axis: SI prefixes; for plain counts and money a billion is B, not giga.
# Beyond exa nobody reads prefixes: powers of ten.
_PLAIN = "{v} == 0 || (abs({v}) >= 0.001 && abs({v}) < {most}) ? format({v}, ',~g')"
_EXPONENT = "floor(log(abs({v})) / LN10 + 1e-9)"
_DIGITS = "replace(format({v} / pow(10, " + _EXPONENT + "), '.2~g') + '×', /^1×/, '')"
_SUPERSCRIPTS = str([str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) for power in range(41)])
_POWERS = f"abs({{v}}) >= 1e19 ? {_DIGITS} + '10' + {_SUPERSCRIPTS}[{_EXPONENT}]"
_SI = f"({_PLAIN} : {_POWERS} : format({{v}}, '~s'))"
FORMS = {
    "number": _SI,
    "count": f"replace({_SI}, 'G', 'B')",
    "money": f"'$' + replace({_SI}, 'G', 'B')",
    "percent": "format({v}, '~%')",
    "plain": "format({v}, '~r')",  # years, indices
}
_POWER_OF_TEN = "abs(log({v}) / LN10 - round(log({v}) / LN10)) < 1e-6"


@dataclass(frozen=True)
class Axis:
    """One field of the rows, drawn along one direction.

    `title` names the quantity and its unit ("Training time, days"); `form` is one of `FORMS`. A fixed `domain` keeps
    the axis still while a slider moves: give it wherever the range is known. `more` is a field's own addition to the
    title, in tooltips and tables; the axis itself is named once.
    """

    field: str
    title: str
    log: bool = False
    form: str = "number"
    domain: tuple[float, float] | None = None
    zero: bool = False
    ticks: int = 6
    more: str = ""

    def at(self, field: str, more: str = "") -> Axis:
        """The same axis for another field: the other end of a bar, a bound."""
        return replace(self, field=field, more=more)

    @property
    def heading(self) -> str:
        """What the field is called in tooltips and tables."""
        return self.title + self.more

    def text(self, expression: str) -> str:
        """The Vega expression that writes a number as this axis does."""
        return FORMS[self.form].format(v=expression, most="1e3" if self.log else "1e4")

    def scale(self) -> alt.Scale:
        """The scale: linear or log, over the domain or what the rows need."""
        kind: Any = {"type": "log"} if self.log else {"type": "linear", "zero": self.zero}
        if self.domain:
            return alt.Scale(**kind, domain=list(self.domain), nice=False)
        return alt.Scale(**kind, nice=not self.log)

    def axis(self, **more: Any) -> alt.Axis:
        """Ticks, labels and grid lines; on a log scale only round numbers have them."""
        settings: dict[str, Any] = {"labelExpr": self.text("datum.value"), "tickCount": self.ticks, "labelFlush": False}
        settings["title"] = self.title
        if self.log and self.domain:
            settings |= {"values": log_ticks(*self.domain), "labelOverlap": "parity"}
        elif self.log:
            settings |= _only_powers_of_ten(settings["labelExpr"])
        return alt.Axis(**{**settings, **more})


def log_ticks(lo: float, hi: float) -> list[float]:
    """Round numbers between two bounds: 1, 2, 5 over a short range, then 1, 3, then powers of ten, of a hundred, ..."""
    decades = math.log10(hi / lo)
    digits = (1, 2, 5) if decades <= 1.5 else (1, 3) if decades <= 2.5 else (1,)
    stride = max(1, math.ceil(decades / 7))
    first = math.floor(math.log10(lo)) // stride * stride
    powers = range(first, math.ceil(math.log10(hi)) + 1, stride)
    ticks = [float(f"{digit}e{power}") for power in powers for digit in digits]
    return [tick for tick in ticks if lo * 0.999 <= tick <= hi * 1.001]


def _only_powers_of_ten(label: str) -> dict[str, Any]:
    test = _POWER_OF_TEN.format(v="datum.value")
    shown = {"condition": {"test": test, "value": 1}, "value": 0}
    return {"labelExpr": f"{test} ? {label} : ''", "gridOpacity": shown, "tickOpacity": shown}


def x(axis: Axis, **more: Any) -> alt.X:
    """An axis, laid along x."""
    return alt.X(axis.field, type="quantitative", title=axis.heading, scale=axis.scale(), axis=axis.axis(), **more)


def y(axis: Axis, **more: Any) -> alt.Y:
    """An axis, laid along y."""
    return alt.Y(axis.field, type="quantitative", title=axis.heading, scale=axis.scale(), axis=axis.axis(), **more)


def lanes(field: str, names: list[str], title: str = "") -> alt.Y:
    """Words down the y axis, in the order given; without it, as in the rows."""
    above: Any = {"titleAlign": "right", "titleX": -8, "titleY": -8}
    axis = alt.Axis(labelLimit=240, labelPadding=8, minExtent=0, grid=False, **above)
    return alt.Y(field, type="nominal", title=title or None, sort=names or None, axis=axis)


def heading(field: str) -> str:
    """What a field of words is called in tooltips and tables."""
    known = {"label": "Which", "mark": "Kind"}
    return known.get(field, field.replace("_", " ").capitalize())


def tooltip(*shown: Axis | str) -> list[alt.Tooltip]:
    """What a pointer over a mark shows: these fields with their titles."""
    return [
        alt.Tooltip(a, type="nominal", title=heading(a))
        if isinstance(a, str)
        else alt.Tooltip(
            a.field, type="quantitative", title=a.heading, format=".3~p" if a.form == "percent" else ".4~s"
        )
        for a in shown
    ]
