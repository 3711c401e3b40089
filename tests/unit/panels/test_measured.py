"""Every panel that measures when it is moved: once for each setting, with what was tried before beside it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from gpt4lab import place
from gpt4lab.panels import measured
from gpt4lab.panels.measured import Measured
from gpt4lab.panels.setting import path_of
from gpt4lab.scenario import Scenario, change, load_scenario
from tests.unit.panels.declared import declared, settings, shortened

PANELS = declared(Measured)
#: Module of a chapter -> constants with which one measurement of its panel is short.
SHORT: dict[str, dict[str, Any]] = {"c12_cache.measured": {"QUIET": 0}, "c14_drafts.watch": {"LENGTH": 12}}


@pytest.fixture(params=PANELS)
def panel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Measured]:
    """The panel, with nothing measured yet."""
    shortened(request.param, SHORT, monkeypatch)
    return attrs.evolve(PANELS[request.param])


@pytest.mark.live
def test_every_setting_is_measured_and_none_twice(panel: Measured) -> None:
    live = panel.widget()
    assert len(panel.known) >= len(panel.first)
    start = live.scenario
    for path, control in live.controls.items():
        for new in settings(control):
            live.set({path: new})
            assert live.error == "", (path, new)
            assert "{" not in live._sentence.value
        live.load(start)
    assert len(panel.known) > len(live.controls)
    known = len(panel.known)
    for path, control in live.controls.items():
        live.set({path: settings(control)[-1]})
        live.load(start)
    assert len(panel.known) == known


@pytest.mark.live
def test_every_preset_is_measured(panel: Measured) -> None:
    live = panel.widget()
    for preset in panel.presets:
        live.load(panel.scenario_of(preset))
        assert live.error == "", preset
        assert live.scenario == panel.scenario_of(preset)
    assert panel.chart(panel.view(live.scenario)).to_dict()["$schema"], "by its grammar, which the panel does not ask"


@pytest.mark.live
def test_earlier_settings_stay_on_the_chart_while_the_others_stand_still(panel: Measured) -> None:
    live = panel.widget()
    tried = len(panel.earlier(live.scenario))
    assert tried >= len(panel.first) - 1
    assert len(panel.view(live.scenario).rows["measured"]) == tried
    other = next(path for path in map(path_of, panel.controls) if path != panel.along)
    moved = change(live.scenario, {other: settings(live.controls[other])[0]})
    assert panel.earlier(moved) == []


def test_without_torch_it_says_what_to_do(panel: Measured) -> None:
    def missing(_: Any) -> Any:
        raise ImportError("No module named 'torch'")

    live = attrs.evolve(panel, measure=missing).widget()
    assert place.needs("torch") in live._sentence.value
    assert live.error == ""


def test_what_is_kept_belongs_to_one_declaration(panel: Measured) -> None:
    fake = attrs.evolve(panel, measure=lambda scenario: scenario.name)
    assert fake.finding(load_scenario("leak")) == "leak"
    assert panel.known == {}
    assert len(fake.known) == 1


def test_a_panel_measures_one_at_a_time_and_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "KEPT", 3)
    going, most = Counter[str](), list[int]()

    def measure(scenario: Scenario) -> int:
        going["now"] += 1
        most.append(going["now"])
        time.sleep(0.001)
        going["now"] -= 1
        return scenario.cache.tokens

    panel = attrs.evolve(next(iter(PANELS.values())), measure=measure, controls=("cache.tokens",), folded=())
    looks = [change(load_scenario(), {"cache.tokens": tokens}) for tokens in (300, 400, 300, 500, 600)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(panel.finding, looks)) == [look.cache.tokens for look in looks]
    assert max(most) == 1
    assert len(panel.known) == 3
    oldest, *younger = panel.known.values()  # which these are is for the four threads to say
    panel.finding(change(load_scenario(), {"cache.tokens": 700}))
    assert list(panel.known.values()) == [*younger, 700]
    assert oldest not in younger
