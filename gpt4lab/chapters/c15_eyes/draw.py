"""Chapter 15: the reader draws a digit, and the toy says what it sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gpt4lab import place
from gpt4lab.chapters.c15_eyes import live
from gpt4lab.chapters.c15_eyes.gate import IMAGES, pixels
from gpt4lab.charts.drawing import Box, Scene, Shape, Words
from gpt4lab.panels.drawn import Drawn
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import INKS, PIXELS

#: px: a pixel; the paper's upper edge; left end of the bars; a whole bar; the drawing, narrow so that pixels keep shape
CELL, TOP, BARS, LONG, ACROSS = 30, 28, 262, 56, 400
DARKEST, HALF = len(INKS) - 1, 8
LOOKS = ((12, "ink"), (7, "soft"), (1, "faint"), (0, "wash"))
PRESSED = {0: DARKEST, DARKEST: HALF}  # ink -> after a press; all else becomes paper
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SEVEN = "........ .gggggg. .....gg. ....gg.. ..ggggg. ...gg... ...g.... ........"
ONE = "....gg.. ...ggg.. ....gg.. ....gg.. ....gg.. ....gg.. ....gg.. ........"


def _paper(ink: list[int]) -> Iterator[Shape]:
    yield Words("paper-words", 0, 16, "Your paper", "bold")
    for at, dark in enumerate(ink):
        x, y = at % PIXELS, at // PIXELS
        look = next(look for least, look in LOOKS if dark >= least)
        said = "paper" if not dark else "ink" if dark == DARKEST else f"ink {dark} of {DARKEST}"
        tip = f"Row {y + 1}, column {x + 1}: {said}"
        yield Box(f"pixel-{at}", CELL * x, TOP + CELL * y, CELL - 2, CELL - 2, f"{look} press paint", tip)


def _bars(shares: Mapping[str, float]) -> Iterator[Shape]:
    """How likely it holds each word."""
    yield Words("bars-words", BARS, 16, "It sees", "bold")
    if not shares:
        yield Words("dark", BARS, TOP + 20, "Nobody looks at it here.", "soft")
    for at, (word, share) in enumerate(words_of(shares).items()):
        y = TOP + 19 * at + (8 if at > 9 else 0) + (8 if at > 11 else 0)
        likely = "bold" if share > 0.5 else "soft"
        yield Words(f"word-{word}", BARS + 40, y + 13, word, f"small {likely}", "end")
        yield Box(f"bar-{word}", BARS + 46, y + 2, LONG * share, 14, "blue", f"{word}: {share:.0%}")
        yield Words(f"share-{word}", BARS + 50 + LONG * share, y + 13, f"{share:.0%}", "small soft")


def words_of(shares: Mapping[str, float]) -> dict[str, float]:
    """The chances of the digits, of thick and thin, and of both leanings; of all forty captions."""
    words = (*NAMES, "thick", "thin", "left", "right")
    return {word: sum(share for caption, share in shares.items() if word in caption.split()) for word in words}


def _rows(shares: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"word": word, "share": f"{share:.1%}"} for word, share in words_of(shares).items()] if shares else []


def seen(picture: str) -> dict[str, float] | None:
    """How likely the model on this page holds each of the forty captions, against the others; None without torch."""
    try:
        from gpt4lab.toys.vision.model import caption_shares

        found = caption_shares(live.seeing(), [float(ink) for ink in pixels(picture)])
    except ImportError:
        return None
    return {caption: share / sum(found.values()) for caption, share in found.items()}


def draw_view(scenario: Scenario) -> View:
    """What stands on the paper, and what the toy makes of it."""
    shares, ink = seen(scenario.eyes.picture), pixels(scenario.eyes.picture)
    best, share = max(shares.items(), key=lambda one: one[1]) if shares else ("", 0.0)
    sentence = _said(best, share) if shares else place.needs("torch")
    described = (
        f"Paper of {PIXELS} by {PIXELS} pixels, {sum(map(bool, ink))} of them inked. {sentence} Arrows go from pixel "
        "to pixel; Space turns paper to ink, ink to half, half to paper; Delete takes ink away."
    )
    titles = {"word": "Word", "share": "How likely it holds it"}
    shapes, rows = [*_paper(ink), *_bars(shares or {})], _rows(shares or {})
    scene = Scene(shapes, TOP + 19 * 15 + 16, described, "", titles, rows, width=ACROSS, keys="-")
    return View("It says", best or "nothing", "", sentence, scenes=[scene])


def _said(best: str, share: float) -> str:
    sure = "is sure" if share > 0.9 else "rather thinks" if share > 0.5 else "wavers, and would say"
    return f"It {sure}: “{best}”, {share:.0%} of what it gives to its forty captions. {live.whose()}"


def pressing(scenario: Scenario, key: str) -> Mapping[str, str]:
    """A pixel that is pressed goes on from paper to ink, to half, to paper; a stroke inks all that it crosses."""
    ink = pixels(scenario.eyes.picture)
    places = [int(word.removeprefix("pixel-")) for word in key.split() if word.startswith("pixel-")]
    for at in places:
        stroke = len(places) > 1
        ink[at] = DARKEST if stroke else 0 if key.endswith(" -") else PRESSED.get(ink[at], 0)
    letters = "".join(INKS[dark] for dark in ink)
    return {"eyes.picture": letters}


draw = Drawn(
    title="Draw a digit",
    legend="Draw with the mouse or a finger, pixel by pixel or in one stroke; or by keyboard: arrows, Space, Delete. "
    "Or type it below: eight rows of eight, a dot for paper, g for ink. Fill the height, as the people did whose "
    "digits it learned.",
    controls=("eyes.picture",),
    start=f"leak?eyes.picture={SEVEN}",
    presets={
        "A seven": {},
        "A one": {"eyes.picture": ONE},
        "Somebody’s four": {"eyes.picture": IMAGES[1][0]},
        "Somebody’s two": {"eyes.picture": IMAGES[2][0]},
        "Clean paper": {"eyes.picture": ""},
    },
    claims=("C70",),
    view=draw_view,
    pressing=pressing,
)
