"""No slider has a dead zone: wherever it is put, it stands where something can be, and says why it is not there."""

from __future__ import annotations

import math
from functools import cache
from typing import Any
from zlib import crc32

import pytest

from gpt4lab.panels.curve import Curve
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import LivePanel, Panel
from gpt4lab.panels.training import Training
from gpt4lab.scenario import change, get, load_scenario
from gpt4lab.scenario.rules import SCENARIO_RULES, LayoutError
from tests.unit.panels.declared import declared

PANELS = declared(Panel) | declared(Curve) | declared(Drawn) | declared(Training)
STEPS = 240  # positions of a log slider, as number.js has them
COARSE = 24  # of a slider that no rule names, each so many-th position is tried
TURNS = 6  # of the positions where nothing can be a panel slides to each so many-th, another panel to the others
RULED = {path for held in SCENARIO_RULES for path in held.paths}


def positions(control: Any, ruled: bool) -> list[float]:
    """Where a slider can be put; of a whole number, all that its positions can mean."""
    if ruled and control.hi - control.lo <= STEPS:
        return list(range(math.ceil(control.lo), int(control.hi) + 1))
    steps = [step / STEPS for step in range(0, STEPS + 1, 1 if ruled else COARSE)]
    lo, hi = control.lo, control.hi
    at = [lo * (hi / lo) ** step if control.scale == "log" else lo + (hi - lo) * step for step in steps]
    return sorted({int(min(hi, max(lo, round(value)))) if control.integer else value for value in at})


@cache
def opened(name: str) -> LivePanel:
    return PANELS[name].widget()


@pytest.mark.parametrize("name", PANELS)
def test_a_slider_stands_where_something_can_be_wherever_it_is_put(name: str) -> None:
    live = opened(name)
    live.load(load_scenario(live.panel.start))
    for path, control in live.controls.items():
        if control.kind != "number" or control.disabled:
            continue
        refused = [value for value in positions(control, path in RULED) if not stands(live, path, value)]
        for value in in_turn(refused, name):
            slide(live, path, value)


def stands(live: LivePanel, path: str, value: Any) -> bool:
    """Whether a panel has an answer there. Anything but a layout that cannot be is a fault, and is raised."""
    try:
        live._answer(change(live._base, {path: value}))
    except LayoutError:
        return False
    return True


def in_turn(values: list[Any], name: str) -> list[Any]:
    """Some of the values, at least one, other ones for another panel: what moves is the same code in all."""
    return values[crc32(name.encode()) % min(TURNS, len(values)) :: TURNS] if values else []


def slide(live: LivePanel, path: str, value: float) -> None:
    """Put a slider where nothing can be: it stands beside it, nothing is wrong, and the reason is under it."""
    control = live.controls[path]
    control.slid, control.value = True, value
    assert live.error == "", f"{path} = {value}: {live.error}"
    assert live.settled
    assert control.value == get(live.scenario, path) != value
    assert control.note
    assert path not in control.note, "a sentence for a reader names no path"
    live.load(load_scenario(live.panel.start))
    assert control.note == ""


def heads() -> tuple[LivePanel, Any]:
    live = opened("c12_cache.fit.fit")
    live.load(load_scenario("leak"))
    control = live.controls["model.kv_heads"]
    control.slid = True
    return live, control


def test_an_arrow_steps_over_what_cannot_be() -> None:
    _, control = heads()
    control.value = 7
    assert control.note == ""
    control.value = 8
    assert (control.value, control.note) == (12, "8 key-value heads do not divide 84 query heads: 7 or 12.")
    control.value = 11
    assert control.value == 7
    control.value = 30
    assert control.value == 28


def test_what_is_typed_stays_and_the_error_stands_under_its_slider() -> None:
    live, control = heads()
    before = live.scenario
    control.slid, control.value = False, 8
    assert control.value == 8
    assert control.error.startswith("8 key-value heads do not divide 84 query heads: 7 or 12.")
    assert live._alert.value == ""
    assert live.scenario == before
    control.value = 7
    assert control.error == live.error == ""


def test_a_slider_that_has_nowhere_to_go_stays_and_says_why() -> None:
    live = opened("c09_money.bubble.bubble")
    control = live.controls["cluster.interleave"]
    live.load(change(load_scenario("leak"), {"model.layers": 119}))  # fifteen stages of chunks: none are even
    control.slid, control.value = True, 4
    assert (control.value, live.error) == (1, "")
    assert control.note


def test_a_choice_made_meanwhile_stays_on_the_page() -> None:
    """The page compares what the kernel gave with what was chosen last."""
    _, control = heads()
    count = control.gave[0]
    control.value = 80
    assert (control.gave, control.value) == ((count + 1, 80), 84)


def test_a_decided_number_is_shared_as_its_field_shows_it() -> None:
    live = opened("c09_money.equation.equation")
    live.load(load_scenario("leak"))
    live.set({"equation.follows": "MFU", "cluster.gpus": 23_456})
    decided = [live.controls[path] for path in live.panel.view(live.scenario).follow]
    assert decided
    for control in decided:
        assert control.value == float(f"{control.value:.5g}")
    assert load_scenario(live._address.value) == live.scenario
