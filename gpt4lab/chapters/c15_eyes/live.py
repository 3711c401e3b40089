"""Chapter 15, live: the frozen toy is given eyes, as in Flamingo or with one thing changed."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Any

from gpt4lab.charts import Axis
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Slide
from gpt4lab.panels.reading import Attempt, Reading
from gpt4lab.panels.training import KEPT, LiveTraining, Training
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import SWITCHES
from gpt4lab.toys.vision.findings import recorded

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun
    from gpt4lab.toys.vision.model import Seeing

STEP = Axis("step", "Training step", form="count")
BITS = Axis("bits", "Bits a caption", domain=(0, 12))
OPEN = Axis("opening", "How far the gate stands open", domain=(0, 1))
KINDS = ["training", "new writers", "new combinations"]
READING = 250  # steps in which the language model learns to read
SMOOTH = 8  # steps of the training line that are averaged
TITLE = "Open its eyes"


def begin(scenario: Scenario) -> BackgroundRun[Seeing]:
    """Give eyes to the toy of this seed. Raises ImportError without torch."""
    from gpt4lab.toys.vision.study import plan_of
    from gpt4lab.toys.vision.training import see

    plan = plan_of(scenario.eyes.switch, scenario.eyes.steps)
    return see(plan, scenario.luck.seed, language_steps=READING)


def watch(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """Bits of a caption along the training, over those that were recorded with the same switch."""
    rows = curves(list(attempt.run.history)) if attempt else []
    switch = attempt.scenario.eyes.switch if attempt else scenario.eyes.switch
    ends = {kind: [row["bits"] for row in rows if row["images"] == kind] for kind in KINDS}
    here = ends["new writers"][-1] if ends["new writers"] else None
    return View(
        label="A caption of a new writer’s digit costs",
        value="–" if here is None else f"{here:.1f} bits",
        sentence=_said(attempt, ends),
        rows={"data": rows, "recorded": shipped(switch)},
        alt="Bits of a caption along the training: of its own images, of new writers, of new combinations.",
    )


def curves(history: list[Row]) -> list[Row]:
    """Bits a caption by step; the training line is smoothed."""
    from gpt4lab.toys.vision.training import curve_rows

    rows = curve_rows(history)
    own = [row["bits"] for row in rows if row["images"] == "training"]
    smooth = [
        {"step": at + 1, "images": "training", "bits": mean(own[max(0, at - SMOOTH) : at + 1])}
        for at in range(0, len(own), 4)
    ]
    return smooth + [row for row in rows if row["images"] != "training"]


def shipped(switch: str) -> list[Row]:
    """The recorded runs with this switch, means of three seeds."""
    found = [row for row in recorded() if row["switch"] == switch]
    steps = sorted({row["step"] for row in found})
    return [
        {"step": step, "images": kind, "bits": mean(row[of] for row in found if row["step"] == step)}
        for kind, of in (("new writers", "bits"), ("new combinations", "new_bits"))
        for step in steps
    ]


def _said(attempt: Attempt | None, ends: dict[str, list[float]]) -> str:
    if attempt is None:
        return "The pale lines are recorded, means of three seeds. Press Run: it takes some ten seconds."
    if not ends["new writers"]:
        return "The language model learns to read first, where this page has none yet; then the eyes begin."
    last = [row for row in attempt.run.history if "new" in row][-1]
    old, new = last["held_out"], last["new"]
    return (
        f"After {last['step']} steps ({attempt.scenario.eyes.switch}) {old['exact']:.0%} of the captions of new "
        f"writers are wholly right, {old['digit']:.0%} of their digits; of combinations that were never shown, "
        f"{new['exact']:.0%}. One seed: the table below has three."
    )


eyes = Training(
    title=TITLE,
    legend="A language model that has read text, and captions without their images, is given eyes: an encoder, a "
    "resampler with four latents, and cross-attention before each of its blocks. The chart shows what a caption costs "
    "it: its own training images, digits of two people whose hands it never saw, and combinations of words that it has "
    "read but never seen.",
    controls=("eyes.switch", Slide("eyes.steps", 20, 240), "luck.seed"),
    presets={
        "As in Flamingo": "leak",
        "No gates": {"eyes.switch": SWITCHES[1]},
        "Thawed": {"eyes.switch": SWITCHES[2]},
        "Thawed, slowly": {"eyes.switch": SWITCHES[3]},
    },
    begin=begin,
    watch=watch,
    chart=lines_chart(STEP, BITS, series="images", order=KINDS, right=120),
)


def opening(lab: LiveTraining) -> Reading:
    """Its gates, step by step."""
    return lab.reading(
        title="Its gates, as they open",
        legend="How far the attention gate of each insertion stands open, its sign left out.",
        look=_gates,
        view=gates_view,
        chart=lines_chart(STEP, OPEN, series="insertion", order=[f"insertion {i}" for i in range(1, 5)], right=90),
    )


def _gates(attempt: Attempt) -> list[Row]:
    from gpt4lab.toys.vision.training import gate_rows

    return [row for row in gate_rows(list(attempt.run.history)[::4]) if row["gate"] == "attention"]


def gates_view(rows: list[Row], _: Any = None) -> View:
    """One line an insertion."""
    last = [row for row in rows if row["step"] == rows[-1]["step"]]
    told = ", ".join(f"{row['opening']:.2f}" for row in last)
    return View(
        sentence=f"Open by {told}, from the first insertion to the last.",
        rows={"data": [{**row, "insertion": f"insertion {row['insertion']}"} for row in rows]},
        alt="Opening of each attention gate along the training.",
    )


def _own() -> Seeing | None:
    """What the reader has trained on this page, once it has ended."""
    attempts = KEPT.get(TITLE, [])
    return next((one.run.result for one in attempts if one.run.state in ("done", "stopped")), None)


def seeing() -> Seeing:
    """The model that the reader has trained on this page, else the book's own. ImportError without torch."""
    from gpt4lab.toys.vision.shipped import load_shipped

    return _own() or load_shipped()


def whose() -> str:
    """Whose eyes these are."""
    return (
        "These are the eyes that you have trained."
        if _own()
        else "These eyes were trained before: they come with the book."
    )
