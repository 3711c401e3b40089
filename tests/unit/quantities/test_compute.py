"""FLOP of a token, of an image, tokens of pictures, failures: worked out by hand, or against the step model."""

from __future__ import annotations

import math

import pytest

from gpt4lab.catalog import measurements
from gpt4lab.formulas import layer
from gpt4lab.models.step.inputs import Shape
from gpt4lab.models.step.report import Layout, machine, step
from gpt4lab.quantities import value, values
from gpt4lab.quantities.topics import goodput, vision
from gpt4lab.quantities.topics.vision import tile_tokens
from gpt4lab.scenario import Scenario, ScenarioError, change, load_scenario

LEAK = load_scenario("leak")


# FLOP by part


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


def test_training_is_counted_as_in_the_step_model() -> None:
    """A dense model whose shared parameters are its attention: PaLM's convention gives the same to the last digit."""
    shape = Shape(
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


def test_energy_follows_the_days_of_the_run() -> None:
    found = values(("training.energy", "cluster.power", "training.days"), LEAK)
    assert found["training.energy"] == pytest.approx(found["cluster.power"] * 24 * found["training.days"])
    assert found["training.energy"] == pytest.approx(45.1e9, rel=1e-2), "45 GWh"


# Pictures


def test_flamingo_s_published_sums() -> None:
    """Twelve d² for each insertion give 1.2, 1.6 and 9.2 billion; published are 1.2, 1.6 and 10."""
    for slug, off in (("flamingo-3b", 0.01), ("flamingo-9b", 0.01), ("flamingo-80b", 0.09)):
        entry = measurements[slug]
        found = vision.params(*(float(entry.setup[key]) for key in ("d_model", "layers", "every")))
        assert found == pytest.approx(entry.measured["cross_attention_params"], rel=off)
    resampler = measurements["flamingo-3b"].measured["resampler_params"]
    assert value("vision.resampler_params", LEAK) == pytest.approx(resampler, rel=0.03)


def test_an_image_s_flop_by_hand() -> None:
    """64 latents and 1,024 patches through six layers of width 1,536 with 16 heads of 128."""
    inner = 16 * 128
    latents = 64 * (2 * 2 * 1536 * inner + 2 * 8 * 1536**2)
    pairs = (1024 + 64) * (2 * 2 * 1536 * inner + 64 * 4 * inner)
    assert value("vision.resampler_flop", LEAK) == pytest.approx(6 * (latents + pairs))
    keys = 64 * 2 * 2 * 10_752**2 * 120 / 7
    assert value("vision.keys_flop", LEAK) == pytest.approx(keys)
    text = 120 / 7 * (2 * 10 * 10_752**2 + 4 * 64 * 10_752)
    assert value("vision.flop_per_text_token", LEAK) == pytest.approx(text)


def test_tokens_of_pictures() -> None:
    assert value("vision.frame_tokens", LEAK) == 1e6 * 3600 * 64
    assert value("vision.images_needed", LEAK) == 2e12 / 64
    assert value("vision.explained", LEAK) == pytest.approx((64e9 + 64e9 + 230.4e9 + 12e9) / 2e12)


@pytest.mark.parametrize(
    ("size", "tokens"),
    [((1024, 1024), 765), ((2048, 4096), 1105), ((4096, 2048), 1105), ((512, 512), 255), ((100, 100), 255)],
)
def test_tokens_by_tiles(size: tuple[int, int], tokens: int) -> None:
    assert tile_tokens(*size) == tokens


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf])
def test_an_image_has_sides(bad: float) -> None:
    with pytest.raises(ScenarioError, match="height = "):
        tile_tokens(100, bad)


# Failures


@pytest.mark.parametrize(("minutes", "hours"), [(5, 24), (1, 2), (10, 100), (0.1, 0.5)])
def test_daly_s_interval_is_where_most_work_is_done(minutes: float, hours: float) -> None:
    """Young's rule is the root of 2 delta M; Daly's series lies within 1% of the best of his exact formula."""
    young = goodput.young_interval(minutes, hours)
    assert young == pytest.approx(math.sqrt(2 * minutes / 60 * hours))
    daly = goodput.daly_interval(young, minutes, hours)
    tried = [daly * 1.001**step for step in range(-300, 301)]
    best = max(tried, key=lambda tau: goodput.share(tau, minutes, 10, hours))
    assert daly == pytest.approx(best, rel=0.01)
    assert goodput.share(daly, minutes, 10, hours) >= goodput.share(young, minutes, 10, hours)


def test_daly_by_hand() -> None:
    """Five minutes and a day: 2 h (1 + (1/24)/3 + (1/24)²/9) less the five minutes; the root of 5/60/48 is 1/24."""
    assert goodput.young_interval(5, 24) == pytest.approx(2)
    assert goodput.daly_interval(2, 5, 24) == pytest.approx(2 * (1 + 1 / 72 + 1 / 5184) - 1 / 12, rel=1e-3)
