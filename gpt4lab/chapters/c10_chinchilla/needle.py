"""Chapter 10's drawing: one needle from a tenth to thirty times the stated tokens, under every law and every size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import cos, log, pi, sin
from typing import NamedTuple

from gpt4lab.charts.drawing import Dot, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.claims import ledger
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, change
from gpt4lab.units import show

X, Y, R, HEIGHT = 310, 248, 215, 352  # px: hub, radius, height of the picture
TICKS = (0.1, 0.3, 1, 3, 10, 30)  # of the dial, from end to end
CLAIM = ledger()["C85"]
#: Law -> its name among the quantities, and what it is.
RULES = {
    "Kaplan": ("kaplan", "Kaplan 2020, before Chinchilla: make the model large, and let it see little."),
    "20 tokens a parameter": ("rule", "The rule of thumb that became of Chinchilla."),
    "Muennighoff": ("muennighoff", "Muennighoff 2023, fitted to other models on another text."),
    "Hoffmann, rounded": ("hoffmann", "Chinchilla’s third approach, as the paper prints it: exponents of two digits."),
    "Hoffmann": ("hoffmann_tex", "The same law, with the digits of the paper’s source."),
    "Besiroglu": ("besiroglu", "The points of the paper’s figure, fitted by Epoch AI in 2024, with five left out."),
    "fitted here": ("", "The same points, fitted here as your sliders say."),
}  # fmt: skip
COUNTS = {"active": "what a token meets", "all": "all parameters"}
LOOKS = {"active": ("blue thick", "blue"), "all": ("orange thick dashed", "orange")}


class Needles(NamedTuple):
    """Best tokens over the stated ones by one law, for both ways to count the size."""

    law: str
    active: float
    all: float


def needles(scenario: Scenario) -> list[Needles]:
    """Those of every law, the reader's own fit last."""
    return [Needles(law, *(_ratios(scenario, name))) for law, (name, _) in RULES.items()]


def _ratios(scenario: Scenario, name: str) -> list[float]:
    if name:
        return list(values([f"scaling.{name}_ratio_{size}" for size in ("active", "total")], scenario).values())
    ours = [{"chinchilla.law": "fitted here", "chinchilla.counts": counts} for counts in COUNTS]
    return [value("chinchilla.ratio", change(scenario, there)) for there in ours]


def claimed() -> tuple[float, float]:
    """The ratios at which the post would be right."""
    return CLAIM.stated[0] / (1 + CLAIM.tolerance), CLAIM.stated[0] / (1 - CLAIM.tolerance)


def share(ratio: float) -> float:
    """The place of a ratio on a scale from the first tick to the last; what lies beyond stands at its end."""
    return log(min(max(ratio, TICKS[0]), TICKS[-1]) / TICKS[0]) / log(TICKS[-1] / TICKS[0])


def _at(ratio: float, radius: float) -> tuple[float, float]:
    return X - radius * cos(pi * share(ratio)), Y - radius * sin(pi * share(ratio))


def _arc(low: float, high: float, radius: float) -> list[tuple[float, float, float, float]]:
    ends = [_at(low * (high / low) ** (step / 24), radius) for step in range(25)]
    return [(*here, *there) for here, there in pairwise(ends)]


def _scene(found: list[Needles], here: Needles) -> Scene:
    both = "; ".join(f"counting {COUNTS[counts]}, {show(getattr(here, counts), 'x')}" for counts in COUNTS)
    return Scene(
        [*_face(found), *_hands(here)],
        HEIGHT,
        f"A dial from a tenth to thirty times the stated tokens. {here.law}: {both}.",
        RULES[here.law][1],
        {"law": "Law"} | {counts: f"Best over stated, {words}" for counts, words in COUNTS.items()},
        [each._asdict() for each in found],
        round=True,
    )


def _face(found: list[Needles]) -> Iterator[Shape]:
    """The scale, where the post would be right, and where every law points."""
    yield Strokes("enough", _arc(TICKS[0], 1, R), "green thick")
    yield Strokes("few", _arc(1, TICKS[-1], R), "vermillion thick dashed")
    for radius in range(R + 3, R + 17, 2):
        yield Strokes(f"claim-{radius}", _arc(*claimed(), radius), "soft thick pale")
    yield Strokes("ticks", [(*_at(tick, R - 5), *_at(tick, R + 5)) for tick in TICKS], "ink")
    for tick in TICKS:
        x, y = _at(tick, R - 20)
        yield Words(f"tick-{tick}", x, y + 4, f"{tick:g}×", "soft small", "middle")
    yield Words("claim-words", *_at(CLAIM.stated[0], R + 24), "the post: 2×", "ink bold")
    yield Words("enough-words", 0, Y + 98, "it saw more than enough", "green")
    yield Words("few-words", 2 * X, Y + 98, "it saw too few", "vermillion", "end")
    for law, *both in found:
        for ratio, look in zip(both, ("blue pale", "orange outline"), strict=True):
            yield Dot(f"rim-{law}-{look}", *_at(ratio, R - 40), 4, look, f"{law}: {show(ratio, 'x')}")


def _hands(here: Needles) -> Iterator[Shape]:
    yield Dot("hub", X, Y, 7, "ink")
    yield Words("law", X, Y + 38, here.law, "bold large", "middle")
    for counts, side in (("active", -16), ("all", 16)):
        ratio, (line, colour) = getattr(here, counts), LOOKS[counts]
        x, y = _at(ratio, R - 34)
        yield Stroke(f"hand-{counts}", X, Y, x, y, line)
        yield Dot(f"tip-{counts}", x, y, 6, colour)
        words = f"{counts}: {show(ratio, 'x')}"
        yield Words(f"words-{counts}", X + side, Y + 68, words, f"{colour} bold", "end" if side < 0 else "start")


def dial_view(scenario: Scenario) -> View:
    """Where all the needles point."""
    found, (low, high) = needles(scenario), claimed()
    ratios = [ratio for _, *both in found for ratio in both]
    few, near = sum(ratio > 1 for ratio in ratios), sum(low <= ratio <= high for ratio in ratios)
    return View(
        label="Best number of tokens over the stated one",
        value=f"{show(min(ratios), 'x')} to {show(max(ratios), 'x')}",
        sentence=f"{len(found)} laws, two ways to count the size: {few} of {len(ratios)} needles say that the model "
        f"saw too few tokens, {len(ratios) - few} that it saw enough. {near} point at the post’s “2x”.",
        scenes=[_scene(found, here) for here in found],
    )


needle = Drawn(
    title="How many tokens would have been right?",
    legend="The dial shows the best number of tokens over the stated one. Solid needle: the size is what a token "
    "meets; dashed: all parameters. The small dots are where the other laws point. Step through them.",
    controls=(Slide("training.tokens", 1e12, 1e14), Slide("chinchilla.dropped", 0, 60), Slide("model.experts", 2, 64)),
    folded=("chinchilla.order", "chinchilla.delta", "model.top_k", Slide("model.expert_params", 1e10, 1e12)),
    presets={
        "The post": "leak",
        "No point dropped": {"chinchilla.dropped": 0},
        "Twice the tokens, as it asks": {"training.tokens": 26e12},
    },
    claims=("C85",),
    view=dial_view,
    steps="Law",
    begins=-1,
)
