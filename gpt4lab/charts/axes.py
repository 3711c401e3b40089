"""An axis: which field, what it is called, in which unit, on which scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

# How a number is written on an axis and in a label. SI prefixes; for plain counts "billion" is B, not giga.
FORMS = {
    "number": "{v} == 0 || (abs({v}) >= 0.001 && abs({v}) < 10000) ? format({v}, ',~g') : format({v}, '~s')",
    "count": "abs({v}) < 10000 ? format({v}, ',~g') : replace(format({v}, '~s'), 'G', 'B')",
    "money": "'$' + (abs({v}) < 10000 ? format({v}, ',~g') : replace(format({v}, '~s'), 'G', 'B'))",
    "percent": "format({v}, '~%')",
    "year": "format({v}, 'd')",
}


@dataclass(frozen=True)
class Axis:
    """One field of the rows, drawn along one direction.

    `title` names the quantity and its unit ("Training time, days"); `form` is one of `FORMS`. A fixed `domain` keeps
    the axis still while a slider moves: give it wherever the range is known.
    """

    field: str
    title: str
    log: bool = False
    form: str = "number"
    domain: tuple[float, float] | None = None
    zero: bool = False
    ticks: int = 6

    def label(self) -> str:
        """The Vega expression that writes one tick of this axis."""
        text = FORMS[self.form].format(v="datum.value")
        return f"datum.label == '' ? '' : ({text})"

    def scale(self) -> dict[str, Any]:
        """The Vega-Lite scale of this axis."""
        scale: dict[str, Any] = {"type": "log"} if self.log else {"type": "linear", "zero": self.zero}
        if self.domain:
            return {**scale, "domain": list(self.domain), "nice": False, "clamp": False}
        return {**scale, "nice": not self.log}

    def axis(self, **more: Any) -> dict[str, Any]:
        """The Vega-Lite axis of this axis."""
        return {"labelExpr": self.label(), "tickCount": self.ticks, **more}


def x(axis: Axis, **more: Any) -> alt.X:
    """An axis, laid along x."""
    import altair as alt

    return alt.X(axis.field, type="quantitative", title=axis.title, scale=axis.scale(), axis=axis.axis(), **more)


def y(axis: Axis, **more: Any) -> alt.Y:
    """An axis, laid along y."""
    import altair as alt

    return alt.Y(axis.field, type="quantitative", title=axis.title, scale=axis.scale(), axis=axis.axis(), **more)


def tooltip(*shown: Axis) -> list[alt.Tooltip]:
    """What a pointer over a mark shows: these fields with their titles."""
    import altair as alt

    return [
        alt.Tooltip(a.field, type="quantitative", title=a.title, format=".4~s" if a.form != "percent" else ".3~%")
        for a in shown
    ]
