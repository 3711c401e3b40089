"""Chapter 04, live: one toy reads new text to the end, its twin a short text again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt4lab.charts import Axis, line
from gpt4lab.charts.compose import roomy
from gpt4lab.panels.panel import Slide
from gpt4lab.panels.reading import Attempt
from gpt4lab.panels.training import Training
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.toys.repetition.law import worth_by_law, worth_rows
from gpt4lab.units import BITS_PER_NAT

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

FRESH, AGAIN = "always new text", "the same again"
SMOOTH, POINTS = 8, 60
STEP, BITS = Axis("step", "Training step", form="count"), Axis("loss", "Loss on what it reads, bits per byte")


def begin(scenario: Scenario) -> BackgroundRun[list[Row]]:
    """Train three toys: on new text, on the short text again and again, and once. Raises ImportError without torch."""
    from gpt4lab.toys.core.corpus import load_corpus
    from gpt4lab.toys.repetition.study import Repetition

    told = scenario.repeats
    settings: dict[str, Any] = {"epochs": (told.epochs,), "steps": told.steps, "texts": (told.text,)}
    return Repetition(load_corpus(), widths=(int(told.width),), **settings).start(name="repetition")


def watch(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """Losses on the text that each reads, and in the end on text that neither has read."""
    curves = _curves(attempt) if attempt else []
    found = list(attempt.run.result) if attempt else []
    return View(
        label="On text that neither has read, the twin is behind by",
        value=_behind(found),
        unit="",
        sentence=_said(attempt, found),
        rows={"data": curves},
        alt="Loss on the text that each toy reads, by training step.",
    )


def _curves(attempt: Attempt) -> list[Row]:
    """The loss of both long trainings, smoothed over some steps."""
    kinds = {1: FRESH, attempt.scenario.repeats.epochs: AGAIN}
    longest = max((row["tokens"] for row in attempt.run.history), default=0)
    rows = list[Row]()
    for epochs, name in kinds.items():
        loss = [
            row["loss"] for row in list(attempt.run.history) if row["epochs"] == epochs and row["tokens"] == longest
        ]
        every = max(1, len(loss) // POINTS)
        rows += [
            {"step": at + 1, "loss": BITS_PER_NAT * sum(part) / len(part), "text": name}
            for at in range(0, len(loss), every)
            if (part := loss[max(0, at - SMOOTH) : at + 1])
        ]
    return rows


def _behind(found: list[Row]) -> str:
    losses = [row["held_out_bpb"] for row in found[:2]]
    return f"{losses[1] - losses[0]:+.2f} bits per byte".replace("-", "−") if len(losses) == 2 else "–"


def _said(attempt: Attempt | None, found: list[Row]) -> str:
    if attempt is None:
        return "Nothing has trained yet. Press Run: it takes some seconds, and Stop keeps what was reached."
    told = attempt.scenario.repeats
    if len(found) < 2:
        return f"Both read {told.text} for {told.steps} steps; the twin's text is {told.epochs} times shorter."
    fresh, again = found[:2]
    words = (
        f"Both have read {fresh['tokens']:,} bytes, the twin {again['unique_bytes']:,} different ones {told.epochs} "
        f"times. On its own text it is at {again['train_bpb']:.2f} bits, on other {told.text} at "
        f"{again['held_out_bpb']:.2f}; the first is at {fresh['held_out_bpb']:.2f} there."
    )
    return f"{words} {_worth(found)}".strip()


def _worth(found: list[Row]) -> str:
    """What the readings were worth, by the two toys that read new text, once the short one has ended."""
    if len(found) < 3:
        return ""
    row = worth_rows(found)[0]
    if row["worth"] is None:
        return "That is worse than what one reading of the short text teaches."
    law = worth_by_law(row["epochs"])
    return f"A byte seen was worth {row['worth']:.0%} of a new one; by the law of 2023, {law:.0%}."


repeat = Training(
    title="Fresh or repeated?",
    legend="Two small transformers take the same number of steps. One always gets new text, its twin the same short "
    "text again and again, in a new order each time. The chart shows the loss on what they read; what counts is the "
    "loss on text that neither has read, which the sentence tells in the end. (A third, which reads the short text "
    "once, is the measure of what the readings were worth.)",
    controls=("repeats.epochs", "repeats.text", "repeats.width", Slide("repeats.steps", 64, 200)),
    presets={
        "Sixteen readings": "leak",
        "Four, as code": {"repeats.epochs": 4, "repeats.text": "code"},
        "Two, as text": {"repeats.epochs": 2},
        "By heart": {"repeats.epochs": 64, "repeats.width": "64"},
    },
    begin=begin,
    watch=watch,
    chart=lambda view: roomy(line(view.rows["data"], STEP, BITS, "text", order=[FRESH, AGAIN], last_value=".2f"), 150),
)
