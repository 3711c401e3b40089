"""Chapter 06's drawing: the gradients of many small batches, which average to one arrow as the batches grow."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from random import Random

from gpt4lab.charts.drawing import WIDTH, Dot, Scene, Shape, Stroke, Words
from gpt4lab.claims.prose import fill
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

ARROWS = 30
START, MIDDLE, LENGTH = 150, 165, 170  # px: where arrows begin, and how long the true gradient is
HEIGHT = 2 * MIDDLE
SHARES = (1 / 256, 1 / 64, 1 / 16, 1 / 4, 1)
NAMES = ("batch.critical_kaplan", "moe.share_of_tokens")


def noise(tokens: float, critical: float) -> float:
    """Length of the noise in a batch's gradient, in lengths of the true gradient; one at the critical batch."""
    return sqrt(critical / tokens)


def _directions() -> list[tuple[float, float]]:
    """The same scatter in every scene; together it points nowhere, and its mean length is one."""
    dice = Random(6)
    drawn = [(dice.gauss(0, 1), dice.gauss(0, 1)) for _ in range(ARROWS // 2)]
    both = [(sign * x, sign * y) for x, y in drawn for sign in (1, -1)]
    size = sqrt(sum(x * x + y * y for x, y in both) / len(both))
    return [(x / size, y / size) for x, y in both]


DIRECTIONS = _directions()


def arrows(tokens: float, critical: float) -> Iterator[Shape]:
    """One arrow a batch, and the one that they average to."""
    spread = LENGTH * noise(tokens, critical)
    for at, (x, y) in enumerate(DIRECTIONS):
        across, down = LENGTH + spread * x, spread * y
        inside = min(1.0, (WIDTH - START if across > 0 else START) / abs(across), MIDDLE / abs(down))
        yield Stroke(f"arrow-{at}", START, MIDDLE, START + inside * across, MIDDLE + inside * down, "sky")
        if inside == 1:
            yield Dot(f"tip-{at}", START + across, MIDDLE + down, 2.5, "sky")
    yield Stroke("true", START, MIDDLE, START + LENGTH, MIDDLE, "vermillion thick")
    yield Dot("true-tip", START + LENGTH, MIDDLE, 5, "vermillion", "what all of them average to")


def scene(words: str, tokens: float, critical: float) -> Scene:
    """So many tokens in a batch."""
    size = noise(tokens, critical)
    told = f"noise {size:.2g} times as long as the gradient"
    shapes = [*arrows(tokens, critical), Words("what", 8, 20, f"{words}: {show(tokens, 'token')}", "bold")]
    if sum(isinstance(shape, Dot) for shape in shapes) <= ARROWS:
        shapes.append(Words("out", 8, HEIGHT - 8, "no tip: it ends outside", "soft"))
    return Scene(
        shapes,
        HEIGHT,
        f"{ARROWS} thin arrows, each the gradient of one batch of {show(tokens, 'token')}, and the thick one that they "
        f"average to: {told}.",
        f"{words}, {show(tokens, 'token')}: {told}. One such batch points "
        f"{1 / sqrt(1 + size**2):.0%} as straight downhill as the average of all.",
        {"what": "Averaged", "tokens": "Tokens", "noise": "Noise, in lengths of the gradient"},
        [{"what": words, "tokens": tokens, "noise": size}],
    )


def scenes(scenario: Scenario) -> list[Scene]:
    """From a small part of the batch to the whole, and the part that one expert sees."""
    found, batch = values(NAMES, scenario), scenario.training.batch_tokens
    parts = {share: f"1/{1 / share:.0f} of the batch" if share < 1 else "the whole batch" for share in SHARES}
    if (seen := found["moe.share_of_tokens"]) < 1:
        parts[seen] = "what one expert sees of it"
    return [scene(parts[share], share * batch, found["batch.critical_kaplan"]) for share in sorted(parts)]


def arrows_view(scenario: Scenario) -> View:
    """The noise of a whole batch, and what it costs."""
    size = noise(scenario.training.batch_tokens, value("batch.critical_kaplan", scenario))
    post = load_scenario("leak")
    sentence = (
        "At Kaplan's critical batch, {batch.critical_kaplan} here, noise and gradient are equally long. A step on "
        "{training.batch_tokens} costs {batch.extra_tokens:.1f} times the fewest tokens, and {batch.extra_steps:.2f} "
        "times the fewest steps. To one expert, which sees {moe.share_of_tokens} of the tokens, the noise "
        f"is {noise(value('moe.share_of_tokens', scenario), size**2):.2g} times the gradient."
    )
    return View(
        "Noise in the gradient of a whole batch, in lengths of the gradient",
        size,
        "x",
        fill(sentence, scenario),
        post=noise(post.training.batch_tokens, value("batch.critical_kaplan", post)),
        scenes=scenes(scenario),
    )


averaged = Drawn(
    title="Many noisy arrows average to one",
    legend="Each thin arrow is the gradient of one batch, the thick one the gradient of all text. Step on: more tokens "
    "are averaged into each arrow. True to scale, but for the directions: a gradient has one a parameter, paper two.",
    controls=(
        Slide("training.batch_tokens", 1e6, 1e9),
        Slide("training.tokens", 1e10, 1e14),
        Slide("model.experts", 2, 256),
        Slide("model.top_k", 1, 8),
    ),
    presets={
        "The post": "leak",
        "GPT-3's batch": {"training.batch_tokens": 3.2e6},
        "Early in training": {"training.tokens": 1e10},
    },
    claims=("C23", "C24"),
    steps="Tokens averaged",
    view=arrows_view,
)
