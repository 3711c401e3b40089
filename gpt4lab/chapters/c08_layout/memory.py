"""Chapter 08: what fills a GPU, by stage of ZeRO, with tensor ranks, stages, experts and recomputation."""

from __future__ import annotations

from collections.abc import Iterator

from gpt4lab import catalog
from gpt4lab.charts import Axis, bars
from gpt4lab.models.in_scenario import machine_in
from gpt4lab.models.inputs import Chip
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value, values
from gpt4lab.rows import Row
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.scenario.rules import TRAINING_UNEVEN, LayoutError, uneven
from gpt4lab.units import show

LEAK = load_scenario("leak")
#: What a reader calls a part -> the quantity.
PARTS = {
    "weights": "step.weight_bytes",
    "gradients": "step.gradient_bytes",
    "optimiser": "step.optimiser_bytes",
    "activations": "step.activation_bytes",
    "gaps": "step.reserved_bytes",
}
STAGES = {
    0: "ZeRO 0: every replica has all",
    1: "ZeRO 1: optimiser state shared out",
    2: "ZeRO 2: and gradients",
    3: "ZeRO 3: and weights",
}
MOST = 320e9  # bytes that are drawn
BYTES = Axis("bytes", "Bytes on the fullest GPU", domain=(0, MOST))
#: Changes of the post's layout that a reader tries first.
FUSED = {"cluster.recompute": "none", "cluster.attention": "fused"}


def chip_of(scenario: Scenario) -> Chip:
    """The machine. Raises LayoutError where one of its rates was never published."""
    try:
        return machine_in(scenario)
    except catalog.MissingFact as missing:
        raise LayoutError(f"The step model cannot be asked about this accelerator: {missing}.") from None


def parts_of(scenario: Scenario, zero: int) -> dict[str, float]:
    """Bytes of each part under a stage of ZeRO."""
    found = values(tuple(PARTS.values()), scenario, {"cluster.zero": zero})
    return {part: found[name] for part, name in PARTS.items()}


def memory_view(scenario: Scenario) -> View:
    """All four stages of ZeRO, the reader's own in the headline."""
    zero, room = scenario.cluster.zero, chip_of(scenario).memory_bytes
    data = [row for stage in STAGES for row in _bar(scenario, stage)]
    return View(
        label=f"On the fullest GPU, ZeRO stage {zero}",
        value=value("step.memory_bytes", scenario),
        unit="byte",
        post=value("step.memory_bytes", LEAK),
        whose="the post’s layout",
        sentence=_sentence(scenario, room),
        rows={"data": data, "published": _room(room)},
        alt="Four bars, a stage of ZeRO each: weights, gradients, optimiser state, activations and gaps on the fullest "
        "GPU, with a mark where its memory ends.",
    )


def _bar(scenario: Scenario, zero: int) -> Iterator[Row]:
    for part, held in parts_of(scenario, zero).items():
        yield {"stage": STAGES[zero], "part": part, "bytes": held}


def _room(room: float) -> list[Row]:
    words = {stage: f"a GPU has {show(room, 'byte')}" if stage == 0 else "" for stage in STAGES}
    return [{"stage": STAGES[stage], "bytes": min(room, MOST), "label": words[stage]} for stage in STAGES]


def _sentence(scenario: Scenario, room: float) -> str:
    held = parts_of(scenario, scenario.cluster.zero)
    needed, most = sum(held.values()), max(held, key=lambda part: held[part])
    fits = "It fits" if needed <= room else f"It does not fit: {show(needed - room, 'byte')} are too much"
    least = [stage for stage in STAGES if sum(parts_of(scenario, stage).values()) <= room]
    which = f"Stage {least[0]} is the first that does." if least else "No stage does."
    mfu = show(value("step.mfu", scenario), "fraction")
    gives = "The step model gives this layout" if needed <= room else "With room for it, the step model would give it"
    shared = " ".join(uneven(TRAINING_UNEVEN, lambda path: value(path, scenario)))
    return (
        f"{fits}. Most of it are {most}, {show(held[most], 'byte')}. {'' if needed <= room else which} {gives} "
        f"an MFU of {mfu}. {shared}"
    ).replace("  ", " ").strip()  # fmt: skip


memory = Panel(
    title="What fills a GPU",
    legend="A bar for each stage of ZeRO: the same model, on the same GPUs. Weights, gradients and optimiser state of "
    "the fullest stage of the pipeline, the activations that it keeps, and what the allocator leaves unused between "
    "them. The triangles are what a GPU has.",
    controls=(
        "cluster.zero",
        "cluster.recompute",
        Slide("cluster.pipeline", 1, 60),
        Slide("cluster.tensor", 1, 16),
        Slide("cluster.expert", 1, 16),
        Slide("training.micro_batch", 1, 8),
    ),
    folded=(
        "cluster.attention",
        "cluster.gradient_bytes",
        "cluster.accelerator",
        Slide("cluster.interleave", 1, 8),
        Slide("cluster.gpus", 1_000, 100_000),
        Slide("training.batch_tokens", 8e6, 200e6),
        Slide("model.experts", 2, 64),
    ),
    presets={
        "The post": "leak",
        "Gradients summed in fp32": {"cluster.gradient_bytes": 4},
        "On 40 GB": {"cluster.accelerator": "a100-sxm-40gb"},
        "Nothing recomputed, plain attention": {"cluster.recompute": "none"},
        "Nothing recomputed, fused": FUSED,
        "Experts over 16 replicas": {"cluster.expert": 16},
    },
    tour=(
        ({}, "All is recomputed: activations take {step.activation_bytes}, states {memory.states}."),
        ({"cluster.recompute": "none"}, "Keep all of it, and activations take {step.activation_bytes}."),
        (
            {**FUSED, "cluster.expert": 16},
            "Fused attention and experts over {cluster.expert}: {step.memory_bytes}, still more than the card has. "
            "With nothing recomputed it does not fit.",
        ),
    ),
    claims=("C40", "S05"),
    view=memory_view,
    chart=lambda view: bars(
        view.rows["data"], BYTES, "stage", "part", order=tuple(PARTS), published=view.rows["published"]
    ),
)
