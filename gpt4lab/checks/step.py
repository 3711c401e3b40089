"""The training-step model against published measurements.

No constant is fitted to these rows: the efficiencies come from micro-benchmarks of the hardware and, three of them,
from FSDP runs (`checks.fsdp`), which none of these rows is. One choice was made
with Table 1 in view: of the published matmul rates of an A100, that of an ordinary large product (230 TFLOP/s), not
the best that a search over shapes has found (271), with which Table 1 would come out about 11% too fast. What a source
leaves out about a run is said in the row's `assumed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from attrs import evolve

from gpt4lab import catalog
from gpt4lab.catalog import Measurement
from gpt4lab.checks.catalogued import entries, measured
from gpt4lab.checks.check import Check, Checks
from gpt4lab.formulas.arith import ceil
from gpt4lab.formulas.layer import core_flop
from gpt4lab.models.inputs import Chip, Efficiency, Network, machine, network_of
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import StepReport, step

GIB = 2.0**30


def megatron_validation(efficiency: Efficiency | None = None) -> Checks:
    """Table 1 of Narayanan (2021): GPT models from 1.7B to 1T with full recomputation."""
    return Checks(rate_check(*run, efficiency) for run in megatron_runs())


def megatron_runs() -> tuple[tuple[Measurement, Network, Layout], ...]:
    """The runs of that table, each as the model takes it."""
    found = entries("megatron21-t1-")
    return tuple((entry, shape_in(entry.setup), layout_in(entry.setup, recompute="full")) for entry in found)


def table_2(scheme: str) -> Checks:
    """Table 2 of Narayanan (2021) for one scheme: the same two models on more and more GPUs."""
    found = entries(scheme=scheme)
    return Checks(rate_check(entry, _table_2_shape(entry.setup), _table_2_layout(entry.setup)) for entry in found)


def _table_2_shape(setup: Mapping[str, Any]) -> Network:
    known = {174.6e9: network_of("gpt-3-175b"), 529.6e9: shape_in(catalog.measurements["megatron21-t1-529.6b"].setup)}
    return evolve(known[setup["params"]], vocab=51200)


def _table_2_layout(setup: Mapping[str, Any]) -> Layout:
    """Tensor parallel within a node, pipeline over nodes; ZeRO-3 has neither."""
    tensor = 8 if setup["scheme"] == "PTD-P" else 1
    pipeline = setup["model_parallel"] / tensor
    data = setup["gpus"] / setup["model_parallel"]
    zero = 0 if setup["scheme"] == "PTD-P" else 3
    sizes = {"tensor": tensor, "pipeline": pipeline, "data": data}
    return layout_in({**setup, **sizes}, recompute="full", zero=zero)


SELECTIVE = {"recompute": "selective", "sequence_parallel": True}


def korthikanti_times() -> Checks:
    """Table 5 of Korthikanti (2022): a step with full, and with selective recomputation."""
    ways = {"step_full_recompute": {"recompute": "full"}, "step_selective": SELECTIVE}
    found = [entry for entry in entries() if entry.topic == "train_step"]
    return Checks(
        measured(entry, key, _korthikanti(entry, **how).time_s, "fp32 gradients, as in Figure 1")
        for entry in found
        for key, how in ways.items()
    )


def korthikanti_memory() -> Checks:
    """Figure 1 of Korthikanti (2022). Its numbers follow from formulas, so this checks code, not physics."""
    return Checks(
        measured(entry, key, bytes_ / GIB)
        for entry in entries()
        if entry.topic == "train_memory"
        for key, bytes_ in _three_memories(entry)
    )


def _three_memories(entry: Measurement) -> Iterator[tuple[str, float]]:
    whole, less = (_korthikanti(entry, **how).memory_bytes for how in ({}, SELECTIVE))
    yield "params_optimizer_memory", whole.weights + whole.gradients + whole.optimiser
    yield "activations_no_recompute", whole.activations
    yield "activations_selective", less.activations


def _korthikanti(entry: Measurement, **how: Any) -> StepReport:
    twin = catalog.measurements[entry.slug.replace("-f1-", "-t5-")]  # Figure 1 is about the runs of Table 5
    setup: dict[str, Any] = {**twin.setup, **entry.setup}
    return step(shape_in(setup), layout_in(setup, gradient_bytes=4, lean=True, **how), hardware_in(entry))


def later_runs() -> Checks:
    """Runs with other software and hardware, as far as their layouts are published."""
    return Checks((bloom(), *(llama("llama3-t4-8k-8192", chunks) for chunks in (1, 8))))


def bloom() -> Check:
    """BLOOM's usual step."""
    entry = catalog.measurements["bloom-176b-step"]
    layout = layout_in(entry.setup, recompute="full", zero=1, gradient_bytes=4)
    words = "70 layers and two embeddings fill 72 places"
    return rate_check(entry, shape_in(entry.setup), layout, assumed=words)


