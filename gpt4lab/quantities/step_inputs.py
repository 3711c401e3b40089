"""What a training step is asked about: a model's shape, a parallel layout, a machine, and measured efficiencies."""

from __future__ import annotations

from functools import cache
from typing import Any

from attrs import Factory, field, frozen

from gpt4lab import catalog
from gpt4lab.quantities import memory, pipeline
from gpt4lab.quantities.arith import Num

NAN = float("nan")


class LayoutError(ValueError):
    """A layout that no cluster can run, or an input that is not a positive number."""


def positive(record: Any, attribute: Any, value: Any) -> None:
    """Refuse a number that is not positive; arrays pass."""
    if isinstance(value, (int, float)) and not value > 0:
        raise LayoutError(f"{type(record).__name__}.{attribute.name} = {value!r} is not a positive number.")


def _code(names: tuple[str, ...], value: Any) -> Any:
    """The code of a name; codes and arrays of codes pass."""
    if not isinstance(value, str):
        return value
    if value not in names:
        raise LayoutError(f"{value!r} is not one of: {', '.join(names)}.")
    return names.index(value)


@frozen
class Shape:
    """Geometry of a model whose layers are all alike. A dense model has one expert, which every token uses."""

    layers: Num = field(validator=positive)
    d_model: Num = field(validator=positive)
    heads: Num = field(validator=positive)
    kv_heads: Num = field(default=Factory(lambda self: self.heads, takes_self=True), validator=positive)
    head_dim: Num = field(default=Factory(lambda self: self.d_model / self.heads, takes_self=True), validator=positive)
    d_ff: Num = field(default=Factory(lambda self: 4 * self.d_model, takes_self=True), validator=positive)
    gated: Num = 0
    experts: Num = field(default=1, validator=positive)
    top_k: Num = field(default=1, validator=positive)
    shared_experts: Num = 0
    vocab: Num = field(default=51200, validator=positive)
    tied_embeddings: Num = 1
    sequence: Num = field(default=2048, validator=positive)


@frozen
class Layout:
    """How a batch is spread over a cluster.

    `batch` counts sequences. `overlap` is the share of the data-parallel traffic that may hide behind backward.
    `gradient_bytes` is 2, or 4 where gradients are summed in fp32. `fused_attention` is FlashAttention's kind.
    """

    tensor: Num = field(default=1, validator=positive)
    pipeline: Num = field(default=1, validator=positive)
    data: Num = field(default=1, validator=positive)
    expert: Num = field(default=1, validator=positive)
    batch: Num = field(default=1, validator=positive)
    micro_batch: Num = field(default=1, validator=positive)
    interleave: Num = field(default=1, validator=positive)
    schedule: Any = field(default="1f1b", converter=lambda value: _code(pipeline.SCHEDULES, value))
    zero: Num = 0
    recompute: Any = field(default="none", converter=lambda value: _code(memory.RECOMPUTE, value))
    sequence_parallel: Any = False
    fused_attention: Any = False
    overlap: Num = 0.0
    gradient_bytes: Num = field(default=2, validator=positive)


@frozen
class Hardware:
    """One accelerator in its node. Rates are one-way and per accelerator; an unknown price is NaN, never zero."""

    peak_flop_per_s: Num = field(validator=positive)
    memory_bytes_per_s: Num = field(validator=positive)
    memory_bytes: Num = field(validator=positive)
    link_bytes_per_s: Num = field(validator=positive)
    network_bytes_per_s: Num = field(validator=positive)
    gpus_per_node: Num = field(default=8, validator=positive)
    usd_per_hour: Num = NAN


@frozen
class Efficiency:
    """Share of each peak that is really reached: the same for every model, layout and run."""

    matmul: Num = field(validator=positive)
    memory: Num = field(validator=positive)
    link: Num = field(validator=positive)
    network: Num = field(validator=positive)


