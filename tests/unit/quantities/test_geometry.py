"""Parameters of a shape, and shapes of stated parameters."""

from __future__ import annotations

import pytest

from gpt4lab.catalog import models
from gpt4lab.formulas import layer
from gpt4lab.quantities import value, values
from gpt4lab.scenario import load_scenario

LEAK = load_scenario("leak")


def test_one_width_reproduces_both_sums() -> None:
    shape = values(("geometry.full_attention_params", "geometry.expert_params"), LEAK)
    assert list(shape.values()) == pytest.approx([55.49e9, 110.98e9], rel=1e-3)


def test_the_mqa_width_gives_the_attention_back() -> None:
    width = value("geometry.width_from_mqa", LEAK)
    given = {"model.d_model": width, "model.heads": width / 128}
    assert value("geometry.attention_params", LEAK, given) == pytest.approx(LEAK.model.shared_params)


def test_attention_is_counted_as_in_the_training_step_model() -> None:
    per_layer = layer.attention_weights(10752, 84, 1, 128, 1)
    assert value("geometry.attention_params", LEAK) == 120 * per_layer


def test_the_shape_of_gpt3_gives_its_published_size() -> None:
    gpt3 = models["gpt-3-175b"]
    shape = {
        "model.layers": gpt3.n_layers,
        "model.d_model": gpt3.d_model,
        "model.d_ff": gpt3.d_ff,
        "model.heads": gpt3.n_heads,
        "model.kv_heads": gpt3.n_kv_heads,
        "model.experts": 1,
    }
    assert value("geometry.total_params", LEAK, shape) == pytest.approx(175e9, rel=0.01)
