"""Parameters and FLOP of eyes against Flamingo's sums and by hand; tokens of pictures."""

from __future__ import annotations

import math

import pytest

from gpt4lab.catalog import measurements
from gpt4lab.checks.tables import flamingo, flamingo_slim
from gpt4lab.quantities import value
from gpt4lab.quantities.topics import vision
from gpt4lab.quantities.topics.vision import tile_tokens
from gpt4lab.scenario import ScenarioError, load_scenario

LEAK = load_scenario("leak")


def test_flamingo_s_published_sums() -> None:
    """Twelve d² for each insertion are 1% off, 26% too many and 3% too few; with narrow keys, 4, 13 and 16%."""
    wide, slim = (
        [check.ratio for check in checks if "cross" in check.what] for checks in (flamingo(), flamingo_slim())
    )
    assert wide == pytest.approx([1 / 1.0066, 1 / 1.258, 1 / 0.966], rel=1e-3)
    assert slim == pytest.approx([1 / 0.965, 1 / 1.127, 1 / 0.8355], rel=1e-3)
    resampler = measurements["flamingo-3b"].measured["resampler_params"]
    assert value("vision.resampler_params", LEAK) == pytest.approx(resampler, rel=0.03)


@pytest.mark.parametrize(("layers", "every", "inserts"), [(24, 1, 24), (40, 4, 10), (80, 7, 12), (120, 7, 18)])
def test_insertions_begin_before_the_first_block(layers: int, every: int, inserts: int) -> None:
    """The first three are the paper's own."""
    assert vision.inserts(layers, every) == inserts


def test_both_ways_to_see_by_hand() -> None:
    per_token = 2 * value("model.active_params", LEAK)
    assert value("vision.tile_flop", LEAK) == pytest.approx(170 * per_token)
    assert value("vision.image_worth", LEAK) == pytest.approx(value("vision.flop_per_image", LEAK) / per_token)
    even = {"vision.text_tokens": value("vision.even_tokens", LEAK)}
    assert value("vision.attended_flop", LEAK, even) == pytest.approx(value("vision.tile_flop", LEAK))
    assert value("vision.worth", LEAK, even) == pytest.approx(value("vision.priced_tokens", LEAK))
    assert value("vision.tile_cache", LEAK) == 170 * value("kv.bytes_per_token", LEAK)
    assert value("vision.image_cache", LEAK) == 64 * 18 * 2 * 10_752 * 2


def test_a_frozen_model_saves_a_third() -> None:
    assert value("vision.frozen_cost", LEAK) == pytest.approx(2 / 3 * value("vision.cost", LEAK))


def test_an_image_s_flop_by_hand() -> None:
    """64 latents and 1,024 patches through six layers of width 1,536 with 16 heads of 128."""
    inner = 16 * 128
    latents = 64 * (2 * 2 * 1536 * inner + 2 * 8 * 1536**2)
    pairs = (1024 + 64) * (2 * 2 * 1536 * inner + 64 * 4 * inner)
    assert value("vision.resampler_flop", LEAK) == pytest.approx(6 * (latents + pairs))
    keys = 64 * 2 * 2 * 10_752**2 * 18
    assert value("vision.keys_flop", LEAK) == pytest.approx(keys)
    text = 18 * (2 * 10 * 10_752**2 + 4 * 64 * 10_752)
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
