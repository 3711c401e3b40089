"""The commonest panel, declared: one quantity along one path, a line for each variant, and the four marks on it.

    bubble = Curve(
        title="A pipeline must fill and drain",
        of="pipeline.bubble",
        along="pipeline.micro_batches",
        at=[10 ** (step / 20) for step in range(61)],
        x=Axis("m", "Micro-batches in a step", log=True, domain=(1, 1000)),
        y=Axis("idle", "Share of the step in which a GPU waits", form="percent", domain=(0, 1)),
        series="schedule",
        lines={"plain": {"cluster.interleave": 1}, "4 chunks": {"cluster.interleave": 4}},
        label="Pipeline bubble",
        says="{cluster.replicas} share the batch; {training.mfu_after_bubble} is left.",
        alt="Idle share of a step against micro-batches: it falls with their number.",
        controls=("cluster.interleave", "training.batch_tokens"),
    )

The reader stands where the path and the quantity are under their scenario, the post where they are under its own.
A panel that wants more than this is a `Panel` with a view; it may still draw by `lines_chart`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from gpt4lab.charts import Axis, line
from gpt4lab.charts.compose import added, roomy
from gpt4lab.charts.marks import pinned, ticks
from gpt4lab.charts.theme import MARKS
from gpt4lab.claims.prose import fill
from gpt4lab.panels.panel import Panel, method
from gpt4lab.panels.setting import Pull, path_of
from gpt4lab.panels.view import Rows, View
from gpt4lab.quantities import unit_of, value
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.scenario.rules import LayoutError
from gpt4lab.verdict.bands import Leeway

#: Words on the line -> what is set there (`values`' given), or the name of another quantity to draw.
Lines = Mapping[str, Mapping[str, Any] | str]


def lines_chart(
    x: Axis, y: Axis, series: str = "", order: Sequence[str] = (), right: int = 0, **look: Any
) -> Callable[[View], Any]:
    """The chart of a view's rows: its lines, and those of marks and ticks that it has rows for.

    right: room beside the plot in px, for names that are not there yet. look: what else `charts.line` takes, such as
    `measured=[]` for a mark whose rows come later.
    """

    def chart(view: View) -> Any:
        rows = view.datasets
        marks: Any = {name: rows[name] for name in (*MARKS, "recorded", "band") if name in rows}
        drawn = line(rows["data"], x, y, series or None, order=order, **{**look, **marks})
        drawn = added(drawn, *ticks(x, y), ticks=rows["ticks"]) if "ticks" in rows else drawn
        return roomy(drawn, right) if right else drawn

    return chart


@attrs.frozen(kw_only=True)
class Curve(Panel):
    """The declaration of such a panel.

    of, along: the quantity, and the path whose values `at` are set for the lines; x, y: their axes.
    series: the field of the rows that names a line. lines: the variants, or Scenario -> the variants.
    says: the sentence as a template of `claims.prose`, or Scenario -> such a template.
    post: Scenario -> the post's value of the quantity; None where it has none. whose: Scenario -> what that is called.
    also: Scenario -> further rows by dataset (ticks, published), or others for a mark than its own.
    """

    of: str
    along: str
    at: Sequence[float]
    x: Axis
    y: Axis
    label: str
    says: str | Callable[[Scenario], str]
    alt: str
    unit: str = attrs.field(default=attrs.Factory(lambda curve: unit_of(curve.of), takes_self=True))
    series: str = ""
    lines: Lines | Callable[[Scenario], Lines] = attrs.field(factory=lambda: {"": {}})
    post: Callable[[Scenario], Any] | None = attrs.field(
        default=attrs.Factory(lambda curve: lambda _: value(curve.of, load_scenario("leak")), takes_self=True)
    )
    whose: Callable[[Scenario], str] = lambda _: "the post"
    also: Callable[[Scenario], Mapping[str, Rows]] = lambda _: {}
    pulls: Mapping[str, Pull] = attrs.field(default=attrs.Factory(lambda curve: curve._along(), takes_self=True))
    number: str = attrs.field(default=attrs.Factory(lambda curve: curve.of, takes_self=True))
    view: Callable[[Scenario], View] = attrs.field(init=False, default=method("_curve_view"))
    chart: Callable[[View], Any] = attrs.field(init=False, default=method("_curve_chart"))

    def _curve_view(self, scenario: Scenario) -> View:
        here, stated = value(self.of, scenario), self.post(scenario) if self.post else None
        return View(
            label=self.label,
            value=here,
            unit=self.unit,
            post=stated,
            whose=self.whose(scenario),
            sentence=fill(self.says if isinstance(self.says, str) else self.says(scenario), scenario),
            rows={
                "data": self.rows(scenario),
                "you": [pinned(self._place(value(self.along, scenario), here), self.x, self.y)],
                **({"post": [self._place(value(self.along, load_scenario("leak")), stated)]} if self.post else {}),
                **self.also(scenario),
            },
            alt=self.alt,
        )

    def rows(self, scenario: Scenario) -> list[dict[str, Any]]:
        """The points of all lines."""
        return [
            self._place(at, self._on_line(given, at, scenario)) | ({self.series: words} if self.series else {})
            for words, given in self.variants(scenario).items()
            for at in self.at
        ]

    def variants(self, scenario: Scenario) -> Lines:
        """The lines that there are to draw."""
        return self.lines(scenario) if callable(self.lines) else self.lines

    def along_of(self) -> str:
        """As every panel; here it draws such a line."""
        return self.along

    def along_at(self) -> Sequence[float]:
        """The places of the line."""
        return self.at

    def banded(self, found: Leeway) -> Mapping[str, Any]:
        """The band of the reader's own line, place by place, as far as the axis can show it."""
        known = ((at, *ends) for at, ends in zip(found.at, found.ends, strict=True) if ends and not self._off(ends[0]))
        return {"band": [{self.x.field: at, "low": low, "high": high} for at, low, high in known]}

    def _off(self, found: float) -> bool:
        """Whether it is more than all, or has no place on a log axis."""
        return (self.y.form == "percent" and found > 1) or (self.y.log and found <= 0)

    def _on_line(self, given: Mapping[str, Any] | str, at: float, scenario: Scenario) -> float | None:
        """The value there; nothing where no scenario is so, it is more than all, or has no place on a log axis."""
        name, more = (given, {}) if isinstance(given, str) else (self.of, given)
        try:
            found = value(name, scenario, {**more, self.along: at})
        except LayoutError:
            return None
        return None if self._off(found) else found

    def _along(self) -> Mapping[str, Pull]:
        """The reader's mark is pulled along the line where a slider moves that path itself."""
        return {self.x.field: Pull(self.along)} if self.along in map(path_of, self.controls) else {}

    def _place(self, along: float, found: Any) -> dict[str, Any]:
        return {self.x.field: along, self.y.field: found}

    def _curve_chart(self, view: View) -> Any:
        order = list(self.variants(load_scenario(self.start))) if self.series else ()
        return lines_chart(self.x, self.y, self.series, order)(view)