def llama(slug: str, chunks: int) -> Check:
    """A row of Llama 3's Table 4.

    Its interleaving is not published: one chunk a stage and one layer a chunk bracket it. Where sequences are so long
    that it matters, pairs that the mask hides are not counted.
    """
    entry = catalog.measurements[slug]
    layout = llama_layout(entry, chunks)
    shape = network_of("llama-3.1-405b", sequence=cast("int", entry.setup["sequence"]))
    masked = layout.context > 1
    words = (
        f"interleaving of {chunks}; FlashAttention-2; 128 places for 126 layers; MFU"
        + ", pairs behind the mask left out" * masked
    )
    return rate_check(
        entry, shape, layout, chip=with_flash_attention_2(hardware_in(entry)), masked=masked, assumed=words
    )


def llama_layout(entry: Measurement, chunks: int) -> Layout:
    """The layout of a row of Llama 3's Table 4."""
    setup: dict[str, Any] = {**entry.setup, "interleave": chunks}
    setup["batch"] = setup["batch_per_replica"] * setup["data"]
    return layout_in(
        setup, zero=1, sequence_parallel=True, fused_attention=True, overlap=1, gradient_bytes=4, lean=True
    )


def shape_in(setup: Mapping[str, Any]) -> Network:
    """The shape that a row states; what it leaves out is GPT's."""
    keys = ("layers", "d_model", "heads", "kv_heads", "d_ff", "gated", "vocab", "tied_embeddings", "sequence")
    return Network(**{key: setup[key] for key in keys if key in setup})


def layout_in(setup: Mapping[str, Any], **more: Any) -> Layout:
    """The layout that a row states, and what `more` adds."""
    keys = ("tensor", "pipeline", "data", "expert", "context", "batch", "micro_batch", "interleave")
    known = {key: setup[key] for key in keys if key in setup}
    return Layout(schedule="interleaved" if known.get("interleave", 1) > 1 else "1f1b", **known, **more)


def rate_check(
    entry: Measurement,
    shape: Network,
    layout: Layout,
    efficiency: Efficiency | None = None,
    *,
    chip: Chip | None = None,
    masked: bool = False,
    assumed: str = "",
) -> Check:
    """FLOP/s per GPU. Layers that do not divide are rounded up for the time, but not for the FLOP."""
    report = step(padded(shape, layout), layout, chip or hardware_in(entry), efficiency)
    counted = report.model_flop if "mfu" in entry.measured else report.hardware_flop
    hidden = 3 * core_flop(shape.sequence, shape.heads, shape.head_dim) / 2 * shape.layers * masked
    share = shape.layers / padded(shape, layout).layers
    predicted = (counted * share - hidden * layout.batch * shape.sequence) / (report.time_s * report.gpus)
    return measured(entry, "flop_per_s_per_gpu", predicted, assumed, unit="FLOP/s")


def with_flash_attention_2(hardware: Chip) -> Chip:
    """An H100 with the kernels of the year after it: FlashAttention-2 as its paper measured it."""
    return evolve(hardware, attention_flop_per_s=catalog.constants["flash-attention-2"].h100)


def padded(shape: Network, layout: Layout) -> Network:
    """The shape with as many layers as fill all places of the pipeline."""
    places = layout.pipeline * layout.interleave
    return evolve(shape, layers=ceil(shape.layers / places) * places)


def hardware_in(entry: Measurement) -> Chip:
    """The catalog's accelerator, with the run's own network where it had another."""
    hardware, setup = machine(entry.accelerator or ""), cast("Mapping[str, float]", entry.setup)
    network = setup.get("network_bits_per_s", hardware.network_bytes_per_s * 8)
    return evolve(hardware, network_bytes_per_s=network / 8)
