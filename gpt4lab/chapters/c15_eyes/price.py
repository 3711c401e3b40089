"""Chapter 15: tokens that stand before the text, or latents beside it, and what a price says about that."""

from __future__ import annotations

from gpt4lab.charts import Axis
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.panel import Slide
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

attend = Curve(
    title="Prepend or attend",
    of="vision.attended_flop",
    along="vision.text_tokens",
    at=[10 ** (step / 8) for step in range(41)],
    x=Axis("text", "Tokens of text that look at the image", log=True, form="count", domain=(1, 1e5)),
    y=Axis("flop", "FLOP for the image", log=True, domain=(1e11, 1e17)),
    series="way",
    lines={"by cross-attention": {}, "170 tokens before the text": "vision.tile_flop"},
    label="An image by cross-attention",
    whose=lambda _: "the post, with Flamingo’s recipe",
    says="With {vision.text_tokens} of text to look at it, an image costs {vision.attended_flop}, as much as "
    "{vision.worth} of text. Prepended, a tile is {vision.tile_flop}, however much text follows. Both are even at "
    "{vision.even_tokens}.",
    alt="FLOP for an image against the text about it: flat at first for cross-attention, then rising through the level "
    "of prepended tokens.",
    controls=(
        Slide("vision.text_tokens", 1, 1e5),
        Slide("vision.every", 1, 12),
        Slide("vision.tokens_per_image", 16, 1024),
        Slide("vision.side", 224, 2048),
    ),
    presets={
        "A tile and an answer": "leak",
        "A whole conversation": {"vision.text_tokens": 8000},
        "Before every block": {"vision.every": 1},
    },
    claims=("C64", "C65"),
)


def beside(scenario: Scenario | None = None) -> list[Row]:
    """Both ways to see a tile: FLOP, cache, new parameters, and what happens to text without an image."""
    scenario = scenario or load_scenario("leak")
    prepended, attended = (
        {name: show(value(path, scenario), unit) for name, (path, unit) in paths.items()}
        for paths in (
            {"work once": ("vision.tile_flop", "FLOP"), "cache": ("vision.tile_cache", "byte")},
            {"work once": ("vision.flop_per_image", "FLOP"), "cache": ("vision.image_cache", "byte")},
        )
    )
    again = show(value("vision.flop_per_text_token", scenario), "FLOP/token")
    added = show(value("vision.added_params", scenario), "param")
    return [
        {"way": "170 tokens before the text", **prepended, "work for each text token": "attention to 170 more",
         "parameters added": "an encoder and one matrix", "text without images": "as its weights have become"},
        {"way": "cross-attention", **attended, "work for each text token": again,
         "parameters added": added, "text without images": "bit for bit as before, if frozen"},
    ]  # fmt: skip
