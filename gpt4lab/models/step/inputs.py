"""What a training step is asked about: a model's shape, a parallel layout, a machine, and measured efficiencies."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import inf, isnan
from typing import Any

from attrs import Factory, field, frozen

from gpt4lab import catalog
from gpt4lab.formulas.arith import Num
from gpt4lab.formulas.memory import RECOMPUTE
from gpt4lab.formulas.pipeline import INTERLEAVED, SCHEDULES

NAN = float("nan")


class LayoutError(ValueError):
    """A layout that no cluster can run, or an input that is not a positive number."""


def _demand(words: str, holds: Callable[[float], bool]) -> Any:
    """A validator that refuses a number for which `holds` is not true, and anything that is none; arrays pass."""

    def check(record: Any, attribute: Any, value: Any) -> None:
        number = isinstance(value, (int, float))
        if (number and not holds(value)) or value is None or isinstance(value, str):
            raise LayoutError(f"{type(record).__name__}.{attribute.name} = {value!r} is not {words}.")

    return check


positive = _demand("a positive, finite number", lambda value: 0 < value < inf)
rate = _demand("a positive number", lambda value: value > 0)
rate_or_unknown = _demand("a positive number, or NaN where there is none", lambda value: isnan(value) or value > 0)
finite = _demand("a finite number", lambda value: -inf < value < inf)
not_negative = _demand("a finite number from 0 up", lambda value: 0 <= value < inf)
fraction = _demand("a number from 0 to 1", lambda value: 0 <= value <= 1)
count = _demand("a whole number from 1 up", lambda value: 1 <= value < inf and value % 1 == 0)
price = _demand("a price from 0 up; NaN where nobody gave one", lambda value: isnan(value) or 0 <= value < inf)
zero_stage = _demand("a stage of ZeRO: 0, 1, 2 or 3", lambda value: value in (0, 1, 2, 3))


def _coded(names: tuple[str, ...]) -> dict[str, Any]:
    """Converter and validator of a field that holds a name, its code, or an array of codes."""

    def code(value: Any) -> Any:
        return names.index(value) if isinstance(value, str) and value in names else value

    return {"converter": code, "validator": _demand(f"one of: {', '.join(names)}", lambda n: n in range(len(names)))}


def _per_head(shape: Any) -> Num:
    """Width over heads; where that is nonsense, the validator of the heads says so."""
    try:
        return shape.d_model / shape.heads
    except (ZeroDivisionError, TypeError):
        return NAN


@frozen
class Shape:
    """Geometry of a model whose layers are all alike. A dense model has one expert, which every token uses."""

    layers: Num = field(validator=positive)
    d_model: Num = field(validator=positive)
    heads: Num = field(validator=positive)
    kv_heads: Num = field(default=Factory(lambda self: self.heads, takes_self=True), validator=positive)
    head_dim: Num = field(default=Factory(_per_head, takes_self=True), validator=positive)
    d_ff: Num = field(default=Factory(lambda self: 4 * self.d_model, takes_self=True), validator=positive)
    gated: Num = field(default=0, validator=fraction)
    experts: Num = field(default=1, validator=positive)
    top_k: Num = field(default=1, validator=positive)
    shared_experts: Num = field(default=0, validator=not_negative)
    vocab: Num = field(default=51200, validator=positive)
    tied_embeddings: Num = field(default=1, validator=fraction)
    sequence: Num = field(default=2048, validator=positive)


@frozen
class Layout:
    """How a batch is spread over a cluster.

    `batch` counts sequences. `context` ranks share the tokens of each sequence, and gather all its keys and values.
    `zero` is the stage of ZeRO; PyTorch calls 3 FSDP, and 2 its SHARD_GRAD_OP. `overlap` is the share of the
    data-parallel traffic that may hide behind backward. `gradient_bytes` is 2, or 4 where gradients are summed in fp32.
    `fused_attention` is FlashAttention's kind.
    """

    tensor: Num = field(default=1, validator=count)
    pipeline: Num = field(default=1, validator=count)
    data: Num = field(default=1, validator=count)
    expert: Num = field(default=1, validator=count)
    context: Num = field(default=1, validator=count)
    batch: Num = field(default=1, validator=count)
    micro_batch: Num = field(default=1, validator=count)
    interleave: Num = field(default=1, validator=count)
    schedule: Any = field(default="1f1b", **_coded(SCHEDULES))
    zero: Num = field(default=0, validator=zero_stage)
    recompute: Any = field(default="none", **_coded(RECOMPUTE))
    sequence_parallel: Any = field(default=False, validator=fraction)
    fused_attention: Any = field(default=False, validator=fraction)
    overlap: Num = field(default=0.0, validator=fraction)
    gradient_bytes: Num = field(default=2, validator=positive)


@frozen
class Hardware:
    """One accelerator in its node. Rates are one-way and per accelerator, an infinite one takes no time.

    An unknown price is NaN, never zero.
    """

    peak_flop_per_s: Num = field(validator=rate)
    memory_bytes_per_s: Num = field(validator=rate)
    memory_bytes: Num = field(validator=rate)
    link_bytes_per_s: Num = field(validator=rate)
    network_bytes_per_s: Num = field(validator=rate)
    gpus_per_node: Num = field(default=8, validator=positive)
    usd_per_hour: Num = field(default=NAN, validator=price)


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
    LayoutError : for a model whose layers differ, or a sequence beyond its context.
    catalog.MissingFact where its shape is not known.
    """
    entry = catalog.models[model]
    if entry.n_experts and entry.n_moe_layers != entry.n_layers:
        raise LayoutError(f"{entry.name}: only {entry.n_moe_layers} of {entry.n_layers} layers have experts.")
    shape = Shape(
        layers=entry.need("n_layers"),
        d_model=entry.need("d_model"),
        heads=entry.need("n_heads"),
        kv_heads=entry.need("n_kv_heads"),
        head_dim=entry.need("head_dim"),
        d_ff=entry.need("expert_d_ff" if entry.n_experts else "d_ff"),
        gated=float(entry.need("gated_mlp")),
        experts=entry.n_experts or 1,
        top_k=entry.top_k or 1,
        shared_experts=entry.n_shared_experts or 0,
        vocab=entry.need("vocab_size"),
        tied_embeddings=float(bool(entry.tied_embeddings)),
        sequence=sequence,
    )
    if entry.context and not getattr(sequence, "ndim", 0) and sequence > entry.context:
        raise LayoutError(f"sequence = {sequence:,} tokens is more than the {entry.context:,} of {entry.name}.")
    return shape


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
    counts = (w.tensor, w.pipeline, w.data, w.expert, w.context, w.batch, w.micro_batch, w.interleave)
    layers = s.layers % (w.pipeline * w.interleave) == 0
    batch = w.batch % (w.data * w.micro_batch) == 0
    chunks = (w.interleave == 1) | (w.schedule == INTERLEAVED)
    return (
        *((n >= 1, "{w}: a count is less than one.") for n in counts if hasattr(n, "ndim")),
        (layers, "{s.layers} layers do not divide into {w.pipeline} stages of {w.interleave} chunks."),
        (s.heads % w.tensor == 0, "{s.heads} heads do not divide over {w.tensor} tensor-parallel ranks."),
        (batch, "{w.batch} sequences do not divide into {w.data} replicas and micro-batches of {w.micro_batch}."),
        (s.experts % w.expert == 0, "{s.experts} experts do not divide over {w.expert} ranks."),
        (w.data % w.expert == 0, "{w.data} replicas do not divide into groups of {w.expert} that share experts."),
        (s.top_k <= s.experts, "{s.top_k} experts per token are more than the {s.experts} that there are."),
        (s.sequence % w.context == 0, "{s.sequence} tokens do not divide over {w.context} context-parallel ranks."),
        (chunks, "{w.interleave} chunks a stage need the schedule 'interleaved'."),
    )
