"""Chapter 06: sixty million of what? One batch, counted in everything that somebody may call its size."""

from __future__ import annotations

from collections.abc import Mapping

from gpt4lab.charts import Axis, dots
from gpt4lab.charts.marks import pinned
from gpt4lab.claims.prose import fill
from gpt4lab.panels.panel import Panel, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import values
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

#: What is counted -> the quantity.
COUNTED = {
    "tokens": "training.batch_tokens",
    "tokens that one expert sees": "batch.tokens_per_expert",
    "sequences": "batch.sequences",
    "sequences for each replica": "batch.sequences_per_replica",
    "micro-batches in a pipeline": "pipeline.micro_batches",
}
SIZE = Axis("size", "Size of one batch", log=True, form="count", domain=(1, 1e9))
#: Sequences of the training run, not of the longest context.
DEEPSEEK = {"model.context": 4096}


def counted(scenario: Scenario, given: Mapping[str, float] | None = None) -> dict[str, float]:
    """The batch in each way of counting."""
    found = values(tuple(COUNTED.values()), scenario, given)
    return {words: found[name] for words, name in COUNTED.items()}


def readings_view(scenario: Scenario) -> View:
    """Your batch, the post's, and what a published training says of its own."""
    post, other = load_scenario("leak"), counted(load_scenario("deepseek-v3"), DEEPSEEK)
    marks = {"post": counted(post), "you": counted(scenario)}
    rows = [
        pinned({"lane": words, "size": size, "mark": mark}, SIZE) if mark == "you" else
        {"lane": words, "size": size, "mark": mark}
        for mark, of in marks.items() for words, size in of.items()
    ]  # fmt: skip
    rows += [
        {"lane": words, "size": other[words], "mark": "published", "label": "DeepSeek-V3"} for words in [*COUNTED][:3]
    ]
    seen = marks["you"]["tokens that one expert sees"]
    return View(
        label="Sequences in a batch",
        value=marks["you"]["sequences"],
        unit="sequence",
        post=marks["post"]["sequences"],
        sentence=fill(
            "{training.batch_tokens} are {batch.sequences:,.0f} sequences of {model.context:,}. A replica works "
            f"through {{batch.sequences_per_replica:,.1f}}, and one expert sees {show(seen, 'token')}.",
            scenario,
        ),
        rows={"data": rows},
        alt="One batch in five ways of counting: the post's, yours, and DeepSeek-V3's where its report tells.",
    )


readings = Panel(
    title="Sixty million of what?",
    legend="One batch, counted five ways. A batch size of another document can be any of these.",
    controls=(
        Slide("training.batch_tokens", 1e6, 1e9),
        Slide("model.context", 512, 131_072),
        Slide("model.experts", 2, 256),
        Slide("model.top_k", 1, 8),
        Slide("cluster.gpus", 1_000, 100_000),
        Slide("training.micro_batch", 1, 16),
    ),
    presets={
        "The post": "leak",
        "Sequences of 32k": {"model.context": 32_768},
        "64 experts, 8 a token": {"model.experts": 64, "model.top_k": 8},
        "7.5 million in all": {"training.batch_tokens": 7.5e6},
    },
    claims=("C22", "C23", "C24", "C25"),
    view=readings_view,
    chart=lambda view: dots(view.rows["data"], SIZE, "lane"),
)
