"""Chapter 15: how many tokens the pictures, pages and hours give that the post names, beside the two trillion."""

from __future__ import annotations

from typing import Any

from gpt4lab.charts import Axis, dots
from gpt4lab.charts.compose import roomy
from gpt4lab.claims.prose import fill
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

TOKENS = Axis("tokens", "Tokens", log=True, form="count", domain=(5e9, 5e13))
NAMED = {
    "Screenshots": "vision.screenshot_tokens",
    "Rendered pages": "vision.page_tokens",
    "Frames of videos": "vision.frame_tokens",
    "Speech of videos": "data.speech_tokens",
    "All of these": "vision.named_tokens",
}


def lanes(scenario: Scenario) -> list[Row]:
    """One lane a source, and what the post says that they make."""
    found = [(name, value(quantity, scenario), "you") for name, quantity in NAMED.items()]
    return [
        {"source": name, "tokens": _held(tokens), "mark": mark, "label": show(tokens, "token")}
        for name, tokens, mark in [*found, ("The added training", value("vision.tokens", scenario), "post")]
    ]


def _held(tokens: float) -> float:
    """At the edge of the plot, where it lies outside; its label says the number."""
    low, high = TOKENS.domain or (0, 0)
    return min(max(tokens, low), high)


def tokens_view(scenario: Scenario) -> View:
    """What is named, as a share of what is claimed."""
    return View(
        "Explained of the added training",
        value("vision.explained", scenario),
        "fraction",
        fill(
            "{vision.screenshots} screenshots, {vision.pages} pages and the frames and words of {data.video_hours} of "
            "video give {vision.named_tokens}, {vision.explained} of {vision.tokens}. To make those of pictures alone "
            "takes {vision.images_needed} of them.",
            scenario,
        ),
        rows={"data": lanes(scenario)},
        alt="Tokens of screenshots, pages, frames and speech as lanes on a log axis, and the added training below.",
    )


def tokens_chart(view: View) -> Any:
    """A dot a lane."""
    return roomy(dots(view.rows["data"], TOKENS, "source"), right=130)


tokens = Panel(
    title="Two trillion tokens of what?",
    legend="Each lane is one thing that the post names. How many of each there were nobody has said: the numbers are "
    "this book’s, for you to move. The diamond is the post’s.",
    controls=(
        Slide("vision.screenshots", 1e6, 1e12),
        Slide("vision.pages", 1e6, 1e12),
        Slide("data.video_hours", 1e4, 1e9),
        Slide("vision.frames_per_second", 0.01, 30),
        Slide("vision.tokens_per_image", 16, 4096),
    ),
    folded=("vision.tokens",),
    presets={
        "A billion of each": "leak",
        "Readable pages": {"vision.tokens_per_image": 1024},
        "A billion hours, six frames a minute": {"data.video_hours": 1e9, "vision.frames_per_second": 0.1},
    },
    claims=("C67", "C70", "C71"),
    view=tokens_view,
    chart=tokens_chart,
)
