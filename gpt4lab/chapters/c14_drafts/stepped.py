"""Chapter 14, live: the text that was watched, pass by pass: drafted in grey, then judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from gpt4lab.charts.drawing import WIDTH, Drawing, Scene, Shape, Words
from gpt4lab.panels.view import heading

if TYPE_CHECKING:
    from gpt4lab.panels.panel import LivePanel
    from gpt4lab.rows import Row

COLUMNS, LINE, BELOW = 40, 44, 16  # letters of a line; px: a line, and how far a refused letter falls
LOOKS = {"accepted": "sky", "rejected": "vermillion bold", "bonus": "green bold"}
SHOWN = {" ": "␣", "\n": "⏎", "\t": "⇥"}
LEGEND = (
    "Press Next: the draft guesses in grey, then the large model reads. Blue is the draft’s and kept. A refused guess "
    "falls away, and the model’s own letter, bold, stands in its place; green where every guess was kept."
)


def stepped(live: LivePanel) -> w.VBox:
    """The panel, and below it its text to step through; a new text with each of its moves."""
    drawing = Drawing(_scenes_of(live), steps="Pass", start=1)
    live.on_change(lambda _: drawing.show(_scenes_of(live)))
    text = w.VBox([w.HTML(heading("Pass by pass", LEGEND)), w.VBox([drawing]).add_class("g4l-figure")])
    text.add_class("g4l-panel")
    return w.VBox([live, text])


def _scenes_of(live: Any) -> list[Scene]:
    _, rows = live.panel.finding(live.scenario)
    return scenes(live.scenario.drafting.prompt + " ", rows)


def scenes(prompt: str, rows: Sequence[Row]) -> list[Scene]:
    """Two a pass: what was drafted, as far as it was judged, and what became of it."""
    passes = [list(run) for _, run in groupby(rows, key=lambda row: row["pass"])]
    height = LINE * (1 + (len(prompt) + len(rows)) // COLUMNS)
    start = [Words(f"prompt-{i}", *_place(i), _letter(ord(c)), "soft typed") for i, c in enumerate(prompt)]
    found, done, written = list[Scene](), list[Shape](), prompt
    for number, run in enumerate(passes, 1):
        at, count = len(written), f"Pass {number} of {len(passes)}"
        written += "".join(chr(row["token"]) for row in run)
        for judged in (False, True):
            caption = f"{count}: {_became(run)}" if judged else f"{count}: the draft guesses ahead."
            shapes = [*start, *done, *_letters(run, at, judged)]
            found.append(Scene(shapes, height, f"{caption} The text so far: {written}", caption))
        done += [shape for shape in _letters(run, at, True) if not shape.key.startswith("refused")]
    return found


def _letters(run: Sequence[Row], at: int, judged: bool) -> Iterator[Shape]:
    for i, row in enumerate(run, at):
        x, y = _place(i)
        if judged or row["label"] == "accepted":
            yield Words(f"byte-{i}", x, y, _letter(row["token"]), f"{LOOKS[row['label']] if judged else 'faint'} typed")
        if row["refused"] is not None:
            look = "vermillion pale small typed" if judged else "faint typed"
            yield Words(f"refused-{i}", x, y + BELOW * judged, _letter(row["refused"]), look)


def _became(run: Sequence[Row]) -> str:
    kept, last = sum(row["label"] == "accepted" for row in run), run[-1]
    own = f"the large model adds {_letter(last['token'])} of its own"
    if last["refused"] is not None:
        own = f"{_letter(last['refused'])} is refused, {_letter(last['token'])} stands in its place"
    return f"{kept} kept{'; ' + own if last['label'] != 'accepted' else ''}."


def _letter(byte: int) -> str:
    return SHOWN.get(chr(byte), chr(byte))


def _place(i: int) -> tuple[float, float]:
    return i % COLUMNS * WIDTH / COLUMNS, 20 + i // COLUMNS * LINE
