"""Chapter 04: which source could fill the hole that web text leaves, if all of it were in the mix."""

from __future__ import annotations

from typing import Any

from gpt4lab.chapters.c04_tokens.sources import hole_range, sources
from gpt4lab.charts import Axis, dots
from gpt4lab.charts.compose import roomy, shaded
from gpt4lab.claims.prose import fill
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario
from gpt4lab.units import show

SEEN = Axis("tokens", "Tokens seen, readings counted", log=True, form="count", domain=(1e9, 3e13))
LEAST, MOST = SEEN.domain or (0, 0)


def filled_view(scenario: Scenario) -> View:
    """A lane a source, the largest on top, and the hole as a range behind them."""
    low, high = hole_range(scenario)
    found = sources(scenario)
    enough = [one.name for one in found if one.high >= max(low, LEAST)]
    return View(
        label="Seen, if books, papers and all public code were in it",
        value=value("data.shadow_seen", scenario),
        unit="token",
        sentence=fill(
            f"Web text leaves {{data.unexplained}} open, and as the numbers are rounded {_between(low, high)}. "
            f"{_reach(enough)}",
            scenario,
        ),
        rows={
            "data": [
                {"source": one.name, "tokens": _held(one.tokens), "low": _held(one.low), "high": _held(one.high),
                 "mark": one.who, "label": show(one.tokens, "token").removesuffix(" tokens")}
                for one in found
            ],
            "ranges": [{"from": _held(low), "to": _held(high), "label": ""}],
        },
        alt="Lanes of sources by the tokens that they could give, on a log axis; the hole is a shaded range.",
    )  # fmt: skip


def _held(tokens: float) -> float:
    """At the edge of the plot, where it lies outside; its label says the number."""
    return min(max(tokens, LEAST), MOST)


def _between(low: float, high: float) -> str:
    return show((max(low, 0), high), "token") if high > 0 else "nothing"


def _reach(names: list[str]) -> str:
    if not names:
        return "No source of these reaches it on its own."
    return f"What reaches into it on its own: {'; '.join(names)}."


def filled_chart(view: View) -> Any:
    """Dots with error bars; the hole is shaded."""
    chart = dots(view.rows["data"], SEEN, "source", bounds=("low", "high"))
    return roomy(shaded(chart, SEEN, view.rows["ranges"]), right=60)


filled = Panel(
    title="Who could fill the hole?",
    legend="Each lane is one body of text, as if all of it had been read as often as the post says. Diamonds are the "
    "post's and its poster's, triangles were counted by others, the dot is a guess of this book. Bars reach from the "
    "shortest to the longest item that was published. Shaded is the hole, as wide as the rounding of its numbers.",
    controls=(
        Slide("data.tokens_per_book", 6e4, 3e5),
        Slide("data.tokens_per_paper", 3e3, 2e4),
        Slide("data.text_epochs", 1, 8),
        Slide("data.code_epochs", 1, 8),
        Slide("data.web_tokens", 1e12, 15e12),
        Slide("data.textbooks", 1e4, 1e7),
    ),
    folded=(
        Slide("data.books", 1e5, 1e8),
        Slide("data.papers", 1e6, 1e9),
        Slide("data.repository_tokens", 1e11, 5e12),
        Slide("data.video_hours", 1e5, 1e9),
        Slide("data.instruction_rows", 1e5, 1e9),
        Slide("data.tokens_per_row", 100, 1e4),
        Slide("data.tokens_per_textbook", 5e4, 1e6),
        Slide("training.tokens", 5e12, 30e12),
    ),
    presets={
        "The post": "leak",
        "Long books": {"data.tokens_per_book": 2.46e5},
        "Read once": {"data.text_epochs": 1, "data.code_epochs": 1},
    },
    claims=("C18", "C92", "C93", "C94", "C95"),
    view=filled_view,
    chart=filled_chart,
)
