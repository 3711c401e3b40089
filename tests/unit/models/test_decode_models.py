"""The roofline and the step with measured rates: how far apart, and rung by rung why."""

from __future__ import annotations

import math

import pytest

from gpt4lab.models.decode.ladder import apart, ladder
from gpt4lab.models.decode.report import decode
from gpt4lab.models.in_scenario import chip_in, deployment_in, served_in
from gpt4lab.models.rules import LayoutError
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, change, load_scenario

LEAK = load_scenario("leak")
SETTINGS = ({}, {"serving.tokens_in_flight": 1}, {"serving.accelerator": "h100-sxm-80gb"}, {"model.kv_heads": 84})


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_ladder_leads_from_one_model_to_the_other(settings: dict[str, object]) -> None:
    scenario = change(LEAK, settings)
    rungs = ladder(scenario)
    step = decode(served_in(scenario), deployment_in(scenario), chip_in(scenario))
    assert rungs[0].ms_per_token == pytest.approx(1e3 * value("decode.latency", scenario))
    assert rungs[-1].ms_per_token == pytest.approx(1e3 * step.time_s)
    assert math.prod(rung.times for rung in rungs) == pytest.approx(apart(scenario))


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_rung_takes_time_or_none(settings: dict[str, object]) -> None:
    assert all(rung.times >= 1 - 1e-9 for rung in ladder(change(LEAK, settings)))


def test_on_the_posts_cluster_the_step_takes_half_as_long_again() -> None:
    """Most of it is memory that reaches 79% of its peak; then 120 layers on 16 stages, which run as 128."""
    rungs = ladder(LEAK)
    assert apart(LEAK) == pytest.approx(1.5, abs=0.05)
    assert max(rungs[1:], key=lambda rung: rung.times).counted == "memory at its measured rate"


def test_without_what_it_leaves_out_the_roofline_is_the_step() -> None:
    """Fifteen even stages, one sequence, a short context: at full peak the two agree but for the logits."""
    even = change(LEAK, {"serving.pipeline": 15, "serving.tokens_in_flight": 15, "serving.mean_context": 1})
    assert ladder(even)[1].times == pytest.approx(1, abs=0.03)


def test_a_context_beyond_the_models_is_an_error() -> None:
    beyond: Scenario = change(LEAK, {"serving.mean_context": 40_000})
    with pytest.raises(LayoutError, match=r"40,000 tokens are more than the 32,768 that the model can see"):
        ladder(beyond)
