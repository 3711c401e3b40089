"""Chapter 14's drawing: what the draft says, what is kept of it, and how the refused part fills the gaps."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from gpt4lab.charts.drawing import Box, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario

#: An invented pair: what a target, and the worst draft of it that is drawn, would say next.
WORDS = ("mat", "floor", "bed", "roof", "sofa", "moon")
TARGET = (0.38, 0.22, 0.15, 0.11, 0.09, 0.05)
WORST = (0.03, 0.40, 0.02, 0.33, 0.01, 0.21)
FLOOR, SCALE, PITCH, BAR = 236, 380, 86, 48  # px: where bars stand, of certainty, from word to word, of a bar
POOL = PITCH * len(WORDS) + 30


@attrs.frozen
class Guesses:
    """Shares of all guesses, a word each: the draft's, kept, refused, drawn after a refusal."""

    draft: list[float]
    kept: list[float]
    refused: list[float]
    drawn: list[float]
    lenience: float

    @property
    def out(self) -> list[float]:
        """What comes out."""
        return [kept + drawn for kept, drawn in zip(self.kept, self.drawn, strict=True)]


def judged(scenario: Scenario) -> Guesses:
    """A draft of the scenario's acceptance: the target's odds mixed with the worst's; judged as the toy does."""
    alike = sum(map(min, TARGET, WORST))
    mixed = min(1, (1 - value("speculation.acceptance", scenario)) / (1 - alike))
    lenience = value("drafting.lenience", scenario)
    draft = [p + mixed * (q - p) for p, q in zip(TARGET, WORST, strict=True)]
    kept = [min(q, p / lenience) for p, q in zip(TARGET, draft, strict=True)]
    missing = [max(0, p - lenience * q) for p, q in zip(TARGET, draft, strict=True)]
    refused = [q - k for q, k in zip(draft, kept, strict=True)]
    share = sum(refused) / (sum(missing) or 1)
    return Guesses(draft, kept, refused, [share * one for one in missing], lenience)


#: (what stands above the bars, what happens), step by step.
STEPS = (
    ("The target: p", "What the large model would say, how often. The outlines stay: this must come out."),
    ("The draft: q", "The small model guesses with odds of its own: of some words too often, of others too seldom."),
    ("Kept, or refused", "The target reads the guess. Up to {line} it is kept; what is said too often is refused."),
    ("The refused part", "Added up, {refused} of all guesses are refused. {missing} is missing elsewhere."),
    ("What is missing", "So after a refusal the target draws a word of its own, only from what is missing."),
    ("What comes out", "{out}"),
)  # fmt: skip


def bars(scenario: Scenario) -> list[Scene]:
    """Six steps from p and q to what comes out."""
    found = judged(scenario)
    return [_scene(found, step) for step in range(len(STEPS))]


def _scene(found: Guesses, step: int) -> Scene:
    title, caption = STEPS[step]
    line = "p" if found.lenience == 1 else f"p/{found.lenience:.3g}"
    missing = "As much" if found.lenience == 1 else "More"
    words = {"refused": f"{sum(found.refused):.1%}", "out": _outcome(found), "line": line, "missing": missing}
    caption = caption.format(**words)
    columns = {"p": TARGET, "q": found.draft, "kept": found.kept, "drawn": found.drawn, "out": found.out}
    heads = {"p": "Target p", "q": "Draft q", "kept": "Kept", "drawn": "Drawn after a refusal", "out": "Comes out"}
    shown = (TARGET, found.draft, found.kept, found.kept, found.kept, found.out)[step]
    return Scene(
        [Words("title", 0, 16, title, "bold"), *_still(shown), *_pieces(found, step)],
        FLOOR + 40,
        f"Bars for {len(WORDS)} words. {caption}",
        caption,
        {"word": "Next word"} | {name: f"{head}, %" for name, head in heads.items()},
        [{"word": word} | {name: round(100 * column[at], 1) for name, column in columns.items()}
         for at, word in enumerate(WORDS)],
    )  # fmt: skip


def _outcome(found: Guesses) -> str:
    off, word = max((abs(out - p), word) for out, p, word in zip(found.out, TARGET, WORDS, strict=True))
    if off < 1e-9:
        return "The gaps are filled to the brim. What comes out is the target's, for every word: nothing is lost."
    at = WORDS.index(word)
    here, there = f"{found.out[at]:.0%}", f"{TARGET[at]:.0%}"
    return f"“{word}” comes out {here} of the time, where the target says {there}: this is no longer its text."


def _still(shown: list[float] | tuple[float, ...]) -> Iterator[Shape]:
    """The target's outlines, which never move, and the words below."""
    yield Stroke("floor", 0, FLOOR, PITCH * len(WORDS) - PITCH + BAR + 8, FLOOR, "soft")
    for at, word in enumerate(WORDS):
        left, right, top = PITCH * at + 4, PITCH * at + 4 + BAR, FLOOR - SCALE * TARGET[at]
        edges = [(left, FLOOR, left, top), (left, top, right, top), (right, top, right, FLOOR)]
        yield Strokes(f"target-{word}", edges, "ink")
        yield Words(f"word-{word}", PITCH * at + 4 + BAR / 2, FLOOR + 17, word, "ink", "middle")
        yield Words(f"share-{word}", PITCH * at + 4 + BAR / 2, FLOOR + 34, f"{shown[at]:.0%}", "soft small", "middle")


def _pieces(found: Guesses, step: int) -> Iterator[Shape]:
    """What each bar is made of: kept, with the refused part above, or in the pool, or what is drawn instead."""
    if step == 0:
        return
    pool = FLOOR
    for at, word in enumerate(WORDS):
        x, kept = PITCH * at + 4, SCALE * found.kept[at]
        yield Box(f"kept-{word}", x, FLOOR - kept, BAR, kept, "orange" if step == 1 else "blue")
        part = "drawn" if step > 3 else "refused"
        high = SCALE * (found.drawn if step > 3 else found.refused)[at]
        if high > 0:
            pooled = step in (3, 4)
            pool -= high * pooled
            look = "orange" if step == 1 else "green" if step > 3 else "vermillion"
            yield Box(f"{part}-{word}", POOL if pooled else x, pool if pooled else FLOOR - kept - high, BAR, high, look)
    if step in (3, 4) and pool < FLOOR:
        yield Words("pool", POOL + BAR / 2, FLOOR + 17, "refused" if step == 3 else "drawn", "ink", "middle")
        yield Words("pool-share", POOL + BAR / 2, FLOOR + 34, f"{sum(found.refused):.0%}", "soft small", "middle")


def bars_view(scenario: Scenario) -> View:
    """How many guesses are kept, and whose text comes out."""
    found = judged(scenario)
    return View(
        "Guesses that are kept",
        sum(found.kept),
        "fraction",
        f"{sum(found.refused):.1%} of the guesses are refused. {_outcome(found)}",
        scenes=bars(scenario),
    )


filled = Drawn(
    title="The gap is filled",
    legend="Six words that may follow “The cat sat on the”, by an invented pair of models. Step through; then move how "
    "alike the two are (acceptance), and the lenience.",
    controls=(Slide("speculation.acceptance", 0.45, 0.99), Slide("drafting.lenience", 0.3, 1)),
    presets={
        "Our assumption": "leak",
        "A bad draft": {"speculation.acceptance": 0.5},
        "Lenient": {"drafting.lenience": 0.5},
    },
    view=bars_view,
    begins=2,
)
