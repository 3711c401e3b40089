"""Chapter 07, live: a toy that never saw more than 64 bytes is asked further, and healed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpt4lab.charts import Axis
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.measured import Measured
from gpt4lab.panels.panel import Slide
from gpt4lab.panels.reading import Attempt
from gpt4lab.panels.training import Training
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

AT = Axis("at", "Position, in trained contexts of 64 bytes", domain=(0, 8))
BITS = Axis("bpb", "Held-out loss, bits a byte", domain=(2.5, 5))
NOW, UNBENT = "bent", "unbent"
EDGE = {"at": 1, "label": "the trained context ends"}


def measure(scenario: Scenario) -> list[Row]:
    """Loss by position of the toy with these rotations. Raises ImportError without torch."""
    from gpt4lab.toys.context.healing import bent_model, loss_by_position

    chosen = scenario.positions
    return [
        {"at": at, "bpb": bpb, "line": line, "way": chosen.way}
        for line, way in ((UNBENT, "none"), (NOW, chosen.way))[: 1 + (chosen.way != "none")]
        for at, bpb in loss_by_position(bent_model(way, chosen.times), chosen.times)
    ]


def over(rows: Sequence[Row], line: str, low: float, high: float = 99) -> float | None:
    """Mean loss of a line between two positions."""
    found = [row["bpb"] for row in rows if row.get("line") == line and low <= row["at"] < high]
    return sum(found) / len(found) if found else None


def bend_view(scenario: Scenario, found: list[Row], earlier: Sequence[list[Row]]) -> View:
    """What the bend does within the trained context and behind it."""
    line = NOW if scenario.positions.way != "none" else UNBENT
    inside, behind = over(found, line, 0, 1), over(found, line, 1)
    plain = over(found, UNBENT, 0, 1)
    told = f"Within the 64 bytes it loses {inside:.2f} bits a byte" + (
        f", behind them {behind:.2f}." if behind else "; nothing lies behind them."
    )
    if line == NOW and inside and plain:
        told += f" Unbent, it loses {plain:.2f} within: the bend costs {inside - plain:+.2f} where nothing was broken."
    return View(
        label="Loss behind the trained context",
        value=f"{behind:.2f} bits a byte" if behind else "–",
        sentence=f"{told} One toy, one seed: the table below has three.",
        rows={
            "data": found,
            "ticks": [{**EDGE, "bpb": 2.75}],
            "measured": [_before(rows, scenario.positions.times) for rows in earlier],
        },
        alt="The toy's loss by position: unbent, it jumps where the trained context ends.",
    )


def _before(rows: list[Row], times: int) -> Row:
    """An earlier bend as one square: its mean loss behind the trained context, or within where nothing lies behind."""
    way = rows[0]["way"]
    line = UNBENT if way == "none" else NOW
    behind = over(rows, line, 1) or over(rows, line, 0)
    return {"at": (1 + times) / 2, "bpb": behind, "label": f"{'unbent' if way == 'none' else way}, behind"}


bend = Measured(
    title="Bend it, without any training",
    legend="A transformer that was trained on 64 bytes at a time, some seconds ago, on this machine. Each move of a "
    "control reads held-out text with other rotations; no weight changes.",
    controls=("positions.way", Slide("positions.times", 1, 8)),
    presets={
        "Unbent": "leak",
        "Interpolation": {"positions.way": "interpolation"},
        "NTK": {"positions.way": "NTK"},
        "YaRN": {"positions.way": "YaRN"},
    },
    measure=measure,
    shown=bend_view,
    along="positions.way",
    chart=lines_chart(AT, BITS, series="line", order=[UNBENT, NOW]),
)


def begin(scenario: Scenario) -> BackgroundRun[list[Row]]:
    """Fine-tune the bent toy on long text. Raises ImportError without torch."""
    from gpt4lab.toys.context.healing import Healing
    from gpt4lab.toys.core.corpus import load_corpus

    chosen = scenario.positions
    return Healing(load_corpus(), chosen.way, chosen.times, chosen.steps).start()


def heal_view(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """Loss by position before the first step and after the last so far."""
    found = list(attempt.run.result) if attempt else []
    last = max((row["step"] for row in found), default=0)
    words = {0: "before", last: "now"} if last else {0: "before"}
    rows = [{**row, "line": words[row["step"]]} for row in found if row["step"] in words]
    told = "Nothing has trained yet. Press Run: the curve redraws every ten steps."
    first, now = over(rows, "before", 1), over(rows, "now", 1)
    if first:
        told = f"Behind the trained context: {first:.2f} bits a byte before the first step"
        told += f", {now:.2f} after {last}." if now else "."
    return View(
        label="Loss behind the trained context",
        value=f"{now or first:.2f} bits a byte" if first else "–",
        sentence=told,
        rows={"data": rows, "ticks": [{**EDGE, "bpb": 2.75}]},
        alt="The toy's loss by position before and after fine-tuning: what had jumped comes down.",
    )


heal = Training(
    title="Heal it with a few steps",
    legend="The same toy, its rotations bent as chosen, trained on for some steps of 1,024 bytes in longer texts.",
    controls=("positions.way", Slide("positions.times", 2, 8), Slide("positions.steps", 5, 100)),
    presets={"Unbent": "leak", "Interpolation": {"positions.way": "interpolation"}, "YaRN": {"positions.way": "YaRN"}},
    begin=begin,
    watch=heal_view,
    chart=lines_chart(AT, BITS, series="line", order=["before", "now"]),
)
