"""Chapter 09: the pipeline that must fill and drain, and what it and failures leave of the utilisation."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.chapters.c09_money.failures import QUICK, SMALL_CLUSTER
from gpt4lab.charts import Axis, bars
from gpt4lab.checks.logs import as_in
from gpt4lab.checks.step import layout_in
from gpt4lab.formulas.pipeline import bubble_fraction, micro_batches
from gpt4lab.panels.curve import Curve
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

#: Tokens of a batch of 30 micro-batches for each of the post's replicas: two rounds of its 15 stages, as chunks need.
ROUNDS = 51.2e6


def own_bubble(slug: str, chunks: int = 0) -> float:
    """The share of a published step in which its own pipeline had to wait; with so many chunks, if some are given."""
    ran = layout_in(catalog.measurements[slug].setup)
    return bubble_fraction(ran.pipeline, micro_batches(ran.batch, ran.data, ran.micro_batch), chunks or ran.interleave)


#: Megatron's trillion as MFU: what was computed twice not counted, one pass of four; and its own bubble.
MEGATRON_MFU = catalog.utilisations["megatron-1t"].need("mfu") * 3 / 4
MEGATRON_BUBBLE = own_bubble("megatron21-t1-1008b")
MEGATRON = {"training.best_mfu": MEGATRON_MFU, "training.best_bubble": round(MEGATRON_BUBBLE, 3)}

bubble = Curve(
    title="A pipeline must fill and drain",
    legend="A stage waits until the first micro-batch reaches it and again after its last one has left. Many "
    "micro-batches make that wait small; interleaving cuts each stage into chunks of layers "
    "and shortens it further.",
    of="pipeline.bubble",
    along="pipeline.micro_batches",
    at=[round(10 ** (step / 20), 3) for step in range(61)],
    x=Axis("m", "Micro-batches in a step, per replica", log=True, form="count", domain=(1, 1000)),
    y=Axis("idle", "Share of the step in which a GPU waits", form="percent", domain=(0, 1)),
    series="schedule",
    lines={
        "plain (GPipe, 1F1B)": {"cluster.interleave": 1},
        **{f"{chunks} chunks a stage": {"cluster.interleave": chunks} for chunks in (2, 4, 8)},
    },
    label="Pipeline bubble",
    says="{cluster.replicas:,.0f} replicas share the batch: {pipeline.micro_batches:,.0f} micro-batches follow each "
    "other through {cluster.pipeline}. Of an MFU of {training.full_mfu} with a full pipeline, "
    "{training.mfu_after_bubble} is left.",
    alt="Idle share of a step against micro-batches: it falls with their number, and with chunks of layers.",
    controls=(
        Slide("training.batch_tokens", 1e6, 1e9),
        Slide("cluster.pipeline", 1, 60),
        Slide("cluster.gpus", 1_000, 100_000),
        Slide("training.micro_batch", 1, 16),
        Slide("training.best_mfu", 0.3, 0.8),
    ),
    folded=(
        Slide("cluster.interleave", 1, 8),
        Slide("cluster.tensor", 1, 16),
        "model.context",
        Slide("training.best_bubble", 0, 0.5),
    ),
    presets={
        "The post": "leak",
        "Early in the ramp: 4M tokens": {"training.batch_tokens": 4e6},
        "Four chunks, 30 micro-batches": {"cluster.interleave": 4, "training.batch_tokens": ROUNDS},
        "8 stages": {"cluster.pipeline": 8},
        "No pipeline, as with ZeRO-3": {"cluster.pipeline": 1},
        "Twice the GPUs": {"cluster.gpus": 50_000},
        "Megatron-LM of 2021": MEGATRON,
    },
    pulls={"m": Pull("training.batch_tokens", "pipeline.micro_batches")},
)


def times_dearer(gpus: int) -> float:
    """The post's run on so many GPUs, over its cost on its own: the same batch, more waiting."""
    own, more = (1 - value("pipeline.bubble", load_scenario("leak"), given) for given in ({}, {"cluster.gpus": gpus}))
    return own / more


# --- both explanations, apart and together ------------------------------------------------------------

LANES = ("the bubble alone", "the failures alone", "both")
PARTS = ("useful: the MFU", "failures and checkpoints", "pipeline bubble", "lost while it runs")
PEAK = Axis("share", "Share of the GPUs' peak", form="percent", domain=(0, 1))


def ladder_view(scenario: Scenario) -> View:
    """Where the peak goes under three explanations."""
    found = values(("pipeline.bubble", "goodput.share", "training.mfu_left", "training.full_mfu"), scenario)
    idle, share, best = found["pipeline.bubble"], found["goodput.share"], found["training.full_mfu"]
    cases = dict(zip(LANES, ((idle, 1.0), (0.0, share), (idle, share)), strict=True))
    stated, named = load_scenario("leak").training.mfu, dict(zip(LANES, ("the post", "", ""), strict=True))
    return View(
        label="MFU that the bubble and the failures leave together",
        value=found["training.mfu_left"],
        unit="fraction",
        post=stated,
        sentence=f"{show(best, 'fraction')} with a full pipeline; the bubble alone leaves "
        f"{show(best * (1 - idle), 'fraction')}, the failures alone {show(best * share, 'fraction')}, both "
        f"{show(found['training.mfu_left'], 'fraction')}.",
        rows={
            "data": [row for lane, case in cases.items() for row in _shares_of_the_peak(lane, best, *case)],
            "post": [{"explanation": lane, "share": stated, "label": words} for lane, words in named.items()],
        },
        alt="Three bars of the GPUs' peak: what is lost while it runs, in the bubble, to failures, and what is left.",
    )


def _shares_of_the_peak(lane: str, best: float, idle: float, useful: float) -> list[dict[str, Any]]:
    running = best * (1 - idle)
    shares = (running * useful, running * (1 - useful), best * idle, 1 - best)
    return [{"explanation": lane, "part": part, "share": share} for part, share in zip(PARTS, shares, strict=True)]


ladder = Panel(
    title="Where the rest of the peak goes",
    legend="Each bar is all that the GPUs could compute. Losses are taken one after the other: first what a running "
    "cluster with a full pipeline does not reach, then the bubble, then failures, checkpoints and restarts.",
    controls=(
        Slide("training.best_mfu", 0.3, 0.8),
        Slide("training.batch_tokens", 1e6, 1e9),
        Slide("reliability.gpu_mtbf_years", 0.2, 100),
        Slide("reliability.restart_minutes", 0.5, 480),
        Slide("reliability.checkpoint_interval_hours", 0.02, 24),
    ),
    folded=(
        Slide("reliability.checkpoint_minutes", 0.05, 60),
        Slide("cluster.gpus", 1_000, 100_000),
        Slide("cluster.interleave", 1, 8),
        Slide("training.best_bubble", 0, 0.5),
    ),
    presets={
        "Assumed": "leak",
        "Quick restarts": QUICK,
        "Failures as in OPT-175B's log": as_in("OPT-175B, A100, 2021"),
        "Megatron-LM of 2021": MEGATRON,
        "Habits of a small cluster, eight chunks": {
            **SMALL_CLUSTER,
            "cluster.interleave": 8,
            "training.batch_tokens": ROUNDS,
        },
        "Four chunks, ordinary failures": {"cluster.interleave": 4, "training.batch_tokens": ROUNDS},
    },
    claims=("C30", "C31"),
    view=ladder_view,
    chart=lambda view: bars(
        view.rows["data"], PEAK, "explanation", "part", order=PARTS, post=view.rows["post"], total=False
    ),
)
