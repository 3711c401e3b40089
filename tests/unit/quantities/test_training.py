"""The training run: its equation, its energy, its utilisation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt4lab.quantities import value, values
from gpt4lab.scenario import change, load_scenario

LEAK = load_scenario("leak")


@given(mfu=st.floats(0.05, 0.9), gpus=st.integers(120, 10**6), tokens=st.floats(1e10, 1e15))
def test_days_and_utilisation_are_two_sides_of_one_equation(mfu: float, gpus: int, tokens: float) -> None:
    scenario = change(LEAK, {"training.mfu": mfu, "cluster.gpus": gpus, "training.tokens": tokens})
    settings = {"cluster.days": value("training.days", scenario)}
    assert value("training.implied_mfu", scenario, settings) == pytest.approx(mfu)
    assert value("training.gpus_needed", scenario, settings) == pytest.approx(gpus)
    assert value("training.flop_from_machines", scenario, settings) == pytest.approx(value("training.flop", scenario))


def test_energy_follows_the_days_of_the_run() -> None:
    found = values(("training.energy", "cluster.power", "training.days"), LEAK)
    assert found["training.energy"] == pytest.approx(found["cluster.power"] * 24 * found["training.days"])
    assert found["training.energy"] == pytest.approx(45.1e9, rel=1e-2), "45 GWh"


def test_what_the_bubble_leaves_of_the_best_mfu_counts_its_own_bubble_once() -> None:
    assert value("training.mfu_after_bubble", LEAK) == pytest.approx(0.552 / (1 - 7 / 199) * (1 - 14 / 49), abs=1e-4)
