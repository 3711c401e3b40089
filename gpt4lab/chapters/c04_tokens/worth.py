"""Chapter 04: what a further reading is worth, by the published law, and as the toy found it."""

from __future__ import annotations

from typing import Any

from gpt4lab.catalog import constants
from gpt4lab.charts import Axis, axes, line, theme
from gpt4lab.charts.compose import added, roomy, shaded
from gpt4lab.charts.marks import data, pinned
from gpt4lab.claims.prose import fill
from gpt4lab.panels.figure import Figure
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.toys.repetition.checked import recorded
from gpt4lab.toys.repetition.law import worth_by_law as law

LAW, TEXTS = "the law", {"prose": "toy, prose", "code": "toy, code"}
READINGS = Axis("epochs", "Readings of each token", log=True, form="plain", domain=(1, 64))
WORTH = Axis("worth", "A token seen is worth, in fresh ones", form="number", domain=(0, 1.1))
STEPS = [2 ** (step / 8) for step in range(49)]
#: Readings up to which the paper's abstract sees no change; and at which models fail that its law still praises.
HARMLESS, FAILED = 4, 44
PER_BYTE = Axis("ratio", "Parameters for each different byte", log=True, form="number", domain=(0.01, 100))
BYTES_PER_TOKEN = 4


def worth_view(scenario: Scenario) -> View:
    """The law, your mix on it, and toys of one width beside it."""
    width, mine = int(scenario.repeats.width), (scenario.data.text_epochs, scenario.data.code_epochs)
    toys = [row for row in recorded() if row["d_model"] == width]
    measured = [
        {"epochs": row["epochs"], "worth": row["worth"] or 0.0, "low": row["low"], "high": row["high"],
         "by": TEXTS[row["text"]]}
        for row in toys
    ]  # fmt: skip
    return View(
        label="Share of its worth that the mix keeps",
        value=value("data.worth", scenario),
        unit="fraction",
        sentence=fill(
            "By the law this mix teaches as much as {data.effective_tokens} that are fresh. It reads "
            "{stretch.repetition_tokens:.0f} times as much as the largest run behind the law. ",
            scenario,
        )
        + _toys_say(toys),
        rows={
            "data": [
                *({"epochs": e, "worth": law(e), "by": LAW} for e in STEPS),
                *({"epochs": 1, "worth": 1.0, "by": name} for name in TEXTS.values()),
                *measured,
            ],
            "bars": measured,
            "you": [
                pinned({"epochs": e, "worth": law(e), "label": name}, READINGS)
                for e, name in zip(mine, ("text", "code"), strict=True)
            ],
            "ranges": [
                {"from": 1, "to": HARMLESS, "label": "“negligible”"},
                {"from": FAILED, "to": 64, "label": "fails"},
            ],
        },
        alt="Worth of a token against readings on a log axis: the law falls slowly, toys later and then steeply.",
    )


def _toys_say(toys: list[Row]) -> str:
    at = [row for row in toys if row["epochs"] == 16]
    each = " and ".join(f"{row['worth'] or 0:.0%} with {row['text']}" for row in at)
    return f"After sixteen readings the toy of width {at[0]['d_model']} keeps {each}; the law says {law(16):.0%}."


def worth_chart(view: View) -> Any:
    """Lines with the seeds' range as bars, in front of what the paper says of ranges."""
    rows = view.rows
    chart = line(rows["data"], READINGS, WORTH, "by", order=[LAW, *TEXTS.values()], you=rows["you"])
    bar = data("bars").mark_rule(strokeWidth=1.5, opacity=0.7, color=theme.INK)
    seeds = bar.encode(axes.x(READINGS), axes.y(WORTH.at("low", " (least)")), y2="high")
    return roomy(shaded(added(chart, seeds, bars=rows["bars"]), READINGS, rows["ranges"]), right=90)


worth = Panel(
    title="What is another reading worth?",
    legend="The solid line is the law of 2023 for tokens that are read again. The others are small models trained for "
    "this book; bars reach from the least to the most of three seeds. The shaded parts are the paper's own words: up "
    "to four readings it saw “negligible changes”, and models that read 44 times it calls failing.",
    controls=(
        Slide("data.text_epochs", 1, 64),
        Slide("data.code_epochs", 1, 64),
        "repeats.width",
        Slide("data.web_tokens", 1e12, 15e12),
        Slide("data.code_tokens", 0, 2e12),
    ),
    presets={
        "The post": "leak",
        "All read sixteen times": {"data.text_epochs": 16, "data.code_epochs": 16},
        "A large toy": {"repeats.width": "64"},
        "A small toy": {"repeats.width": "16"},
    },
    claims=("C16", "C17"),
    view=worth_view,
    chart=worth_chart,
)


def size_view(scenario: Scenario) -> View:
    """Every repeated toy by its parameters for each different byte: what decides is not the number of readings."""
    points = [
        {"ratio": row["params"] / row["unique_bytes"], "worth": row["worth"] or 0.0, "label": ""} for row in recorded()
    ]
    post = value("model.active_params", scenario) / value("data.unique_tokens", scenario) / BYTES_PER_TOKEN
    full = constants["repetition"].need("U_N_per_U_D") / BYTES_PER_TOKEN
    return View(
        sentence=fill(
            "A toy with less than a parameter for each different byte loses next to nothing by rereading; one with "
            f"ten loses nearly all. The post's model has {post:.3f}: {{model.active_params}} for "
            f"{{data.unique_tokens}} of four bytes. By the law a model makes full use of {full:.3f}.",
            scenario,
        ),
        rows={"data": [], "measured": points, "post": [{"ratio": post, "label": "the post's model"}]},
        alt="Worth against parameters for each different byte: the points of all toys fall together.",
    )


def size_figure(scenario: Scenario) -> Figure:
    """The figure of all toys at once."""
    return Figure(
        "Not the readings decide, but the size against the text",
        size_view(scenario),
        lambda view: line([], PER_BYTE, WORTH, measured=view.rows["measured"], post=view.rows["post"]),
        legend="Every repeated toy, two texts, three widths, 2 to 64 readings: its parameters over the different bytes "
        "that it has read, against what a byte seen was worth. Means over three seeds.",
    )
