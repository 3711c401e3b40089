"""FLOP of a token, by part: worked out by hand, or against the step model."""

from __future__ import annotations

import pytest

from gpt4lab.formulas import layer
from gpt4lab.models.inputs import Network, machine
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import step
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, change, load_scenario

LEAK = load_scenario("leak")

PARTS = ("attention", "experts", "router", "scores", "logits")


def parts(scenario: Scenario) -> dict[str, float]:
    return {part: value(f"flop.{part}_per_token", scenario) for part in PARTS}


def test_the_parts_add_up_forward_and_in_training() -> None:
    found = parts(LEAK)
    forward, scores, logits = sum(found.values()), found["scores"], found["logits"]
    spent = {
        "with_context": forward,
        "training": 3 * forward,
        "spent_selective": 3 * forward + scores,
        "spent_full": 4 * forward - logits,
        "training_unmasked": 3 * (forward + scores),
    }
    assert [value(f"flop.{name}_per_token", LEAK) for name in spent] == pytest.approx(list(spent.values()))


def test_the_context_changes_the_scores_and_nothing_else() -> None:
    short, long = parts(LEAK), parts(change(LEAK, {"model.context": 32_768}))
    assert long["scores"] == 4 * short["scores"]
    assert {part for part in PARTS if long[part] != short[part]} == {"scores"}


def test_a_generated_token_sees_all_of_the_context_and_a_trained_one_half() -> None:
    """With windows too: what the decode step must read is what the generated token is held against."""
    trained, generated = (value(f"flop.{kind}scores_per_token", LEAK) for kind in ("", "generated_"))
    assert generated == 2 * trained == 4 * LEAK.model.layers * LEAK.model.context * 10_752
    windows = change(LEAK, {"model.window_layers": 60, "model.window": 1024, "serving.mean_context": 8192})
    assert value("flop.tokens_before", windows) == value("decode.tokens_kept", windows) == (8192 + 1024) / 2
    assert value("flop.tokens_seen", windows) < value("flop.tokens_before", windows) < LEAK.model.context


def test_training_is_counted_as_in_the_step_model() -> None:
    """A dense model whose shared parameters are its attention: PaLM's convention gives the same to the last digit."""
    shape = Network(
        layers=120, d_model=10_752, heads=84, kv_heads=84, head_dim=128, d_ff=43_008, vocab=100_277, sequence=8192
    )
    dense = change(
        LEAK,
        {
            "model.experts": 1,
            "model.top_k": 1,
            "model.expert_params": 120 * layer.feed_forward_weights(10_752, 43_008, 0),
            "model.shared_params": 120 * layer.attention_weights(10_752, 84, 84, 128, 1),
        },
    )
    routers = 3 * value("flop.router_per_token", dense)
    found = value("flop.training_unmasked_per_token", dense) - routers
    assert found == pytest.approx(step(shape, Layout(), machine("a100-sxm-80gb")).model_flop / 8192)


def test_recomputing_all_costs_nearly_a_third_more() -> None:
    full, selective = values(("flop.hfu_over_mfu", "flop.hfu_over_mfu_selective"), LEAK).values()
    assert 1 < selective < 1.02 < full < 4 / 3
    bare = change(LEAK, {"model.vocab": 256, "model.context": 128})
    assert value("flop.hfu_over_mfu", bare) == pytest.approx(4 / 3, rel=1e-4)
    assert value("training.implied_hfu", LEAK) / value("training.implied_mfu", LEAK) == pytest.approx(4 / 3)
