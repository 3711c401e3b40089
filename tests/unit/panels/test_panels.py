"""Every panel of the book, found by itself: at rest, at every bound, in every preset and on a random walk."""

from __future__ import annotations

import random
from functools import cache
from typing import NamedTuple

import attrs
import pytest

from gpt4lab.panels.curve import Curve
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import LivePanel, Panel
from gpt4lab.panels.verdicts import Chips
from gpt4lab.scenario import Scenario, change, load_scenario, share
from gpt4lab.scenario.config import own_model
from tests.unit.panels.declared import declared, settings
from tests.unit.scenario.own import own

FAILED = "This view failed"
PANELS = declared(Panel) | declared(Curve) | declared(Drawn)


class Seen(NamedTuple):
    """What a panel says after a control was moved."""

    path: str
    value: object
    error: str
    view: tuple[str, str, str]


class Opened(NamedTuple):
    """A panel on the page, as its widget first stood and as it answered every move. The widget is at its start again.

    One for all tests of a panel: to make a widget takes a hundred times as long as to move one.
    """

    live: LivePanel
    first: dict[str, str]
    moves: list[Seen]


@cache
def open_and_move(name: str) -> Opened:
    live = PANELS[name].widget()
    first = {"error": live.error, "scenario": share(live.scenario), "address": live._address.value}
    return Opened(live, first, [seen for path in live.controls for seen in move(live, path)])


def move(live: LivePanel, path: str) -> list[Seen]:
    """Move one control to each of its settings, then everything back."""
    seen = []
    for value in settings(live.controls[path]):
        live.controls[path].value = value
        shown = live._headline.value, live._sentence.value, str(live.panel.view(live.scenario).rows)
        seen.append(Seen(path, value, live.error, shown))
    live.load(load_scenario(live.panel.start))
    return seen


@pytest.fixture(params=PANELS)
def opened(request: pytest.FixtureRequest) -> Opened:
    found = open_and_move(request.param)
    found.live.load(load_scenario(found.live.panel.start))
    return found


def test_there_are_panels() -> None:
    assert len(PANELS) >= 4


def test_starts_at_the_post_without_error(opened: Opened) -> None:
    assert opened.first["error"] == ""
    assert opened.first["address"] == opened.first["scenario"]
    assert opened.live.panel.view(opened.live.scenario).description


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_opens_with_a_scenario_of_the_reader_s_own_name(panel: Panel) -> None:
    own = attrs.evolve(load_scenario(panel.start), name="my own")
    live = panel.widget(own)
    assert (live.scenario.name, live.error) == ("my own", "")
    assert load_scenario(live._address.value) == live.scenario


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
@pytest.mark.parametrize("mine", [own_model(layers=2, d_model=256, heads=4, d_ff=1024, vocab=1000), own("olmoe-1b-7b")])
def test_opens_with_a_model_of_the_reader_s_own(panel: Panel, mine: Scenario) -> None:
    """Two layers stand on fewer stages than there are: that is said, and no panel fails."""
    live = panel.widget(mine)
    assert not live.error
    assert live.scenario.title == mine.title
    assert live._sentence.value.count("<p") == 1


def test_every_control_has_a_name_and_a_tick_at_the_post(opened: Opened) -> None:
    for path, control in opened.live.controls.items():
        assert control.label, path
        assert control.help, path
        assert control.mark is not None, path


def test_every_bound_is_shown_or_refused_with_a_reason(opened: Opened) -> None:
    assert {seen.path for seen in opened.moves} == set(opened.live.controls)
    for seen in opened.moves:
        assert FAILED not in seen.error, f"{seen.path} = {seen.value}: {seen.error}"
        assert seen.error == "" or seen.path.split(".")[0] in seen.error or "." in seen.error


def test_every_preset_is_shown(opened: Opened) -> None:
    live, panel = opened.live, opened.live.panel
    for name in panel.presets:
        live.load(panel.scenario_of(name))
        assert live.error == "", f"{name}: {live.error}"
        assert live.scenario == panel.scenario_of(name)


def test_every_open_control_changes_sentence_and_rows(opened: Opened) -> None:
    """At one of its bounds at least; a control that follows the others does not."""
    panel, controls = opened.live.panel, opened.live.controls
    for path in [item if isinstance(item, str) else item.path for item in panel.controls]:
        views = {seen.view for seen in opened.moves if seen.path == path}
        assert controls[path].disabled or len(views) > 1, f"{path} changes nothing"


def test_random_walk_never_breaks_the_view(opened: Opened) -> None:
    dice, live = random.Random(7), opened.live
    for _ in range(25):
        path = dice.choice(list(live.controls))
        live.controls[path].value = dice.choice(settings(live.controls[path]))
        assert FAILED not in live.error, live.error
    live.load(load_scenario(live.panel.start))
    assert live.error == ""


def test_a_refused_value_keeps_the_last_good_state() -> None:
    live = PANELS["c03_flop.flop.token"].widget()
    before = live._headline.value
    live.controls["model.experts"].value = 1  # fewer than top_k: one clear error
    assert live.error == "A token cannot meet 2 experts of 1: 1 or fewer."
    assert live._headline.value == before
    assert live.scenario.model.experts == 16
    live.controls["model.top_k"].value = 1
    assert live.error == ""
    assert live.scenario.model.experts == 1


def test_pasted_assumptions_are_taken_or_refused() -> None:
    live = PANELS["c03_flop.flop.token"].widget()
    live._address.value = "leak?model.context=32768"
    assert live.scenario.model.context == 32768
    live._address.value = "leak?model.context=many"
    assert "many" in live.error
    assert live.scenario.model.context == 32768


def test_no_more_than_six_controls_stand_open() -> None:
    with pytest.raises(ValueError, match="7 controls"):
        Panel("too many", tuple(f"c{i}" for i in range(7)), view=lambda s: None, chart=lambda v: None)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("name", PANELS)
def test_the_preset_where_a_panel_stands_is_marked_and_no_other(name: str) -> None:
    live = open_and_move(name).live
    for preset in live.panel.presets:
        live.load(live.panel.scenario_of(preset))
        marked = {other for other, button in live._presets.items() if "g4l-chosen" in button._dom_classes}
        alike = {o for o in live.panel.presets if live.panel.scenario_of(o) == live.panel.scenario_of(preset)}
        assert marked == alike
    live.load(load_scenario(live.panel.start))


def test_a_verdict_that_flips_is_marked_until_another_does() -> None:
    chips, post = Chips(["C29", "C33"]), load_scenario("leak")
    assert "g4l-flipped" not in chips.of(post)
    long = change(post, {"training.tokens": 5e13})
    flipped = chips.of(long)
    assert flipped.count("g4l-flipped") == 1
    assert chips.of(long) == flipped


NO_SHAPES = ("", "nothing", " -", "pixel-999", "stage-0", "let-999 F", "pixel-1 pixel-999", "point-", "-", "0-0-0")


@pytest.mark.parametrize("name", declared(Drawn))
def test_a_press_on_what_is_not_drawn_changes_nothing(name: str) -> None:
    """A shape may be gone before the press on it arrives."""
    live = open_and_move(name).live
    before = share(live.scenario)
    for many, key in enumerate(NO_SHAPES, 1_000):
        live.chart.pressed = [key, many]
        assert (share(live.scenario), live.error) == (before, ""), key
