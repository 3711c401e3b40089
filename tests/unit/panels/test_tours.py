"""Tours: three steps of a panel, each an allowed scenario with a sentence of computed numbers, and free play."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gpt4lab.panels.curve import Curve
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import LivePanel, Panel
from gpt4lab.scenario import change, load_scenario
from tests.unit.panels.declared import declared
from tools.notebooks import NOTEBOOKS

PANELS = declared(Panel) | declared(Curve) | declared(Drawn)
TOURS = {name: panel for name, panel in PANELS.items() if panel.tour}
CHAPTERS = {f"c{text.name[:2]}" for text in (NOTEBOOKS / "text").glob("*.md")}
BRACES, NUMBER = re.compile(r"\{[^{}]*\}"), re.compile(r"\d")
NAMES = re.compile(r"GPT-4|32k|40 GB")


def shown(live: LivePanel) -> str:
    return live._headline.value + live._sentence.value


def chosen(live: LivePanel) -> list[str]:
    return [button.description for button in live.tour.buttons if "g4l-chosen" in button._dom_classes]


def test_each_chapter_has_a_tour_of_its_big_panel() -> None:
    assert {name[:3] for name in TOURS} >= CHAPTERS


@pytest.mark.parametrize("panel", TOURS.values(), ids=TOURS)
def test_three_steps_each_an_allowed_scenario_that_moves_a_number(panel: Panel) -> None:
    live, before = panel.widget(), set[str]()
    assert len(panel.tour) == 3
    for at in range(3):
        live.tour.buttons[at].click()
        assert live.error == ""
        assert shown(live) not in before, "a step that shows what another showed"
        assert chosen(live) == [str(at + 1)]
        assert f"{at + 1}. " in live.tour.said.value
        before.add(shown(live))


@pytest.mark.parametrize("panel", TOURS.values(), ids=TOURS)
def test_the_numbers_of_a_sentence_are_computed(panel: Panel) -> None:
    for at, (_, says) in enumerate(panel.tour):
        assert BRACES.search(says), f"step {at + 1} names no number"
        assert not NUMBER.search(NAMES.sub("", BRACES.sub("", says))), says
        assert not BRACES.search(panel.step(at)[1])


@pytest.mark.parametrize("panel", TOURS.values(), ids=TOURS)
def test_whoever_moves_anything_plays_freely(panel: Panel) -> None:
    live = panel.widget()
    live.tour.go(1)
    there = shown(live)
    live.tour.buttons[-1].click()
    assert (live.tour.said.value, chosen(live), shown(live)) == ("", [], there)
    live.tour.go(1)
    control = next(c for c in live.controls.values() if c.kind == "number" and c.value not in (c.lo, c.hi))
    control.value = control.lo if not control.integer else int(control.lo)
    assert live.error or (live.tour.said.value, chosen(live)) == ("", [])


def test_a_panel_without_a_tour_has_no_row_for_it() -> None:
    plain = next(panel for panel in PANELS.values() if not panel.tour).widget()
    assert plain.tour not in list(everything(plain))


def everything(box: Any) -> Any:
    for child in getattr(box, "children", ()):
        yield child
        yield from everything(child)


def test_a_step_may_be_a_scenario_by_its_name() -> None:
    panel = Panel(
        "T", (), view=lambda _: ..., chart=..., tour=(("h100-rerun", "{training.days}"), ({}, "a"), ({}, "b"))
    )  # type: ignore[arg-type]
    assert panel.step(0)[0] == load_scenario("h100-rerun")
    assert panel.step(1)[0] == change(load_scenario("leak"), {})
