"""Chapter 06: every published batch against compute, with three laws, and a toy's own point sixteen decades below."""

from __future__ import annotations

from math import sqrt
from typing import Any

from gpt4lab.charts import Axis, line
from gpt4lab.charts.compose import stacked
from gpt4lab.charts.marks import pinned
from gpt4lab.checks.batches import LAWS, published
from gpt4lab.claims.prose import fill
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.toys.batch.findings import toy_point

NEAR = Axis("flop", "Training compute, FLOP", log=True, domain=(1e22, 1e26))
FAR = Axis("far", "Training compute, FLOP, from a toy to GPT-4", log=True, domain=(1e8, 1e27))
BATCH = Axis("batch", "Batch, tokens", log=True, form="count", domain=(5e5, 3e8))
FAR_BATCH = Axis("tokens", "Batch, tokens", log=True, form="count", domain=(1e2, 1e9))
#: Those that are named in the chart; the table below it names all.
NAMED = ("GPT-3 175B", "PaLM 540B", "Llama 3.1 405B", "DeepSeek-V3", "Kimi K2", "MiniMax-Text-01", "OLMoE-1B-7B")


def curves(scenario: Scenario) -> list[dict[str, Any]]:
    """The laws for runs of the scenario's shape: parameters and tokens grow together."""
    tokens, params = scenario.training.tokens, value("model.active_params", scenario)
    here, rows = value("training.flop", scenario), []
    for step in range(77):
        flop = 1e8 * 10 ** (step / 4)
        grown = sqrt(flop / here)
        given = {"training.tokens": tokens * grown, "model.active_params": params * grown}
        for law, batch in zip(LAWS, values(tuple(LAWS.values()), scenario, given).values(), strict=True):
            rows.append({"flop": flop, "far": flop, "batch": batch, "tokens": batch, "law": law})
    return rows


def laws_view(scenario: Scenario) -> View:
    """Your batch among the published ones and the laws."""
    post, toy = load_scenario("leak"), toy_point()
    compute, theirs = value("training.flop", scenario), value("training.flop", post)
    mine, asked = scenario.training.batch_tokens, post.training.batch_tokens
    others = [{**run, "label": run["run"] if run["run"] in NAMED else ""} for run in published()]
    return View(
        label="Your batch over what DeepSeek's law asks for",
        value=scenario.training.batch_tokens / value("batch.deepseek", scenario),
        unit="x",
        post=post.training.batch_tokens / value("batch.deepseek", post),
        sentence=_sentence(scenario),
        rows={
            "data": curves(scenario),
            "published": others,
            "measured": [{"far": toy["flop"], "tokens": toy["batch"], "label": "the toy, measured"}],
            "post": [{"flop": theirs, "batch": asked}, {"far": theirs, "tokens": asked}],
            "you": [
                pinned({"flop": compute, "batch": mine}, NEAR, BATCH),
                pinned({"far": compute, "tokens": mine}, FAR, FAR_BATCH),
            ],
        },
        alt="Batch against training compute: published runs, the post, and three laws; below, the same down to a toy.",
    )


def _sentence(scenario: Scenario) -> str:
    larger = sum(run["batch"] > scenario.training.batch_tokens for run in published())
    return fill(
        "For {training.flop} DeepSeek's law, the Step Law and Kaplan's critical batch say {batch.deepseek}, "
        f"{{batch.step_law}} and {{batch.critical_kaplan}}. {larger} of {len(published())} published ones are larger.",
        scenario,
    )


def laws_chart(view: View) -> Any:
    """Above: where runs were published. Below: the same lines, stretched to a toy."""
    rows: Any = view.datasets
    both: Any = {mark: rows[mark] for mark in ("post", "you")}
    look: Any = {"series": "law", "order": list(LAWS)}
    near = line(rows["data"], NEAR, BATCH, height=250, published=rows["published"], **both, **look)
    far = line(rows["data"], FAR, FAR_BATCH, height=150, measured=rows["measured"], **both, **look)
    return stacked(near, far)


laws = Panel(
    title="Every published batch against compute",
    legend="Triangles: the largest batch of each training that published one. Lines: two laws of the best batch, and "
    "Kaplan's critical batch, for runs of the shape of yours. Below, the same lines down to the toy of this chapter.",
    controls=(
        Slide("training.batch_tokens", 1e6, 3e8),
        Slide("training.tokens", 1e12, 1e14),
        Slide("model.expert_params", 1e9, 1e12),
    ),
    presets={
        "The post": "leak",
        "GPT-3": "gpt-3-175b",
        "Llama 3.1 405B": "llama-3.1-405b",
        "DeepSeek-V3": "deepseek-v3",
    },
    claims=("C22",),
    view=laws_view,
    chart=laws_chart,
)
