"""Every panel with every named scenario: it is taken as it is, whatever the sliders reach and whoever knows what."""

from __future__ import annotations

from functools import cache

import pytest

from gpt4lab.claims import audit
from gpt4lab.claims.ledger import NOT_KNOWN
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import LivePanel, Panel
from gpt4lab.panels.training import Training
from gpt4lab.scenario import NotKnown, change, get, load_scenario, names, share
from gpt4lab.scenario.field import UNKNOWN
from tests.unit.panels.declared import declared

PANELS = declared(Panel) | declared(Curve) | declared(Drawn) | declared(Training)


@cache
def opened(name: str) -> LivePanel:
    return PANELS[name].widget()


@pytest.fixture(params=PANELS)
def live(request: pytest.FixtureRequest) -> LivePanel:
    return opened(request.param)


def missing(live: LivePanel) -> tuple[str, ...]:
    """The fields that the view asks for and nobody knows."""
    try:
        live._view(live.scenario)
    except NotKnown as missing:
        return missing.paths
    return ()


@pytest.mark.parametrize("name", names())
def test_a_scenario_is_taken_as_it_is(live: LivePanel, name: str) -> None:
    scenario = load_scenario(name)
    live._address.value = name
    assert live.error == ""
    assert live.settled
    decided = live.panel.view(scenario).follow if not missing(live) else {}
    assert live.scenario == change(scenario, decided)
    assert load_scenario(live._address.value) == live.scenario
    for path, control in live.controls.items():
        assert control.known is (path not in live.scenario.unknown), path
        assert control.kind != "number" or control.lo <= control.value <= control.hi, path
    for path in missing(live):
        assert path in live._sentence.value
    assert (UNKNOWN in live._headline.value) is bool(missing(live))


@pytest.mark.parametrize("name", [name for name in names() if load_scenario(name).unknown])
def test_what_is_not_known_is_asked_for_and_taken(live: LivePanel, name: str) -> None:
    live.load(load_scenario(name))
    while asked := missing(live):
        live.set({path: get(load_scenario("leak"), path) for path in asked})
        assert live.error == ""
        assert live.scenario.unknown.isdisjoint(asked)
    assert UNKNOWN not in live._headline.value
    assert load_scenario(live._address.value) == live.scenario


def test_a_slider_is_as_wide_as_declared_again_after_a_scenario_beyond_it() -> None:
    live = opened("c09_money.equation.equation")
    tokens = live.controls["training.tokens"]
    live.load(load_scenario("leak"))
    declared = tokens.lo, tokens.hi
    live._address.value = "gpt-3-175b"
    assert (live.error, tokens.value) == ("", 3e11)
    assert tokens.lo == 3e11
    live.load(load_scenario("leak"))
    assert (tokens.lo, tokens.hi) == declared


def test_one_move_leaves_what_is_not_known_unknown() -> None:
    live = opened("c09_money.run.run")
    live.load(load_scenario("grok-1"))
    live.controls["training.mfu"].value = 0.3
    assert live.scenario.unknown == load_scenario("grok-1").unknown
    assert not live.controls["training.tokens"].known
    live.controls["training.tokens"].known = True  # the reader takes what stands there
    assert live.scenario.training.tokens == live.controls["training.tokens"].value
    assert "training.tokens" not in live.scenario.unknown


def test_sizes_that_are_counted_follow_the_shape_on_the_sliders_too() -> None:
    live = opened("c03_flop.flop.token")
    live.load(load_scenario("olmoe-1b-7b"))
    before = live.scenario.model.expert_params
    live.controls["model.layers"].value = 2 * live.scenario.model.layers
    assert live.scenario == change(load_scenario("olmoe-1b-7b"), {"model.layers": live.scenario.model.layers})
    assert live.controls["model.expert_params"].value == live.scenario.model.expert_params == 2 * before


def test_a_model_whose_layers_do_not_divide_is_told_to_be_uneven() -> None:
    live = opened("c09_money.layout.layout")
    live.load(load_scenario("gpt-3-175b"))
    assert live.error == ""
    assert live.scenario.model.layers % live.scenario.cluster.pipeline
    assert "stages" in live._sentence.value
    assert share(live.scenario) == "gpt-3-175b"


def test_claims_that_nobody_can_judge_are_not_counted_as_lost() -> None:
    live = opened("c00_start.ledger.whole_ledger")
    live.load(load_scenario("grok-1"))
    unknown = [result.claim.id for result in audit(live.scenario) if result.verdict == NOT_KNOWN]
    lost, _, said = live._sentence.value.partition(f"{len(unknown)} ask for a number that is not known")
    assert said
    assert unknown
    assert not any(key in lost for key in unknown)
