"""Chapter 01: named geometries, the coincidence, and the drawing's areas."""

from __future__ import annotations

import pytest

from gpt4lab.chapters.c01_parameters import coincidence, drawing
from gpt4lab.chapters.c01_parameters.named import misses, named, one_width
from gpt4lab.charts.drawing import Box, Boxes, Scene
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, change, load_scenario

LEAK = load_scenario("leak")


def test_named_shapes_miss_the_post_by_what_was_found() -> None:
    off = {name: misses(shape) for name, shape in named().items()}
    assert off["the same, one key-value head"]["geometry.attention_params"] == pytest.approx(-0.49, abs=0.002)
    for name in ("one width for both sums", "wider, one key-value head"):
        assert max(map(abs, off[name].values())) < 0.01
    assert 0.015 < max(map(abs, off["Epoch AI"].values())) < 0.025
    assert 0.035 < max(map(abs, off["NVIDIA's proxy"].values())) < 0.04
    full = change(named()["NVIDIA's proxy"], {"model.kv_heads": 120})
    assert misses(full)["geometry.attention_params"] > 1, "the proxy needs shared keys"


def test_the_width_that_fits_both_sums_is_among_the_rounded_ones() -> None:
    low, high = one_width()
    assert low < 10_752 < high
    assert (high - low) / 128 == pytest.approx(coincidence.whole_by_chance())
    assert 10_752 % 128 == 0


def test_a_plain_block_has_two_and_so_have_models_that_are_none() -> None:
    found = coincidence.ratios()
    assert found["GPT-3 175B"] == 2
    assert "Llama 2 7B" in coincidence.as_near(LEAK), "its experts are gated and narrower: the ratio is the same"
    assert coincidence.as_near(change(LEAK, {"model.expert_params": 110e9})) == [
        name for name, ratio in found.items() if ratio == 2
    ]


@pytest.mark.parametrize(
    "scenario", [LEAK, load_scenario("hotz-8x220b"), change(LEAK, {"model.experts": 1, "model.top_k": 1})]
)
def test_the_drawing_is_true_to_scale(scenario: Scenario) -> None:
    *_, last = drawing.wall(scenario)
    scale = drawing.px_per_param(scenario)
    areas = {key: box.w * box.h / scale for key, box in boxes(last).items()}
    assert areas["stamp"] == pytest.approx(drawing.STAMP)
    assert areas["page"] == pytest.approx(drawing.PAGE)
    wall, lit = (shape for shape in last.shapes if isinstance(shape, Boxes))
    ((_, _, wide, high),) = wall.each
    assert wide * high / scale == pytest.approx(value("model.total_params", scenario))
    assert len(lit.each) == len(set(lit.each)) == scenario.model.layers * scenario.model.top_k
    used = areas["lit-shared"] + sum(w * h for _, _, w, h in lit.each) / scale
    assert used == pytest.approx(value("model.active_params", scenario))


def boxes(scene: Scene) -> dict[str, Box]:
    return {shape.key: shape for shape in scene.shapes if isinstance(shape, Box)}
