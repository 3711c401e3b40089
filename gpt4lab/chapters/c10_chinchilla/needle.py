"""Chapter 10's drawing: one needle from a tenth to thirty times the stated tokens, under every law and every size."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, log, pi, sin

import attrs

from gpt4lab import catalog
from gpt4lab.charts.drawing import Dot, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.claims import ledger
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.quantities.topics.scaling import kaplan_tokens
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.scenario.live import LAWS
from gpt4lab.units import show

LOW, HIGH = 0.1, 30.0  # ends of the dial
X, Y, R, HEIGHT = 310, 268, 215, 330  # px: hub, radius, height of the picture
TICKS = (0.1, 0.3, 1, 3, 10, 30)
CLAIM = ledger()["C85"]
ACTIVE, ALL = "what a token meets", "all parameters"
LOOKS = {ACTIVE: "blue thick", ALL: "orange thick dashed"}


@attrs.frozen
class Reading:
    """Best tokens over the stated ones by one rule, for both ways to count the size."""

    rule: str
    says: str
    active: float
    all: float

    @property
    def both(self) -> dict[str, float]:
        """Ratio by what counts."""
        return {ACTIVE: self.active, ALL: self.all}


SAYS = {
    "Kaplan": "Kaplan 2020, before Chinchilla: make the model large, and let it see little.",
    "20 tokens a parameter": "The rule of thumb that became of Chinchilla.",
    "fitted here": "The points of Chinchilla's figure, fitted here as your sliders say.",
    "Besiroglu": "The same points, fitted by Epoch AI in 2024, with five left out.",
    "Hoffmann": "Hoffmann 2022, Approach 3, with the digits of the paper's source.",
    "Hoffmann, rounded": "The same law with exponents of two digits, as the paper prints them.",
    "Muennighoff": "Muennighoff 2023, fitted to other models on another text.",
}


def readings(scenario: Scenario) -> list[Reading]:
    """Every rule, the reader's own fit last."""
    rule = [value(f"scaling.rule_ratio_{size}", scenario) for size in ("active", "total")]
    laws = [Reading(law, SAYS[law], *(_by_law(scenario, law, counts) for counts in ("active", "all"))) for law in LAWS]
    return [_by_kaplan(scenario), Reading("20 tokens a parameter", SAYS["20 tokens a parameter"], *rule), *laws[::-1]]


def _by_law(scenario: Scenario, law: str, counts: str) -> float:
    return value("chinchilla.ratio", change(scenario, {"chinchilla.law": law, "chinchilla.counts": counts}))


def _by_kaplan(scenario: Scenario) -> Reading:
    """Its tokens for the compute at which it wants this size."""
    known, stated = catalog.constants["kaplan2020"], value("training.tokens", scenario)
    sizes = [value(f"model.{size}_params", scenario) for size in ("active", "total")]
    work = [(N / known.N_best) ** (1 / known.N_exponent) for N in sizes]
    ratios = [kaplan_tokens(known.D_best, C, known.N_exponent) / stated for C in work]
    return Reading("Kaplan", SAYS["Kaplan"], *ratios)


def _at(ratio: float, radius: float) -> tuple[float, float]:
    """A place on the dial; what lies beyond stands at its end."""
    share = log(min(max(ratio, LOW), HIGH) / LOW) / log(HIGH / LOW)
    return X - radius * cos(pi * share), Y - radius * sin(pi * share)


def _arc(low: float, high: float, radius: float) -> list[tuple[float, float, float, float]]:
    steps = [low * (high / low) ** (step / 24) for step in range(25)]
    ends = [_at(ratio, radius) for ratio in steps]
    return [(*here, *there) for here, there in zip(ends, ends[1:], strict=False)]


def claimed() -> tuple[float, float]:
    """The ratios of which the post would be right."""
    return CLAIM.stated[0] / (1 + CLAIM.tolerance), CLAIM.stated[0] / (1 - CLAIM.tolerance)


def dial(scenario: Scenario) -> list[Scene]:
    """A scene a rule."""
    found = readings(scenario)
    return [_scene(found, reading) for reading in found]


