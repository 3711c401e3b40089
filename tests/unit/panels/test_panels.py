"""Every panel of the book, found by itself: at rest, at every bound, in every preset and on a random walk."""

from __future__ import annotations

import random

import pytest

from gpt4lab.panels.panel import LivePanel, Panel
from gpt4lab.scenario import load_scenario, share
from tests.unit.panels.declared import declared, settings

FAILED = "This view failed"
PANELS = declared(Panel)


@pytest.fixture(params=PANELS.values(), ids=PANELS.keys())
def panel(request: pytest.FixtureRequest) -> Panel:
    return request.param


def test_there_are_panels() -> None:
    assert len(PANELS) >= 4


def test_starts_at_the_post_without_error(panel: Panel) -> None:
    live = panel.widget()
    assert live.error == ""
    assert live.panel.view(live.scenario).description
    assert share(live.scenario) == live._address.value


def test_every_control_has_a_name_and_a_tick_at_the_post(panel: Panel) -> None:
    for path, control in panel.widget().controls.items():
        assert control.label, path
        assert control.help, path
        assert control.mark is not None, path


def test_every_bound_is_shown_or_refused_with_a_reason(panel: Panel) -> None:
    for path, control in panel.widget().controls.items():
        live = panel.widget()
        for value in settings(control):
            live.controls[path].value = value
            assert FAILED not in live.error, f"{path} = {value}: {live.error}"
            assert live.error == "" or path.split(".")[0] in live.error or "." in live.error


def test_every_preset_is_shown(panel: Panel) -> None:
    live = panel.widget()
    for name in panel.presets:
        live.load(panel.scenario_of(name))
        assert live.error == "", f"{name}: {live.error}"
        assert live.scenario == panel.scenario_of(name)


def test_some_control_changes_sentence_and_rows(panel: Panel) -> None:
    """Each open control changes what is seen, at one of its bounds at least; one that follows the others does not."""
    moved = [path for path, control in panel.widget().controls.items() if not control.disabled]
    for path in [item if isinstance(item, str) else item.path for item in panel.controls]:
        if path not in moved:
            continue
        seen = set()
        for value in settings(panel.widget().controls[path]):
            live = panel.widget()
            live.controls[path].value = value
            seen.add((live._headline.value, live._sentence.value, str(panel.view(live.scenario).rows)))
        assert len(seen) > 1, f"{path} changes nothing"


def test_random_walk_never_breaks_the_view(panel: Panel) -> None:
    dice, live = random.Random(7), panel.widget()
    for _ in range(25):
        path = dice.choice(list(live.controls))
        live.controls[path].value = dice.choice(settings(live.controls[path]))
        assert FAILED not in live.error, live.error
    live.load(load_scenario("leak")) if panel.start == "leak" else live.load(load_scenario(panel.start))
    assert live.error == ""


def test_a_refused_value_keeps_the_last_good_state() -> None:
    live: LivePanel = PANELS["c03_flop.flop.token"].widget()
    before = live._headline.value
    live.controls["model.experts"].value = 1  # fewer than top_k: one clear error
    assert "model.top_k" in live.error
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
