"""Chapter 06, live: the steps that each batch will need, foretold from the noise of the gradient, and then counted."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev
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
from gpt4lab.toys.batch.findings import SEEDS, counted, foretold, noise_scale, watched

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

SEQUENCES = Axis("batch", "Batch, sequences", log=True, form="count", domain=(3.5, 300))
COUNT = Axis("steps", "Steps to the loss", log=True, form="count", domain=(3, 300))
DRAWN = [4 * 2 ** (step / 4) for step in range(22)]
FORETOLD, EACH, NONE = "foretold from the noise", "if every sequence counted", "if none more did"


def begin(scenario: Scenario) -> BackgroundRun[list[Row]]:
    """Watch the noise, then count. Raises ImportError without torch."""
    from gpt4lab.toys.batch.foretold import Foretold
    from gpt4lab.toys.core.corpus import load_corpus

    chosen = scenario.noise
    return Foretold(load_corpus(), chosen.optimizer.lower(), float(chosen.level.split()[0]), seeds=SEEDS).start()


def live_view(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """The curve, as soon as the noise is known, and then each count beside it."""
    results = list(attempt.run.result) if attempt else []
    seen = watched(results)
    ready = len(seen) == SEEDS
    return View(
        label="Noise scale of the gradient",
        value=f"{noise_scale(seen):.1f} sequences" if seen else "–",
        unit="",
        sentence=_sentence(scenario, attempt, results),
        rows={
            "data": lines(seen) if ready else [],
            "band": band(seen) if ready else [],
            "measured": [_point(batch, found) for batch, found in counted(results).items()],
        },
        alt="Steps to a loss against the batch: a curve foretold from the noise, and what was counted.",
    )


def lines(seen: Sequence[Row]) -> list[Row]:
    """The foretold curve, and two that know nothing of noise; all go through what is known."""
    known, batch = mean(row["steps"] for row in seen), seen[0]["batch"]
    ways = {FORETOLD: lambda b: foretold(seen, b), EACH: lambda b: known * batch / b, NONE: lambda _: known}
    return [{"batch": b, "steps": steps(b), "line": name} for name, steps in ways.items() for b in DRAWN]


def band(seen: Sequence[Row]) -> list[Row]:
    """The least and the most that one seed alone would have foretold."""
    alone = {b: [foretold([row], b) for row in seen] for b in DRAWN}
    return [{"batch": b, "low": min(steps), "high": max(steps)} for b, steps in alone.items()]


def _point(batch: int, found: Sequence[int]) -> dict[str, Any]:
    """Mean and standard deviation over the seeds."""
    middle, spread = mean(found), stdev(found) if len(found) > 1 else 0.0
    return {"batch": batch, "steps": middle, "low": max(middle - spread, 1), "high": middle + spread, "label": ""}


def _sentence(scenario: Scenario, attempt: Attempt | None, results: Sequence[Row]) -> str:
    if attempt is None:
        return (
            "Nothing has trained yet. Press Run: first the noise is measured, then the curve stands, then it is tried."
        )
    seen, moved = watched(results), scenario.noise != attempt.scenario.noise
    again = " The choices have changed since: press Run for a new one." if moved else ""
    if len(seen) < SEEDS and attempt.run.state != "running":
        return f"It ended before the noise was known.{again}"
    if len(seen) < SEEDS:
        return f"Measuring the noise: {len(seen)} of {SEEDS} trainings with 64 sequences a step.{again}"
    each = "; ".join(
        f"{batch}: foretold {foretold(seen, batch):.0f}, counted {mean(found):.0f}"
        for batch, found in counted(results).items()
        if batch != seen[0]["batch"]
    )
    known = f"With 64 sequences it takes {mean(row['steps'] for row in seen):.0f} steps; the rest is foretold."
    return f"{known} {f'Steps by batch: {each}.' if each else ''}{again}".strip()


def live_chart(view: View) -> Any:
    """Lines and squares, with the band of the seeds behind and their deviation on each square."""
    chart = lines_chart(SEQUENCES, COUNT, series="line", order=[FORETOLD, EACH, NONE], right=150, measured=[])(view)
    low, high = axes.y(COUNT.at("low", " (low)")), alt.Y2("high", title=f"{COUNT.title} (high)")
    area = data("band").mark_area(color=theme.BLUE, opacity=0.13, clip=True).encode(axes.x(SEQUENCES), low, high)
    bars = data("measured").mark_rule(strokeWidth=1.5, opacity=0.7, color=theme.INK)
    bars = bars.encode(axes.x(SEQUENCES), low, high)
    return added(chart, area, bars, band=view.rows["band"]).properties(padding=chart.padding)


prediction = Training(
    title="Foretold, then counted",
    legend="First three trainings with 64 sequences a step are watched: how noisy their gradients are when they reach "
    "the loss. From that the whole line follows, with the band of the single seeds. Then the other batches are really "
    "trained, three seeds each: squares, with one standard deviation.",
    controls=("noise.optimizer", "noise.level"),
    presets={
        "AdamW": "leak",
        "Muon": {"noise.optimizer": "Muon"},
        "SGD": {"noise.optimizer": "SGD"},
        "AdamW, a little further": {"noise.level": "4.0 bits"},
    },
    begin=begin,
    watch=live_view,
    chart=live_chart,
)
