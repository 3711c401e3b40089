"""Chapter 15: what the recorded toys lost by each change, beside what Flamingo lost by it."""

from __future__ import annotations

from statistics import mean, stdev
from typing import Any

from gpt4lab.charts import Axis, dots
from gpt4lab.charts.compose import roomy
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.view import View
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import SWITCHES
from gpt4lab.toys.vision.findings import AS_IT_IS, CHANGED, agrees, changes, last, published, published_change, spread

GAIN = Axis("gain", "Change against the whole recipe, points", domain=(-75, 25))
COLUMNS = {
    "new writers right, %": ("exact", 100, ".0f"),
    "bits a caption": ("bits", 1, ".2f"),
    "digit right, %": ("digit", 100, ".0f"),
    "new combinations right, %": ("new_exact", 100, ".0f"),
    "bits of those": ("new_bits", 1, ".2f"),
    "plain text, bits a byte": ("text", 1, ".2f"),
}


def signs() -> list[Row]:
    """The table: Flamingo's change, and ours on new hands, on new combinations, and on plain text."""
    return [
        {
            "changed": switch,
            "Flamingo-3B": f"{theirs:+.1f}".replace("-", "−"),
            "new writers": spread(changes(switch, "exact")),
            "sign": agrees(changes(switch, "exact"), theirs),
            "new combinations": spread(changes(switch, "new_exact")),
            "its sign": agrees(changes(switch, "new_exact"), theirs),
            "plain text, bits a byte": spread(changes(switch, "text"), ".2f"),
        }
        for switch in CHANGED
        for theirs in [published_change(switch)]
    ]


def whole_rows() -> list[Row]:
    """Every switch as it is, not as a difference: means of three seeds with one deviation."""
    return [
        {"recipe": switch}
        | {
            words: spread([scale * row[of] for row in last(switch)], form, "")
            for words, (of, scale, form) in COLUMNS.items()
        }
        for switch in SWITCHES
    ]


def switch_view(scenario: Scenario) -> View:
    """One switch: theirs, and ours by three seeds."""
    switch = scenario.eyes.switch
    return View(
        "Captions of new writers that are wholly right",
        mean(row["exact"] for row in last(switch)),
        "fraction",
        _said(switch),
        rows={
            "data": [
                _lane("Flamingo-3B, overall score", [published_change(switch)], "published"),
                _lane("the toy, new writers", changes(switch, "exact"), "measured"),
                _lane("the toy, new combinations", changes(switch, "new_exact"), "measured"),
            ]
        },
        post=mean(row["exact"] for row in last(AS_IT_IS)),
        whose="with the whole recipe",
        alt="Change of scores against the whole recipe: Flamingo's, and the toy's with error bars.",
    )


def _said(switch: str) -> str:
    if switch == AS_IT_IS:
        return "Nothing is changed: choose what to leave out."
    theirs, ours, text = published_change(switch), changes(switch, "exact"), mean(changes(switch, "text"))
    lost = f"a byte of plain text costs {text:.2f} bits more" if text > 0.005 else "plain text costs what it did"
    time = published(switch, "step_s") / published(AS_IT_IS, "step_s")
    took = f" Flamingo's steps took {time:.0%} of the time." if abs(time - 1) > 0.005 else ""
    return (
        f"Flamingo lost {-theirs:.1f} points; the toy's change is {spread(ours)} on new writers "
        f"({agrees(ours, theirs)}) and {spread(changes(switch, 'new_exact'))} on new combinations; {lost}.{took}"
    )


def _lane(words: str, found: list[float], mark: str) -> Row:
    middle, bar = mean(found), stdev(found) if len(found) > 1 else 0.0
    return {"what": words, "gain": middle, "low": middle - bar, "high": middle + bar, "mark": mark, "label": ""}


def switch_chart(view: View) -> Any:
    """Dots with error bars."""
    return roomy(dots(view.rows["data"], GAIN, "what", bounds=("low", "high")), right=40)


switches = Panel(
    title="Leave one thing out",
    legend="The triangle is Flamingo’s own ablation: its smallest model, five benchmarks, one run each. Squares are "
    "our toy, recorded: three seeds, the bar one deviation. Both as points against the whole recipe.",
    controls=("eyes.switch",),
    start=f"leak?eyes.switch={SWITCHES[1]}",
    presets={"No gates": {}, "Thawed": {"eyes.switch": SWITCHES[2]}, "Thawed, slowly": {"eyes.switch": SWITCHES[3]}},
    claims=("C65", "C69"),
    view=switch_view,
    chart=switch_chart,
)
