"""The training-step model against published measurements: each row with what was measured, predicted, and its error.

No constant is fitted to these rows: the efficiencies come from micro-benchmarks of the hardware. One choice was made
with Table 1 in view: of the published matmul rates of an A100, that of an ordinary large product (230 TFLOP/s), not
the best that a search over shapes has found (271), with which Table 1 would come out about 11% too fast. What a source
leaves out about a run is said in the row's `assumed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from attrs import Factory, evolve, field, frozen

from gpt4lab import catalog
from gpt4lab.catalog import Measurement
from gpt4lab.formulas.arith import ceil
from gpt4lab.formulas.layer import core_flop
from gpt4lab.models.step.report import (
    Efficiency,
    Hardware,
    Layout,
    Shape,
    StepReport,
    machine,
    measured_efficiency,
    shape_of,
    step,
)

GIB = 2.0**30
Rows = tuple["Check", ...]


@frozen
class Check:
    """One published number beside the model's."""

    name: str
    what: str
    unit: str
    measured: float
    predicted: float
    source: str
    assumed: str = ""
    error: float = field(init=False, default=Factory(lambda self: self.predicted / self.measured - 1, takes_self=True))


@frozen
class Summary:
    """How far some checks are off: the mean and the largest of the absolute errors."""

    rows: int
    mean: float
    largest: float


def summary(checks: Rows) -> Summary:
    """Return the summary of some checks."""
    errors = [abs(check.error) for check in checks]
    return Summary(len(errors), sum(errors) / len(errors), max(errors))


def all_checks() -> dict[str, Rows]:
    """Return every table of checks by its title."""
    return {
        "Megatron-LM 2021, Table 1": megatron_validation(),
        "Megatron-LM 2021, Table 2, tensor and pipeline parallel": table_2("PTD-P"),
        "Megatron-LM 2021, Table 2, ZeRO-3": table_2("ZeRO-3"),
        "Korthikanti 2022, Table 5, seconds a step": korthikanti_times(),
        "Korthikanti 2022, Figure 1, memory": korthikanti_memory(),
        "Later runs": later_runs(),
    }


def sensitivity(change: float = 0.2) -> dict[str, tuple[Summary, Summary]]:
    """Return, for each efficiency, the summary of Table 1 with that factor lowered and raised by a share."""
    given = measured_efficiency()
    return {
        name: (
            summary(megatron_validation(evolve(given, **{name: getattr(given, name) * (1 - change)}))),
            summary(megatron_validation(evolve(given, **{name: getattr(given, name) * (1 + change)}))),
        )
        for name in ("matmul", "memory", "link", "network")
    }


def megatron_validation(efficiency: Efficiency | None = None) -> Rows:
    """Return Table 1 of Narayanan (2021): GPT models from 1.7B to 1T with full recomputation."""
    return tuple(rate_check(*run, efficiency) for run in megatron_runs())


def megatron_runs() -> tuple[tuple[Measurement, Shape, Layout], ...]:
    """Return the runs of that table, each as the model takes it."""
    found = [entry for slug, entry in catalog.measurements.items() if slug.startswith("megatron21-t1-")]
    return tuple((entry, shape_in(entry.setup), layout_in(entry.setup, recompute="full")) for entry in found)


def table_2(scheme: str) -> Rows:
    """Return Table 2 of Narayanan (2021) for one scheme: the same two models on more and more GPUs."""
    found = [entry for entry in catalog.measurements.values() if entry.setup.get("scheme") == scheme]
    return tuple(rate_check(entry, _table_2_shape(entry.setup), _table_2_layout(entry.setup)) for entry in found)


def _table_2_shape(setup: Mapping[str, Any]) -> Shape:
    known = {174.6e9: shape_of("gpt-3-175b"), 529.6e9: shape_in(catalog.measurements["megatron21-t1-529.6b"].setup)}
    return evolve(known[setup["params"]], vocab=51200)


def _table_2_layout(setup: Mapping[str, Any]) -> Layout:
    """Tensor parallel within a node, pipeline over nodes; ZeRO-3 has neither."""
    tensor = 8 if setup["scheme"] == "PTD-P" else 1
    pipeline = setup["model_parallel"] / tensor
    data = setup["gpus"] / setup["model_parallel"]
    zero = 0 if setup["scheme"] == "PTD-P" else 3
    sizes = {"tensor": tensor, "pipeline": pipeline, "data": data}
    return layout_in({**setup, **sizes}, recompute="full", zero=zero)


def korthikanti_times() -> Rows:
    """Return Table 5 of Korthikanti (2022): a step with full, and with selective recomputation."""
    found = [entry for entry in catalog.measurements.values() if entry.topic == "train_step"]
    return tuple(check for entry in found for check in _two_steps(entry))


def _two_steps(entry: Measurement) -> Rows:
    selective = {"recompute": "selective", "sequence_parallel": True}
    return tuple(
        Check(
            entry.name.partition(":")[0],
            what,
            "s",
            entry.measured[key],
            _korthikanti(entry, **how).time_s,
            source_in(entry),
            "fp32 gradients, as in Figure 1",
        )
        for key, what, how in (
            ("step_full_recompute", "step, all recomputed", {"recompute": "full"}),
            ("step_selective", "step, selective and sequence parallel", selective),
        )
    )