@cache
def measured_efficiency() -> Efficiency:
    """Return what micro-benchmarks of an A100 and of NCCL reach; nothing is fitted to a training run."""
    found, chip = catalog.constants["micro-benchmarks"], catalog.accelerators["a100-sxm-80gb"]
    return Efficiency(
        matmul=found.matmul / chip.need("peak_bf16_flop_per_s"),
        memory=found.stream / chip.need("bandwidth_bytes_per_s"),
        link=found.link,
        network=found.network,
    )


def machine(accelerator: str, usd_per_hour: Num = NAN) -> Hardware:
    """Return an accelerator of the catalog as the model sees it: links one-way, network in bytes.

    Raises
    ------
    catalog.UnknownName, catalog.MissingFact : where the name or one of its rates is not known.
    """
    entry = catalog.accelerators[accelerator]
    return Hardware(
        peak_flop_per_s=entry.need("peak_bf16_flop_per_s"),
        memory_bytes_per_s=entry.need("bandwidth_bytes_per_s"),
        memory_bytes=entry.need("memory_bytes"),
        link_bytes_per_s=entry.need("link_bytes_per_s") / 2,
        network_bytes_per_s=entry.need("network_bits_per_s") / 8,
        gpus_per_node=entry.need("link_domain"),
        usd_per_hour=usd_per_hour,
    )


def shape_of(model: str, sequence: Num = 2048) -> Shape:
    """Return a model of the catalog as the model sees it: all layers alike.

    Raises
    ------
    LayoutError : for a model whose layers differ; catalog.MissingFact where its shape is not known.
    """
    entry = catalog.models[model]
    if entry.n_experts and entry.n_moe_layers != entry.n_layers:
        raise LayoutError(f"{entry.name}: only {entry.n_moe_layers} of {entry.n_layers} layers have experts.")
    return Shape(
        layers=entry.need("n_layers"), d_model=entry.need("d_model"), heads=entry.need("n_heads"),
        kv_heads=entry.need("n_kv_heads"), head_dim=entry.need("head_dim"),
        d_ff=entry.need("expert_d_ff" if entry.n_experts else "d_ff"), gated=float(entry.need("gated_mlp")),
        experts=entry.n_experts or 1, top_k=entry.top_k or 1, shared_experts=entry.n_shared_experts or 0,
        vocab=entry.need("vocab_size"), tied_embeddings=float(bool(entry.tied_embeddings)), sequence=sequence,
    )  # fmt: skip


def possible(shape: Shape, layout: Layout) -> Any:
    """Tell whether a layout can exist; array fields give an array.

    Raises
    ------
    LayoutError : where no entry can, with the first reason.
    """
    ok: Any = True
    for holds, message in _rules(shape, layout):
        if getattr(holds, "ndim", 0) == 0 and not holds:
            raise LayoutError(message.format(s=shape, w=layout))
        ok = ok & holds
    return ok


def _rules(s: Shape, w: Layout) -> tuple[tuple[Any, str], ...]:
    layers = s.layers % (w.pipeline * w.interleave) == 0
    batch = w.batch % (w.data * w.micro_batch) == 0
    chunks = (w.interleave == 1) | (w.schedule == pipeline.INTERLEAVED)
    return (
        (layers, "{s.layers} layers do not divide into {w.pipeline} stages of {w.interleave} chunks."),
        (s.heads % w.tensor == 0, "{s.heads} heads do not divide over {w.tensor} tensor-parallel ranks."),
        (batch, "{w.batch} sequences do not divide into {w.data} replicas and micro-batches of {w.micro_batch}."),
        (s.experts % w.expert == 0, "{s.experts} experts do not divide over {w.expert} ranks."),
        (w.data % w.expert == 0, "{w.data} replicas do not divide into groups of {w.expert} that share experts."),
        (s.top_k <= s.experts, "{s.top_k} experts per token are more than the {s.experts} that there are."),
        (chunks, "{w.interleave} chunks a stage need the schedule 'interleaved'."),
    )
