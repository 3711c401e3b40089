"""Chapter 05, live: a toy reads invented lines, each more often than the one before, and is asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from gpt4lab.charts import Axis, axes, theme
from gpt4lab.charts.compose import added
from gpt4lab.charts.marks import data
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.reading import Attempt
from gpt4lab.panels.training import Training
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.toys.memorisation.findings import chosen, counted

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

COPIES = Axis("copies", "Times that a line stood in the text", log=True, form="count", domain=(0.8, 100))
SHARE = Axis("share", "Extracted: every byte of the secret right", form="percent", domain=(0, 1))
EACH, SEEDS = 4, 3  # canaries of a kind and number of copies; trainings


def begin(scenario: Scenario) -> BackgroundRun[list[Row]]:
    """Train, and ask after each reading. Raises ImportError without torch."""
    from gpt4lab.toys.core.corpus import load_corpus
    from gpt4lab.toys.memorisation.canaries import LIVE_BYTES
    from gpt4lab.toys.memorisation.study import Memorisation

    chosen = scenario.heart
    return Memorisation(
        load_corpus(LIVE_BYTES),
        widths=(int(chosen.width),),
        epochs=range(1, chosen.epochs + 1),
        each=EACH,
        seeds=SEEDS,
        prompt_bytes=(int(chosen.prompt.split()[0]),),
    ).start(name="chapter 05")


def live_view(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """A line for each kind after the last reading; the control, which nobody planted, in words."""
    rows = _last(attempt.run.result) if attempt else []
    problems = counted(chosen(rows, kind="problem"))
    half = next((row["copies"] for row in problems if row["copies"] and row["share"] >= 0.5), None)
    value = "–" if not problems else f"{half} copies" if half else "more than 64 copies"
    return View(
        label="Half of the numbered problems are known at",
        value=value,
        sentence=_sentence(scenario, attempt, problems),
        rows={"data": [{**row, "kind": kind} for kind in ("problem", "book line")
                       for row in counted(chosen(rows, kind=kind)) if row["copies"]]},
        alt="Share of secrets extracted, against how often their line stood in the text; a line a kind, with 95% bars.",
    )  # fmt: skip


def _last(rows: Sequence[Row]) -> list[Row]:
    """What was found after as many readings as every training so far has had at its last question."""
    most = max((row["epochs"] for row in rows), default=0)
    return [row for row in rows if row["epochs"] == most]


def _sentence(scenario: Scenario, attempt: Attempt | None, problems: Sequence[Row]) -> str:
    if attempt is None:
        return "Nothing has trained yet. Press Run: the toy is asked after each reading of its text."
    again = (
        " The choices have changed since: press Run for a new one." if scenario.heart != attempt.scenario.heart else ""
    )
    if not problems:
        return f"It reads for the first time.{again}"
    rank = {row["copies"]: f"{row['exposure']:.1f}" for row in problems}
    return (
        f"Exposure of the numbered problems, at most 8 bits: {rank[0]} where the line was never planted, {rank[1]} "
        f"after one copy, {rank[8]} after eight, {rank[64]} after 64. Chance alone gives 1.4.{again}"
    )


def live_chart(view: View) -> Any:
    """A line for each kind, with the interval of each point."""
    chart = lines_chart(COPIES, SHARE, series="kind", order=["problem", "book line"], right=90)(view)
    low, high = axes.y(SHARE.at("low", " (low)")), alt.Y2("high", title=f"{SHARE.title} (high)")
    bars = data("data").mark_rule(strokeWidth=1.5, opacity=0.45, color=theme.INK).encode(axes.x(COPIES), low, high)
    return added(chart, bars).properties(padding=chart.padding)


planted = Training(
    title="What does it know by heart?",
    legend=f"Invented lines are planted in a text up to 64 times: numbered problems with six digits for an answer, and "
    f"lines of a book that nobody wrote. {EACH} of each, in {SEEDS} trainings, so {EACH * SEEDS} behind each point. "
    "Bars: 95%.",
    controls=("heart.epochs", "heart.width", "heart.prompt"),
    presets={
        "As it is": "leak",
        "One reading": {"heart.epochs": 1},
        "A small model": {"heart.width": "16"},
        "Hardly a hint": {"heart.prompt": "6 bytes"},
    },
    claims=("C99",),
    begin=begin,
    watch=live_view,
    chart=live_chart,
)
