"""Whether a layout is possible: inputs, quantities, models and simulators give one answer, for the same reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.models.in_scenario import chip_in, deployment_in, layout_in, served_in, trained_in
from gpt4lab.models.rules import possible
from gpt4lab.quantities import value, values
from gpt4lab.quantities.registry import unchecked
from gpt4lab.scenario import NotKnown, change, load_scenario, names
from gpt4lab.scenario.rules import LayoutError
from gpt4lab.simulate.pipeline.schedules import ScheduleError, build

LEAK = load_scenario("leak")
STAGES = ("pipeline.bubble", "cluster.layers_per_stage", "cluster.replicas")
TRAINING = st.fixed_dictionaries({
    "model.layers": st.integers(1, 48),
    "cluster.pipeline": st.sampled_from((1, 2, 3, 4, 6, 8, 12, 16, 24)),
    "cluster.interleave": st.integers(1, 4),
    "cluster.tensor": st.sampled_from((1, 2, 4, 8, 12)),
    "cluster.gpus": st.integers(1, 400),
    "training.batch_tokens": st.integers(1, 60).map(lambda n: 8192.0 * n),
})  # fmt: skip


def reason(ask: Callable[[], Any]) -> str:
    """Why a layout is refused; nothing where it is not."""
    try:
        ask()
    except LayoutError as refused:
        return refused.words
    except ScheduleError as refused:
        return str(refused).partition(" (")[0]
    return ""


@settings(max_examples=200, deadline=None)
@given(TRAINING)
def test_quantities_step_and_simulator_agree(layout: dict[str, Any]) -> None:
    by_quantities = reason(lambda: values(STAGES, LEAK, layout))
    assert bool(reason(lambda: value("step.seconds", LEAK, layout))) == bool(by_quantities)
    micro_batches = int(unchecked(("pipeline.micro_batches",), LEAK, layout)["pipeline.micro_batches"])
    p, v = layout["cluster.pipeline"], layout["cluster.interleave"]
    simulated = reason(lambda: build("interleaved", p, micro_batches, v))
    assert simulated == "" or by_quantities
    assert bool(simulated) == (v > 1 and micro_batches % p > 0)


@settings(max_examples=100, deadline=None)
@given(TRAINING)
def test_a_change_and_a_look_refuse_alike(layout: dict[str, Any]) -> None:
    """What all fields decide is refused by the change itself; what micro-batches decide, by whoever counts them."""
    by_look = reason(lambda: values(STAGES, LEAK, layout))
    by_change = reason(lambda: change(LEAK, layout))
    assert not by_change or by_look
    if not by_change:
        assert bool(reason(lambda: values(STAGES, change(LEAK, layout)))) == bool(by_look)


@settings(max_examples=100, deadline=None)
@given(layers=st.integers(1, 64), pipeline=st.integers(1, 64), heads=st.integers(1, 64), kv_heads=st.integers(1, 16))
def test_the_two_accounts_of_answering_agree(layers: int, pipeline: int, heads: int, kv_heads: int) -> None:
    there = {"model.layers": layers, "serving.pipeline": pipeline, "model.heads": heads, "model.kv_heads": kv_heads}
    asked = ("kv.sequences", "kv.reduction")
    assert bool(reason(lambda: values(asked, LEAK, there))) == bool(
        reason(lambda: value("answer.latency", LEAK, there))
    )


@pytest.mark.parametrize("name", names())
def test_every_named_scenario_can_be_asked(name: str) -> None:
    """Uneven stages, heads and replicas are no error."""
    scenario = load_scenario(name)
    if scenario.unknown & {"model.context", "model.vocab", "training.batch_tokens"}:
        with pytest.raises(NotKnown, match="not published"):
            possible(trained_in(scenario), layout_in(scenario))
    else:
        assert values(STAGES, scenario)
        assert possible(trained_in(scenario), layout_in(scenario))
    if not scenario.unknown & {"model.context", "model.vocab"}:
        assert possible(served_in(scenario), deployment_in(scenario), chip_in(scenario))


def test_in_a_sweep_what_cannot_be_is_no_number() -> None:
    stages = np.array([8.0, 15.0, 120.0, 121.0, 1000.0])
    found = value("cluster.layers_per_stage", LEAK, {"cluster.pipeline": stages})
    assert np.isnan(found).tolist() == [False, False, False, True, True]
    assert np.isnan(value("moe.touched", LEAK, {"model.experts": np.arange(1, 5)})).tolist() == [True, *[False] * 3]
