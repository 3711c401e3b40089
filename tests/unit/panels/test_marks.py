"""The reader's own mark stays in the plot, whatever the sliders say: in random states of every panel."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import path_of
from gpt4lab.panels.view import View
from gpt4lab.scenario import FIELDS, Field, Scenario, ScenarioError, change, load_scenario, names
from tests.unit.panels.declared import declared

PANELS = declared(Panel) | declared(Curve)
STATES = 12
FILLED = 0.6  # of an axis, by what all presets of a panel draw on it


def somewhere(field: Field, dice: random.Random) -> Any:
    """A legal value of a field: its ends, or anything between them."""
    if field.choices or field.catalog:
        return field.default
    share = dice.choice([0, 1, dice.random()])
    log = field.log and field.lo > 0  # one that may be nothing has no ratio to its end
    value = field.lo * (field.hi / field.lo) ** share if log else field.lo + (field.hi - field.lo) * share
    value = min(max(value, field.lo), field.hi)
    return round(value) if field.whole else value


def states(panel: Panel) -> Iterator[tuple[Scenario, View]]:
    """Random scenarios that the panel can show, with their views."""
    dice, paths = random.Random(11), [path_of(item) for item in (*panel.controls, *panel.folded)]
    starts = [load_scenario(panel.start), *map(load_scenario, names())]
    for _ in range(STATES):
        moved = {path: somewhere(FIELDS[path], dice) for path in dice.sample(paths, dice.randint(1, len(paths)))}
        try:
            scenario = change(dice.choice([starts[0], dice.choice(starts)]), moved)
            yield scenario, panel.view(scenario)
        except (ScenarioError, ValueError):  # cannot be, or is not known
            continue


def domains(chart: Any) -> dict[str, tuple[float, float]]:
    """Field -> the ends of its axis, where they are fixed."""
    found: dict[str, tuple[float, float]] = {}

    def look(node: Any) -> None:
        for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            look(part)
        if isinstance(node, dict) and "field" in node and "domain" in (node.get("scale") or {}):
            found[node["field"]] = node["scale"]["domain"]

    spec = chart.to_dict()
    look({key: part for key, part in spec.items() if key != "datasets"})
    return found


def yours(view: View) -> list[Mapping[str, Any]]:
    """The rows of the reader's mark."""
    return [*view.rows.get("you", []), *(row for row in view.rows.get("data", []) if row.get("mark") == "you")]


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_the_reader_s_mark_lies_within_the_axes(panel: Panel) -> None:
    ends = domains(panel.chart(panel.view(load_scenario(panel.start))))
    seen = 0
    for scenario, view in states(panel):
        seen += 1
        for row in yours(view):
            for field in ends.keys() & {key for key, number in row.items() if isinstance(number, (int, float))}:
                lo, hi = ends[field]
                assert lo * (1 - 1e-9) <= row[field] <= hi * (1 + 1e-9), (field, row, scenario)
    assert seen


def drawn(spec: Any, data: str = "data") -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """(direction, dataset, field, scale) of all that a chart draws on an axis with fixed ends."""
    data = spec.get("data", {}).get("name", data)
    for way in ("x", "y"):
        scale = spec.get("encoding", {}).get(way, {}).get("scale") or {}
        if "domain" in scale:
            yield way, data, spec["encoding"][way]["field"], scale
    for part in (*spec.get("layer", ()), *spec.get("vconcat", ())):
        yield from drawn(part, data)


def reach(ends: Sequence[float], numbers: Sequence[float], log: bool) -> float:
    """The share of an axis that these numbers span."""
    lo, hi, least, most = (math.log(n) if log else n for n in (*ends, min(numbers), max(numbers)))
    return (min(hi, most) - max(lo, least)) / (hi - lo)


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_an_axis_is_about_as_long_as_what_the_presets_draw_on_it(panel: Panel) -> None:
    views = [panel.view(panel.scenario_of(preset)) for preset in panel.presets]
    spec = panel.chart(views[0]).to_dict()  # by Altair's grammar, which the panel itself does not ask
    found: dict[Any, list[float]] = {}
    for way, data, field, scale in drawn(spec):
        axis = way, tuple(scale["domain"]), scale["type"] == "log"
        numbers = (row.get(field) for view in views for row in view.datasets.get(data, ()))
        found.setdefault(axis, []).extend(n for n in numbers if isinstance(n, (int, float)) and (n > 0 or not axis[2]))
    for (way, ends, log), numbers in found.items():
        if numbers and "stack" not in str(spec):
            assert reach(ends, numbers, log) >= FILLED, (way, ends, min(numbers), max(numbers))


def test_a_mark_beyond_the_edge_says_which_way_it_went() -> None:
    x, y = Axis("days", "Days", domain=(0, 10)), Axis("rent", "Rent", domain=(1, 10))
    assert pinned({"days": 5, "rent": 5}, x, y) == {"days": 5, "rent": 5}
    assert pinned({"days": 50, "rent": 5}, x, y) == {"days": 10, "rent": 5, "label": "you, beyond the edge →"}
    assert pinned({"days": -1, "rent": 0, "label": "here"}, x, y)["label"] == "here, beyond the edge ←↓"