def _scene(found: list[Reading], here: Reading) -> Scene:
    both = "; ".join(f"counting {counts}, {show(ratio, 'x')}" for counts, ratio in here.both.items())
    return Scene(
        [*_face(found), *_needles(here)],
        HEIGHT,
        f"A dial from a tenth to thirty times the stated tokens. {here.rule}: {both}.",
        here.says,
        {"rule": "Law", "active": f"Best tokens over stated, {ACTIVE}", "all": f"Best tokens over stated, {ALL}"},
        [{"rule": each.rule, "active": each.active, "all": each.all} for each in found],
    )


def _face(found: list[Reading]) -> Iterator[Shape]:
    """The scale, where the post would be right, and where every rule points."""
    yield Strokes("enough", _arc(LOW, 1, R), "green thick")
    yield Strokes("few", _arc(1, HIGH, R), "vermillion thick dashed")
    for radius in range(R + 3, R + 17, 2):
        yield Strokes(f"claim-{radius}", _arc(*claimed(), radius), "soft thick pale")
    yield Strokes("ticks", [(*_at(tick, R - 5), *_at(tick, R + 5)) for tick in TICKS], "ink")
    for tick in TICKS:
        x, y = _at(tick, R - 20)
        yield Words(f"tick-{tick}", x, y + 4, f"{tick:g}×", "soft small", "middle")
    x, y = _at(CLAIM.stated[0], R + 24)
    yield Words("claim-words", x, y, "the post: 2×", "ink bold")
    yield Words("enough-words", 0, 20, "it saw more than enough", "green")
    yield Words("few-words", 2 * X, 20, "it saw too few", "vermillion", "end")
    for each in found:
        for counts, ratio in each.both.items():
            look = "blue pale" if counts == ACTIVE else "orange outline"
            yield Dot(f"rim-{each.rule}-{counts}", *_at(ratio, R - 40), 4, look, f"{each.rule}: {show(ratio, 'x')}")


def _needles(here: Reading) -> Iterator[Shape]:
    for counts, ratio in here.both.items():
        x, y = _at(ratio, R - 34)
        yield Stroke(f"needle-{counts}", X, Y, x, y, LOOKS[counts])
        yield Dot(f"tip-{counts}", x, y, 6, "blue" if counts == ACTIVE else "orange")
    yield Dot("hub", X, Y, 7, "ink")
    yield Words("rule", X, Y + 30, here.rule, "bold large", "middle")
    left, right = (f"{counts}: {show(ratio, 'x')}{_beyond(ratio)}" for counts, ratio in here.both.items())
    yield Words("left", X - 20, Y + 54, left, "blue bold", "end")
    yield Words("right", X + 20, Y + 54, right, "orange bold")


def _beyond(ratio: float) -> str:
    return "" if LOW <= ratio <= HIGH else ", beyond the dial"


def dial_view(scenario: Scenario) -> View:
    """Where all the needles point."""
    found = [ratio for each in readings(scenario) for ratio in each.both.values()]
    low, high = claimed()
    few, near = sum(ratio > 1 for ratio in found), sum(low <= ratio <= high for ratio in found)
    return View(
        label="Best number of tokens over the stated one",
        value=f"{show(min(found), 'x')} to {show(max(found), 'x')}",
        sentence=f"{len(found) // 2} rules, each with two ways to count the size: {few} of {len(found)} needles say that "
        f"the model saw too few tokens, {len(found) - few} that it saw enough. {near} point at the post's “2x”.",
        scenes=dial(scenario),
    )


def spread() -> float:
    """Largest over smallest answer to the same question."""
    found = [ratio for each in readings(load_scenario("leak")) for ratio in each.both.values()]
    return max(found) / min(found)


needle = Drawn(
    title="How many tokens would have been right?",
    legend="The dial shows the best number of tokens over the stated 13 trillion. Solid needle: the size is what a token "
    "meets; dashed: all parameters. The small dots are all the other laws. Step through them.",
    controls=(
        Slide("training.tokens", 1e12, 1e14),
        "chinchilla.dropped",
        Slide("model.experts", 2, 64),
        Slide("model.top_k", 1, 16),
    ),
    folded=("chinchilla.order", "chinchilla.delta", Slide("model.expert_params", 1e10, 1e12)),
    presets={
        "The post": "leak",
        "No point dropped": {"chinchilla.dropped": 0},
        "Twenty dropped": {"chinchilla.dropped": 20},
        "The claim come true: 26T": {"training.tokens": 26e12},
    },
    claims=("C85",),
    view=dial_view,
    steps="Law",
    begins=-1,
)
