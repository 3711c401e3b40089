"""Chapter 05: GPT-4's curve beside the toy's, on the same axes and with the same fit; and your story against it."""

from __future__ import annotations

from functools import cache
from math import log10
from typing import Any

import altair as alt

from gpt4lab.charts import Axis, axes, theme
from gpt4lab.charts.compose import added
from gpt4lab.charts.marks import data, pinned
from gpt4lab.checks.memorised import before, copies, counted, fitted, half_known
from gpt4lab.formulas.shares import bits_lost, chance
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario
from gpt4lab.toys.memorisation.findings import DEEPEST, PROBLEM, chosen, results, toy_curve
from gpt4lab.toys.memorisation.findings import counted as toy_counted

COPIES = Axis("copies", "Copies: of the toy's line, or repositories that hold a problem", log=True, form="count",
              domain=(0.8, 30_000))  # fmt: skip
SHARE = Axis("share", "Answered by heart", form="percent", domain=(0, 1))
GPT4, TOY, YOURS = "GPT-4, fitted", "the toy, fitted", "your story"
DRAWN = [10 ** (step / 20) for step in range(90)]


@cache
def fits() -> list[dict[str, Any]]:
    """The two fitted curves."""
    curves = {TOY: toy_curve(), GPT4: fitted()}
    return [{"copies": k, "share": chance(w, (log10(k),)), "curve": name} for name, w in curves.items() for k in DRAWN]


def story(scenario: Scenario) -> list[dict[str, Any]]:
    """Your curve for GPT-4."""
    return [{"copies": k, "share": value("heart.story", scenario, {"heart.copies": k}), "curve": YOURS} for k in DRAWN]


def evidence(scenario: Scenario) -> float:
    """Bits by which the 761 answers speak against your story, compared with the fitted curve."""
    problems, heart, steep = before(), scenario.heart, fitted()[1]
    hits = [p.right["GPT-4 (0314)", "its number alone"] for p in problems]
    there = (-steep * log10(heart.half), steep)
    web = [chance(there, (copies(p),)) for p in problems]
    told = [heart.elsewhere + (1 - heart.elsewhere) * share for share in web]
    return bits_lost(told, hits) - bits_lost([chance(fitted(), (copies(p),)) for p in problems], hits)


def half_of_toy() -> float:
    """Copies at which the toy knows half of its lines."""
    constant, slope = toy_curve()
    return 10 ** (-constant / slope)


def beside_view(scenario: Scenario) -> View:
    """Both curves, all points, and yours."""
    lost, heart = evidence(scenario), scenario.heart
    toy = [row for row in toy_counted(chosen(results(), kind=PROBLEM, **DEEPEST)) if row["copies"]]
    here = values(("heart.copies", "heart.story"), scenario)
    if lost == float("inf"):
        told = "Your story excludes what was found."
    elif lost < 3:
        told = "The answers cannot tell your story from the fitted curve."
    else:
        told = f"Under your story the 761 answers are 2 to the power of {lost:,.0f} times less likely than by the fit."
    bare, half = lost < 0.05, f"{half_of_toy():.0f} copies (toy), {half_known():,.0f} (GPT-4)"
    return View(
        label="Half is known at" if bare else "Evidence against your story",
        value=half if bare else "it excludes what was found" if lost == float("inf") else f"{lost:,.1f} bits",
        sentence=f"Half is known at {half_of_toy():.0f} copies by the toy, and at {half_known():,.0f} repositories by "
        f"GPT-4. You say that {heart.elsewhere:.0%} came from elsewhere, whatever the copies. {told}",
        rows={
            "data": [*fits(), *story(scenario)],
            "published": [{**row, "label": ""} for row in counted(before())],
            "measured": [{**row, "label": ""} for row in toy],
            "you": [pinned({"copies": here["heart.copies"], "share": here["heart.story"]}, COPIES, SHARE)],
        },
        alt="Share known by heart against copies: the toy's squares and curve, GPT-4's triangles and curve, and yours.",
    )


def beside_chart(view: View) -> Any:
    """The lines, with the interval of each point."""
    chart = lines_chart(COPIES, SHARE, series="curve", order=[GPT4, TOY, YOURS], right=110)(view)
    low, high = axes.y(SHARE.at("low", " (low)")), alt.Y2("high", title=f"{SHARE.title} (high)")
    looks = {name: {"color": theme.MARKS[name].colour, "opacity": 0.6} for name in ("published", "measured")}
    bars = [data(name).mark_rule(**look).encode(axes.x(COPIES), low, high) for name, look in looks.items()]
    return added(chart, *bars).properties(padding=chart.padding)


beside = Panel(
    title="GPT-4's memory beside the toy's",
    legend="Triangles: GPT-4's answers by number, 761 problems before its cut-off. Squares: a toy that read numbered "
    "lines so many times. Bars: 95%. Both curves are the same fit. The third is yours: say which share it had from "
    "some collection off the web, and how many copies the web needs to teach one half.",
    controls=("heart.elsewhere", Slide("heart.half", 100, 100_000), Slide("heart.copies", 1, 30_000)),
    presets={
        "As fitted": "leak",
        "A secret collection of a sixth": {"heart.elsewhere": 0.17, "heart.half": 100_000},
        "Both": {"heart.elsewhere": 0.03},
        "The web, with far fewer copies": {"heart.half": 1000},
    },
    tour=(
        ({}, "As fitted, half of the answers are known where {heart.half} repositories hold a problem."),
        ({"heart.half": 1000}, "Suppose that {heart.half} copies taught one half: far more would have been right."),
        (
            {"heart.elsewhere": 0.17, "heart.half": 100_000, "heart.copies": 700},
            "Suppose that a collection off the web taught {heart.elsewhere}: then {heart.story} would be known of "
            "those with {heart.copies} copies as well. By the fit it was {heart.known}.",
        ),
    ),
    claims=("C99", "C100"),
    view=beside_view,
    chart=beside_chart,
)
