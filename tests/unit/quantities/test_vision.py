"""Parameters and FLOP of eyes against Flamingo's sums and by hand; tokens of pictures."""

from __future__ import annotations

import math

import pytest

from gpt4lab.catalog import measurements
from gpt4lab.quantities import value
from gpt4lab.quantities.topics import vision
from gpt4lab.quantities.topics.vision import tile_tokens
from gpt4lab.scenario import ScenarioError, load_scenario

LEAK = load_scenario("leak")


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
