"""Counted FLOP against formulas, and the counter itself against a count by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from gpt4lab.catalog import models  # noqa: E402
from gpt4lab.scenario import load_scenario  # noqa: E402
from gpt4lab.toys.core.transformer import ToyConfig, build_model, count_parameters  # noqa: E402
from gpt4lab.toys.counting.flop import (  # noqa: E402
    PARTS,
    config_of,
    count_flop,
    flop_checks,
    meta_model,
    predict_flop,
    published_config,
    two_n_checks,
)

DENSE = ToyConfig(d_model=16, n_layers=2, n_heads=4, n_kv_heads=4, d_ff=32)
MQA = ToyConfig(d_model=16, n_layers=2, n_heads=4, n_kv_heads=1, d_ff=32)
MOE = ToyConfig(d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=32, n_experts=8, top_k=2)


@pytest.mark.parametrize("config", [DENSE, MQA, MOE])
@pytest.mark.parametrize("context", [8, 32])
def test_counter_equals_formula_on_cpu_and_on_meta(config: ToyConfig, context: int) -> None:
    predicted = predict_flop(config, context)
    assert count_flop(build_model(config), context, batch=2) == pytest.approx(predicted)
    assert count_flop(meta_model(config), context) == pytest.approx(predicted)


def test_dense_model_by_hand() -> None:
    counted = count_flop(build_model(DENSE), context=8)
    assert counted["attention projections"] == 2 * 2 * 4 * 16 * 16
    assert counted["attention scores"] == 2 * 4 * 8 * 16
    assert counted["feed-forward"] == 2 * 2 * 2 * 16 * 32
    assert counted["head"] == 2 * 16 * 128


def test_large_experts_are_counted_like_small_ones() -> None:
    """They run through another kernel."""
    config = ToyConfig(d_model=64, n_layers=1, d_ff=256, n_experts=2, top_k=2)
    assert count_flop(build_model(config), context=64) == pytest.approx(predict_flop(config, 64))


def test_two_n_is_right_where_the_context_is_short() -> None:
    short, long = two_n_checks("dense", DENSE, 1, 64)
    assert short.ratio == pytest.approx(1.0, abs=0.02)
    assert long.ratio > short.ratio


def test_checks_have_every_part_and_the_sum() -> None:
    checks = flop_checks(MOE, 16)
    assert [check.name for check in checks] == [*PARTS, "all"]
    assert checks.largest == pytest.approx(0)


def test_training_costs_three_forward_passes() -> None:
    """The rule of 6N against 2N."""
    model, counter = meta_model(DENSE), FlopCounterMode(display=False)
    with counter:
        loss = model(torch.zeros(1, 16, dtype=torch.long, device="meta")).square().mean()
        forward = counter.get_total_flops()
        loss.backward()
    assert counter.get_total_flops() / forward == pytest.approx(3.0)


def test_gpt3_s_shape_has_its_published_parameters() -> None:
    counted = count_parameters(meta_model(published_config("gpt-3-175b"))).total
    assert counted == pytest.approx(models["gpt-3-175b"].params_total, rel=0.01)


def test_a_shape_that_the_toy_cannot_build_is_refused() -> None:
    with pytest.raises(ValueError, match="gated"):
        published_config("llama-3.1-405b")


def test_the_post_s_shape_has_its_parameters_with_one_kv_head_per_head() -> None:
    """With one KV head for all, as the post also says, the attention is only half as large."""
    model = load_scenario("leak").model
    many = count_parameters(meta_model(config_of(model, kv_heads=model.heads)))
    one = count_parameters(meta_model(config_of(model)))
    assert many.total == pytest.approx(16 * model.expert_params + model.shared_params, rel=0.01)
    assert many.active == pytest.approx(2 * model.expert_params + model.shared_params, rel=0.02)
    assert many.total - one.total == pytest.approx(model.shared_params / 2, rel=0.03)
