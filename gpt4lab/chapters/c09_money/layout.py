"""Chapter 09: one training step of the post's own layout, part by part, as the step model predicts it.

The model is the one that the chapter holds against Megatron-LM's published runs; here it is asked about the post's.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from gpt4lab import catalog
from gpt4lab.chapters.c09_money.bubble import ROUNDS
from gpt4lab.charts import Axis, bars
from gpt4lab.models.in_scenario import layout_in, trained_in
from gpt4lab.models.inputs import Chip, machine
from gpt4lab.models.rules import LayoutError
from gpt4lab.models.step.report import StepReport, step
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, get, load_scenario
from gpt4lab.scenario.rules import TRAINING_UNEVEN, uneven
from gpt4lab.units import show

PARTS = ("matrix products", "memory", "traffic", "waiting", "optimiser")
SECONDS = Axis("seconds", "Seconds of one step", domain=(0, 80))
HERE, POST = "your layout", "the post's layout"


@frozen
class Predicted:
    """A step of a scenario's layout, and the run that is made of such steps. MFU and HFU on the post's basis."""

    report: StepReport
    mfu: float
    days: float
    usd: float

    @property
    def hfu(self) -> float:
        """The MFU as many times as FLOP are spent for each that is needed: the same where nothing is recomputed."""
        return self.mfu * (self.report.hardware_flop / self.report.model_flop)


def hardware(accelerator: str) -> Chip:
    """The machine. Raises LayoutError where one of its rates was never published."""
    try:
        return machine(accelerator)
    except catalog.MissingFact as missing:
        raise LayoutError(f"The step model cannot be asked about this accelerator: {missing}.") from None


def predict(scenario: Scenario) -> Predicted:
    """The step, and the whole run: MFU counts six FLOP for each token and active parameter of the scenario.

    Raises
    ------
    LayoutError : what cannot go together, or a rate of the accelerator is not known.
    """
    cluster = scenario.cluster
    report = step(trained_in(scenario), layout_in(scenario), hardware(cluster.accelerator))
    days = scenario.training.tokens / report.tokens_per_s / 86_400
    mfu = value("training.implied_mfu", scenario, {"cluster.days": days})
    return Predicted(report, mfu, days, value("cluster.rental", scenario, {"cluster.days": days}))


def bytes_without_sequence_parallelism(scenario: Scenario) -> float:
    """What a GPU would hold if its tensor ranks did not share out what stands between their products."""
    plain = evolve(layout_in(scenario), sequence_parallel=False)
    return step(trained_in(scenario), plain, hardware(scenario.cluster.accelerator)).memory_bytes.total


def layout_view(scenario: Scenario) -> View:
    """Seconds by part, here and for the post's layout as assumed."""
    here = predict(scenario)
    return View(
        label="MFU that the step model predicts",
        value=here.mfu,
        unit="fraction",
        post=load_scenario("leak").training.mfu,
        sentence=_sentence(scenario, here),
        rows={"data": [*_seconds_by_part(POST, predict(load_scenario("leak"))), *_seconds_by_part(HERE, here)]},
        alt="Two bars of seconds in a training step, by part: the post's layout and yours.",
    )


def _sentence(scenario: Scenario, here: Predicted) -> str:
    memory = here.report.memory_bytes.total
    room = hardware(scenario.cluster.accelerator).memory_bytes
    fits = "it fits" if here.report.fits else "it does not fit"
    return (
        f"A step takes {show(here.report.time_s, 's')}, the run {show(here.days, 'day')} and {show(here.usd, 'USD')}, "
        f"before any failure. {_repeated(here)} A GPU must hold {show(memory, 'byte')} and has "
        f"{show(room, 'byte')}: {fits}. {' '.join(uneven(TRAINING_UNEVEN, lambda path: get(scenario, path)))}".strip()
    )


def _repeated(here: Predicted) -> str:
    if here.hfu == here.mfu:
        return "Nothing is computed twice."
    return f"With recomputed work counted the utilisation is {show(here.hfu, 'fraction')} (HFU)."


def _seconds_by_part(lane: str, found: Predicted) -> list[dict[str, Any]]:
    s = found.report.seconds
    traffic, waiting = s.tensor + s.context + s.expert + s.pipeline + s.data, s.bubble + s.host
    seconds = (s.matmul, s.memory, traffic, waiting, s.optimiser)
    return [{"layout": lane, "part": part, "seconds": took} for part, took in zip(PARTS, seconds, strict=True)]


layout = Panel(
    title="A step of the post's layout",
    legend="Seconds that a GPU spends in one optimiser step. Memory: all that is read and written between the matrix "
    "products. Recomputing activations saves memory and costs products; a fused kernel keeps "
    "attention scores on the chip.",
    controls=(
        "cluster.recompute",
        "cluster.attention",
        "cluster.zero",
        Slide("training.batch_tokens", 8e6, 200e6),
        "cluster.accelerator",
    ),
    folded=(
        Slide("cluster.pipeline", 1, 60),
        Slide("cluster.interleave", 1, 8),
        Slide("cluster.gpus", 1_000, 100_000),
        "cluster.gradient_bytes",
    ),
    presets={
        "The post": "leak",
        "Fused attention": {"cluster.attention": "fused"},
        "Fused, two chunks, 30 micro-batches": {
            "cluster.attention": "fused",
            "cluster.interleave": 2,
            "training.batch_tokens": ROUNDS,
        },
        "Nothing recomputed": {"cluster.recompute": "none", "cluster.attention": "fused"},
        "25,000 H100 at $2": {
            "cluster.accelerator": "h100-sxm-80gb",
            "cluster.attention": "fused",
            "cluster.usd_per_gpu_hour": load_scenario("leak").rerun.usd_per_gpu_hour,
        },
    },
    view=layout_view,
    chart=lambda view: bars(view.rows["data"], SECONDS, "layout", "part", order=PARTS),
)
