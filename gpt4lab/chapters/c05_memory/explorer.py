"""Chapter 05: right answers against copies, for each difficulty; before a cut-off and from it on."""

from __future__ import annotations

from typing import Any

import altair as alt

from gpt4lab.charts import Axis, axes, line, theme
from gpt4lab.charts.compose import added, roomy
from gpt4lab.charts.marks import RowList, data
from gpt4lab.checks.memorised import STRATA, after, before, chance_of_none, counted, expected_after, of_stratum, right
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.units import month

COPIES = Axis("copies", "Repositories that hold a problem", log=True, form="count", domain=(300, 20_000))
SHARE = Axis("share", "Answered rightly", form="percent", domain=(-0.06, 1.03))
LATE = "from the cut-off on"
ORDER = [*[*STRATA][1:], LATE]


def shares(scenario: Scenario) -> list[dict[str, Any]]:
    """Binned shares of each stratum before the cut-off, and of all problems from it on."""
    heart = scenario.heart
    parts = {which: of_stratum(which, before(heart.cutoff)) for which in ORDER[:-1]} | {LATE: after(heart.cutoff)}
    return [
        {**row, "problems_of": words}
        for words, chosen in parts.items()
        for row in counted(chosen, heart.model, heart.asked)
    ]


def explorer_view(scenario: Scenario) -> View:
    """The rows, and what the late ones were to be expected to be."""
    heart = scenario.heart
    early, late = before(heart.cutoff), after(heart.cutoff)
    hits, expected = right(early, heart.model, heart.asked), expected_after(heart.model, heart.asked)
    luck = chance_of_none(heart.model, heart.asked)
    often = f"{luck:.0%} of all cases" if luck > 0.005 else "fewer than one case in two hundred"
    return View(
        label=f"Right before {month(heart.cutoff)}",
        value=f"{hits} of {len(early)}",
        sentence=f"From then on: {right(late, heart.model, heart.asked)} of {len(late)}. The problems since "
        f"September 2021 have few copies: by those alone {expected:.1f} of 76 would be right, and none was. Luck does "
        f"that in {often}.",
        rows={"data": shares(scenario)},
        alt="Share of right answers against repositories, a line for each difficulty, with 95% intervals.",
    )


def explorer_chart(view: View) -> Any:
    """A line for each difficulty, with the interval of each point in its colour."""
    rows: RowList = view.rows["data"]
    drawn = line(rows, COPIES, SHARE, "problems_of", order=ORDER)
    low, high = axes.y(SHARE.at("low", " (low)")), alt.Y2("high", title=f"{SHARE.title} (high)")
    shades = alt.Scale(domain=ORDER, range=list(theme.SERIES[: len(ORDER)]))
    own = alt.Color("problems_of", type="nominal", scale=shades, legend=None, title="Problems of")
    bars = data("data").mark_rule(strokeWidth=1.5, opacity=0.5).encode(axes.x(COPIES), low, high, own)
    return roomy(added(drawn, bars), 150)


explorer = Panel(
    title="Copies or difficulty?",
    legend="Problems in bins by their copies. Bars: 95% intervals, wide where there are few. Famous problems are "
    "easier, too; so look along one line, where difficulty is about the same.",
    controls=(Slide("heart.cutoff", 2002, 2023.25), "heart.model", "heart.asked"),
    presets={
        "GPT-4, by number": "leak",
        "GPT-4, by text": {"heart.asked": "its text"},
        "GPT-3.5 Turbo": {"heart.model": "GPT-3.5 Turbo (0301)"},
        "Cut-off in 2010": {"heart.cutoff": 2010},
    },
    claims=("C100",),
    view=explorer_view,
    chart=explorer_chart,
)
