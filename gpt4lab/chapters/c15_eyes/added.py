"""Chapter 15: what eyes add to the model, in parameters and in work, and what the training of them costs."""

from __future__ import annotations

from gpt4lab.charts import Axis
from gpt4lab.checks.check import Checks
from gpt4lab.checks.tables import flamingo, flamingo_slim
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.panel import Slide
from gpt4lab.scenario import Scenario, load_scenario

WIDE = {"model.d_model": 15_360}
WIDTHS = {"10,752 wide": {"model.d_model": 10_752}, "12,288": {"model.d_model": 12_288}, "15,360": WIDE}
EVERY = Axis("every", "Blocks from one cross-attention to the next", domain=(1, 12))


def times_heads(scenario: Scenario, low: int, high: int) -> list[int]:
    """Widths that the heads divide."""
    heads = scenario.model.heads
    return [heads * size for size in range(low, high + 1, 8)]


params = Curve(
    title="What the recipe adds",
    of="vision.params",
    along="model.d_model",
    at=times_heads(load_scenario("leak"), 48, 240),
    x=Axis("d", "Width of the model", form="count", domain=(4000, 20_500)),
    y=Axis("params", "Parameters added", log=True, domain=(1e9, 1e12)),
    series="every",
    lines={
        "before every block": {"vision.every": 1},
        "every 4th": {"vision.every": 4},
        "every 7th": {"vision.every": 7},
    },
    label="Gated cross-attention adds",
    whose=lambda _: "the post, with Flamingo’s recipe",
    says="{vision.inserts} of cross-attention at a width of {model.d_model} are {vision.params}: "
    "{vision.share_of_all} of all parameters, and {vision.share_of_active} of those that a token meets. Encoder and "
    "resampler, if they are Flamingo’s, make it {vision.added_params}.",
    alt="Parameters added against the width: curves for cross-attention before every block, every 4th and every 7th.",
    controls=(Slide("model.d_model", 4032, 20_160), Slide("vision.every", 1, 12)),
    presets={"The post, Flamingo’s 7th": "leak", "As wide as 15,360": WIDE, "Before every block": {"vision.every": 1}},
    claims=("C65", "C66"),
    tour=(
        ({}, "At the narrowest width that fits the post, {vision.inserts} add {vision.params}."),
        (WIDE, "At {model.d_model}, which fits it too, they add {vision.params}: twice as much for the same words."),
        ({"vision.every": 1}, "Before every block, as in the smallest Flamingo, {vision.share_of_active} more."),
    ),
)

work = Curve(
    title="What each word pays for looking",
    of="vision.work_share",
    along="vision.every",
    at=range(1, 13),
    x=EVERY,
    y=Axis("share", "Work added to a text token", form="percent", domain=(0, 1)),
    series="width",
    lines=WIDTHS,
    label="Work that looking adds to a text token",
    whose=lambda _: "the post, with Flamingo’s recipe",
    says="Looking at an image adds {vision.flop_per_text_token} of text, {vision.work_share} of "
    "its work. Without an image the layers are skipped, and nothing is paid.",
    alt="Work added to a text token against the interval, by width: falling steps.",
    controls=(Slide("vision.every", 1, 12), Slide("model.d_model", 4032, 20_160), "vision.tokens_per_image"),
    claims=("C66",),
)

bill = Curve(
    title="The bill of the second training",
    of="vision.cost",
    along="vision.tokens",
    at=[10 ** (10 + step / 4) for step in range(17)],
    x=Axis("tokens", "Tokens of the added training", log=True, form="count", domain=(1e10, 1e14)),
    y=Axis("cost", "Rent, dollars", log=True, form="money", domain=(1e4, 1e9)),
    series="who",
    lines={"all weights learn": {}, "the language model is frozen": "vision.frozen_cost"},
    label="Rent, if all weights learn",
    says="{vision.tokens} more are {vision.flop_share} of the compute, {vision.days} and {vision.cost} on the same "
    "machines. Frozen, {vision.frozen_cost}: a gradient must still go back through every block, but none is needed of "
    "its weights. The new layers themselves add {vision.new_flop} to either.",
    alt="Rent against tokens of the added training: two parallel lines, the frozen one a third lower.",
    controls=(
        Slide("vision.tokens", 1e10, 1e14),
        Slide("cluster.usd_per_gpu_hour", 0.5, 5),
        Slide("training.mfu", 0.1, 0.6),
    ),
    claims=("C67", "C68"),
)


def rows() -> Checks:
    """The paper's own table by the formula, and by the one with narrow keys and values."""
    return Checks([*flamingo(), *flamingo_slim()])