def korthikanti_memory() -> Rows:
    """Return Figure 1 of Korthikanti (2022). Its numbers follow from formulas, so this checks code, not physics."""
    found = [entry for entry in catalog.measurements.values() if entry.topic == "train_memory"]
    return tuple(check for entry in found for check in _three_memories(entry))


def _three_memories(entry: Measurement) -> Rows:
    whole = _korthikanti(entry).memory_bytes
    less = _korthikanti(entry, recompute="selective", sequence_parallel=True).memory_bytes
    found = (
        ("params_optimizer_memory", "weights, gradients, optimiser", whole.total - whole.activations),
        ("activations_no_recompute", "activations", whole.activations),
        ("activations_selective", "activations, selective and sequence parallel", less.activations),
    )
    return tuple(
        Check(entry.name.partition(":")[0], what, "GiB", entry.measured[key], bytes_ / GIB, source_in(entry))
        for key, what, bytes_ in found
    )


def _korthikanti(entry: Measurement, **how: Any) -> StepReport:
    twin = catalog.measurements[entry.slug.replace("-f1-", "-t5-")]  # Figure 1 is about the runs of Table 5
    setup: dict[str, Any] = {**twin.setup, **entry.setup}
    return step(shape_in(setup), layout_in(setup, gradient_bytes=4, **how), hardware_in(entry))


def later_runs() -> Rows:
    """Return runs with other software and hardware, as far as their layouts are published."""
    return (bloom(), *(llama("llama3-t4-8k-8192", chunks) for chunks in (1, 8)))


def bloom() -> Check:
    """Return BLOOM's usual step."""
    entry = catalog.measurements["bloom-176b-step"]
    layout = layout_in(entry.setup, recompute="full", zero=1, gradient_bytes=4)
    words = "70 layers and two embeddings fill 72 places"
    return evolve(rate_check(entry, shape_in(entry.setup), layout), assumed=words)


def llama(slug: str, chunks: int) -> Check:
    """Return a row of Llama 3's Table 4.

    Its interleaving is not published: one chunk a stage and one layer a chunk bracket it. Where sequences are so long
    that it matters, pairs that the mask hides are not counted.
    """
    entry = catalog.measurements[slug]
    layout = llama_layout(entry, chunks)
    shape = shape_of("llama-3.1-405b", sequence=cast("int", entry.setup["sequence"]))
    masked = layout.context > 1
    words = f"interleaving of {chunks}; 128 places for 126 layers; MFU" + ", pairs behind the mask left out" * masked
    return evolve(rate_check(entry, shape, layout, masked=masked), assumed=words)


def llama_layout(entry: Measurement, chunks: int) -> Layout:
    """Return the layout of a row of Llama 3's Table 4."""
    setup: dict[str, Any] = {**entry.setup, "interleave": chunks}
    setup["batch"] = setup["batch_per_replica"] * setup["data"]
    return layout_in(setup, zero=1, sequence_parallel=True, fused_attention=True, overlap=1, gradient_bytes=4)


def shape_in(setup: Mapping[str, Any]) -> Shape:
    """Return the shape that a row states; what it leaves out is GPT's."""
    keys = ("layers", "d_model", "heads", "d_ff", "vocab", "sequence")
    return Shape(**{key: setup[key] for key in keys if key in setup})


def layout_in(setup: Mapping[str, Any], **more: Any) -> Layout:
    """Return the layout that a row states, and what `more` adds."""
    keys = ("tensor", "pipeline", "data", "expert", "context", "batch", "micro_batch", "interleave")
    known = {key: setup[key] for key in keys if key in setup}
    return Layout(schedule="interleaved" if known.get("interleave", 1) > 1 else "1f1b", **known, **more)


def rate_check(
    entry: Measurement, shape: Shape, layout: Layout, efficiency: Efficiency | None = None, *, masked: bool = False
) -> Check:
    """Check FLOP/s per GPU. Layers that do not divide are rounded up for the time, but not for the FLOP."""
    report = step(padded(shape, layout), layout, hardware_in(entry), efficiency)
    counted = report.model_flop if "mfu" in entry.measured else report.hardware_flop
    hidden = 3 * core_flop(shape.sequence, shape.heads, shape.head_dim) / 2 * shape.layers * masked
    share = shape.layers / padded(shape, layout).layers
    predicted = (counted * share - hidden * layout.batch * shape.sequence) / (report.time_s * report.gpus)
    measured = entry.measured["flop_per_s_per_gpu"]
    return Check(entry.name, "achieved per GPU", "TFLOP/s", measured / 1e12, predicted / 1e12, source_in(entry))


def padded(shape: Shape, layout: Layout) -> Shape:
    """Return the shape with as many layers as fill all places of the pipeline."""
    places = layout.pipeline * layout.interleave
    return evolve(shape, layers=ceil(shape.layers / places) * places)


def hardware_in(entry: Measurement) -> Hardware:
    """Return the catalog's accelerator, with the run's own network where it had another."""
    hardware, setup = machine(entry.accelerator or ""), cast("Mapping[str, float]", entry.setup)
    network = setup.get("network_bits_per_s", hardware.network_bytes_per_s * 8)
    return evolve(hardware, network_bytes_per_s=network / 8)


def source_in(entry: Measurement) -> str:
    """Return the key of the row's reference."""
    return entry.sources[0].reference
