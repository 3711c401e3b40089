"""Chapter 04's drawing: a glass that holds all tokens of the run, and the sources poured into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from gpt4lab.chapters.c04_tokens.sources import ROUNDED, TERA
from gpt4lab.charts.drawing import Box, Dot, Grip, Scene, Shape, Stroke, Strokes, Words
from gpt4lab.claims.prose import fill
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.panel import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

LEFT, WIDE, FLOOR, TALL = 12, 236, 336, 290  # px: the glass, and the most that stands in it
LEAK = load_scenario("leak")
GITHUB = LEAK.data.repository_tokens
BESIDE, LINE = LEFT + WIDE + 34, 19  # px: where the names begin, and how near they may come


@attrs.frozen
class Poured:
    """One source in the glass. made: how its tokens are counted; field: what its upper edge moves."""

    key: str
    name: str
    look: str
    made: str


ROWS = (
    Poured("web", "web text", "blue", "{data.web_tokens} × {data.text_epochs} readings"),
    Poured("code", "code", "orange", "{data.code_tokens} × {data.code_epochs} readings"),
    Poured("books", "books", "green",
           "{data.books_used} of {data.books}, {data.tokens_per_book} × {data.text_epochs} readings"),
    Poured("papers", "papers", "purple",
           "{data.papers_used} of {data.papers}, {data.tokens_per_paper} × {data.text_epochs} readings"),
    Poured("textbooks", "textbooks", "vermillion",
           "{data.textbooks_used} of {data.textbooks}, {data.tokens_per_textbook} × {data.text_epochs} readings"),
    Poured("speech", "speech", "sky",
           "{data.speech_used} of {data.video_hours}, {data.text_epochs} readings"),
)  # fmt: skip


def poured(scenario: Scenario) -> list[tuple[Poured, float]]:
    """The sources that are in the mix, with the tokens seen of each."""
    seen = [(row, value(f"data.{row.key}_seen", scenario)) for row in ROWS]
    return [(row, tokens) for row, tokens in seen if tokens > 0]


def glass(scenario: Scenario) -> list[Scene]:
    """One source after the other; one alone has no steps, and so no caption."""
    found = poured(scenario)
    scenes = [_scene(scenario, found[: step + 1], step + 1 == len(found)) for step in range(len(found))]
    return scenes if len(scenes) > 1 else [attrs.evolve(scene, caption="") for scene in scenes]


def _scale(scenario: Scenario) -> float:
    """Pixels of a token: what is more, the whole or what is poured, fills the height."""
    most = scenario.training.tokens + ROUNDED["training.tokens"]
    return TALL / max(most, value("data.tokens_seen", scenario))


def _scene(scenario: Scenario, rows: Sequence[tuple[Poured, float]], last: bool) -> Scene:
    row, tokens = rows[-1]
    caption = fill(f"{row.name.capitalize()}: {row.made}, {_short(tokens)} seen.", scenario)
    caption += f" {_state(scenario)}" if last else ""
    bottom, high = FLOOR - _scale(scenario) * rows[0][1], _scale(scenario) * TERA * scenario.data.code_epochs
    return Scene(
        [*_layers(scenario, rows, last), *_vessel(scenario)],
        FLOOR + 22,
        f"A glass that holds {_short(scenario.training.tokens)}. {caption}",
        caption,
        {"source": "Source", "made": "How it is counted", "seen": "Seen, trillion tokens"},
        [{"source": one.name, "made": fill(one.made, scenario), "seen": round(n / TERA, 3)} for one, n in rows],
        Grip("data.code_tokens", (bottom, 0), (bottom - high, TERA)),
    )


def _short(tokens: float) -> str:
    return show(tokens, "token").removesuffix(" tokens")


def _state(scenario: Scenario) -> str:
    """Whether the glass is full."""
    hole = value("data.hole", scenario)
    if abs(hole) <= 0.005 * scenario.training.tokens:
        return "The glass is full."
    return f"{_short(hole)} are missing." if hole > 0 else f"{_short(-hole)} are too many."


def _vessel(scenario: Scenario) -> Iterator[Shape]:
    """The glass up to the stated number, and how inexact that is."""
    scale, slack = _scale(scenario), ROUNDED["training.tokens"]
    rim = FLOOR - scale * scenario.training.tokens
    yield Strokes("glass", [(LEFT, rim - 6, LEFT, FLOOR), (LEFT, FLOOR, LEFT + WIDE, FLOOR),
                            (LEFT + WIDE, FLOOR, LEFT + WIDE, rim - 6)], "ink")  # fmt: skip
    yield Box("slack", LEFT - 8, rim - scale * slack, 6, 2 * scale * slack, "soft pale", "as exact as it is written")
    yield Stroke("rim", LEFT - 8, rim, LEFT + WIDE + 8, rim, "ink dashed")
    yield Words("rim-words", LEFT + WIDE + 16, rim + 4, f"{_short(scenario.training.tokens)}: the post", "bold")


def _layers(scenario: Scenario, rows: Sequence[tuple[Poured, float]], last: bool) -> Iterator[Shape]:
    """What is in the glass, from its floor up, each with its name; and what is missing."""
    scale, y = _scale(scenario), float(FLOOR)
    rim, names = FLOOR - scale * scenario.training.tokens, FLOOR + LINE
    for row, tokens in rows:
        high = scale * tokens
        y -= high
        names = min(names - LINE, y + high / 2 + 4)
        names = rim + 4 - LINE if abs(names - rim - 4) < LINE else names
        yield Box(row.key, LEFT + 1, y, WIDE - 2, high, row.look, fill(row.made, scenario))
        yield Stroke(f"{row.key}-line", LEFT + WIDE, y + high / 2, BESIDE - 6, names - 4, "faint")
        yield Words(f"{row.key}-words", BESIDE, names, f"{row.name}: {_short(tokens)}", f"{row.look} bold")
        if row.key == "code":
            yield Stroke("edge", LEFT, y, LEFT + WIDE, y, "orange thick")
            yield Dot("handle", LEFT + WIDE, y, 7, "orange grip")
            yield Box("hold", LEFT, y - 12, WIDE, 24, "none grip")
    missing = y - rim
    if last and missing > 3:
        yield Box("hole", LEFT + 1, rim, WIDE - 2, missing, "soft outline dashed")
    if last and abs(missing) > 16:
        middle = rim + missing / 2 if missing > 0 else y + 11
        yield Words("hole-words", LEFT + WIDE / 2, middle + 4, _state(scenario), "bold", "middle")


def glass_view(scenario: Scenario) -> View:
    """What the sources pour in, and what is left open."""
    seen = value("data.tokens_seen", scenario)
    different, fresh = (_short(value(f"data.{what}_tokens", scenario)) for what in ("unique", "effective"))
    sentence = (
        f"{_state(scenario)} Of {_short(seen)} seen, {different} are different. By the law of repetition they teach as "
        f"much as {fresh} fresh ones would."
    )
    return View("Seen in all", seen, "token", sentence, post=LEAK.training.tokens, scenes=glass(scenario))


budget = Drawn(
    title="A glass of thirteen trillion",
    legend="Sources are poured in one after the other, to scale; tokens that are read twice count twice. Drag the "
    "upper edge of the code, or step through. The pale bar at the rim says how inexact “about 13T” is.",
    controls=(
        Slide("data.web_tokens", 1e12, 15e12),
        Slide("data.code_tokens", 0, 2e12),
        "data.books_used",
        "data.papers_used",
        Slide("data.text_epochs", 1, 8),
    ),
    folded=(
        Slide("data.code_epochs", 1, 8),
        Slide("data.books", 1e5, 1e7),
        Slide("data.tokens_per_book", 6e4, 3e5),
        Slide("data.papers", 1e6, 2e8),
        Slide("data.tokens_per_paper", 3e3, 2e4),
        "data.textbooks_used",
        Slide("data.textbooks", 1e4, 1e7),
        "data.speech_used",
        Slide("data.video_hours", 1e5, 1e9),
    ),
    presets={
        "As meant": "leak",
        "As copied": {"data.web_tokens": 10e12, "data.code_tokens": 0},
        "The web alone": {"data.code_tokens": 0},
        "Court record only": {"data.code_tokens": 0, "data.books": 1e5, "data.books_used": 1},
        "All shadow libraries": {"data.books_used": 1, "data.papers_used": 1, "data.code_tokens": GITHUB},
    },
    tour=(
        ({}, "Web text read {data.text_epochs} times, code {data.code_epochs} times: {data.tokens_seen}. It closes."),
        ({"data.code_tokens": 0}, "Nobody stated the code. Without it {data.hole} are missing."),
        ({"data.code_tokens": 0, "data.books_used": 1}, "All of LibGen in its place: {data.hole} are missing still."),
    ),
    claims=("C17", "C88", "C89", "C94"),
    view=glass_view,
    steps="Source",
    begins=-1,
)
