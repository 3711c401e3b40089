"""What a decode step is asked about: a model as it is served, how machines share it, and what they really reach."""

from __future__ import annotations

from functools import cache
from math import inf
from typing import Any

from attrs import Factory, field, frozen

from gpt4lab import catalog
from gpt4lab.catalog import Model
from gpt4lab.formulas import layer
from gpt4lab.formulas.arith import Num
from gpt4lab.models.step.inputs import (
    NAN,
    Efficiency,
    Hardware,
    LayoutError,
    Shape,
    count,
    finite,
    fraction,
    measured_efficiency,
    not_negative,
    positive,
    rate,
    rate_or_unknown,
)
from gpt4lab.scenario import FIELDS, Scenario

#: Catalog models that are no decoder, or not only one: this model of decoding does not describe them.
NOT_DECODERS = ("switch-c", "gshard-600b")


@frozen
class Network(Shape):
    """A model as it is served: a shape, and what only serving asks of it.

    With experts, `d_ff` is an expert's width, and `dense_layers` of all layers have one feed-forward of width
    `dense_d_ff` instead. `kv_rank` > 0 means multi-head latent attention. `rest` is weights of a layer that every
    token uses and that the shape does not tell. `context` is infinite where nobody has published it.
    """

    dense_layers: Num = field(default=0, validator=not_negative)
    dense_d_ff: Num = field(default=0, validator=not_negative)
    dense_gated: Num = field(default=0, validator=fraction)
    parallel_block: Num = field(default=0, validator=fraction)
    query_rank: Num = field(default=0, validator=not_negative)
    kv_rank: Num = field(default=0, validator=not_negative)
    rope_dim: Num = field(default=0, validator=not_negative)
    nope_dim: Num = field(default=0, validator=not_negative)
    window: Num = field(default=inf, validator=rate)
    window_layers: Num = field(default=0, validator=not_negative)
    rest: Num = field(default=0, validator=finite)
    context: Num = field(default=inf, validator=rate)


@frozen
class Serving:
    """How a batch is served.

    `batch` counts the sequences in flight on `tensor` × `pipeline` GPUs; `expert` such groups share the experts.
    Heads that do not divide over `tensor` ranks are padded, as PaLM's were on TPU (Pope 2022).
    `context` is the mean number of tokens cached per sequence; in a prefill, the length of the prompts.
    `eight_bit` products run at the 8-bit peak; else weights of fewer bits are unpacked first. `sequence_parallel` ranks
    share the work between the matmuls too. `cache_by_batch` deals whole sequences to the ranks, which few key-value
    heads ask for. `grouped_attention` reads the cache once for all query heads that share it; kernels of 2023 often
    read it once for each. `gather_weights` moves the weights to the tokens instead of sums of activations, which pays
    for many tokens. `once_per_node` sends a token to a node once, however many experts it has there. `overlap` is the
    share of a layer's work behind which traffic may hide.
    """

    tensor: Num = field(default=1, validator=count)
    pipeline: Num = field(default=1, validator=count)
    expert: Num = field(default=1, validator=count)
    batch: Num = field(default=1, validator=positive)
    context: Num = field(default=1024, validator=positive)
    weight_bytes: Num = field(default=2, validator=positive)
    kv_bytes: Num = field(default=2, validator=positive)
    eight_bit: Any = field(default=False, validator=fraction)
    sequence_parallel: Any = field(default=False, validator=fraction)
    cache_by_batch: Any = field(default=False, validator=fraction)
    grouped_attention: Any = field(default=True, validator=fraction)
    gather_weights: Any = field(default=False, validator=fraction)
    once_per_node: Any = field(default=False, validator=fraction)
    overlap: Num = field(default=0, validator=fraction)
    overhead_bytes: Num = field(
        default=Factory(lambda: FIELDS["serving.overhead_bytes"].default), validator=not_negative
    )


@frozen
class Chip(Hardware):
    """An accelerator with its 8-bit peak; NaN where it has none."""

    peak_8bit_flop_per_s: Num = field(default=NAN, validator=rate_or_unknown)


@frozen
class ServingEfficiency(Efficiency):
    """What is really reached when serving: shares of peaks, and the time of things that move no data."""

    matmul_8bit: Num = field(validator=positive)
    kernel_s: Num = field(validator=not_negative)
    message_s: Num = field(validator=not_negative)
    hop_s: Num = field(validator=not_negative)


@cache
def serving_efficiency() -> ServingEfficiency:
    """Return what micro-benchmarks reach, the same for every model, accelerator and run."""
    known, found = measured_efficiency(), catalog.constants["inference-micro-benchmarks"]
    peak = catalog.accelerators["h100-sxm-80gb"].need("peak_fp8_flop_per_s")
    return ServingEfficiency(
        matmul=known.matmul,
        memory=known.memory,
        link=known.link,
        network=known.network,
        matmul_8bit=found.matmul_fp8 / peak,
        kernel_s=found.kernel,
        message_s=found.message,
        hop_s=found.hop,
    )


def chip(accelerator: str, usd_per_hour: Num = NAN) -> Chip:
    """Return an accelerator of the catalog. Where it has no network of its own (TPU), its link stands in for it.

    Raises
    ------
    catalog.UnknownName, catalog.MissingFact : where the name or one of its rates is not known.
    """
    entry = catalog.accelerators[accelerator]
    link, network = entry.need("link_bytes_per_s") / 2, entry.network_bits_per_s
    return Chip(
        peak_flop_per_s=entry.need("peak_bf16_flop_per_s"),
        memory_bytes_per_s=entry.need("bandwidth_bytes_per_s"),
        memory_bytes=entry.need("memory_bytes"),
        link_bytes_per_s=link,
        network_bytes_per_s=network / 8 if network else link,
        gpus_per_node=entry.need("link_domain"),
        usd_per_hour=usd_per_hour,
        peak_8bit_flop_per_s=entry.peak_fp8_flop_per_s or entry.peak_int8_op_per_s or NAN,
    )


def network_of(model: str) -> Network:
    """Return a model of the catalog as it is served.

    Raises
    ------
    LayoutError : for a model that is not a decoder.
    catalog.UnknownName, catalog.MissingFact : where the name, or its shape, is not known.
    """
    entry = catalog.models[model]
    if entry.slug in NOT_DECODERS:
        raise LayoutError(f"{entry.name} has an encoder, which a decode step does not describe.")
    return described(entry)


def described(entry: Model) -> Network:
    """Return the shape of a catalog entry, of a decoder or not.

    Raises
    ------
    catalog.MissingFact : where its shape is not known.
    """
    latent = entry.attention == "MLA"
    return Network(
        layers=entry.need("n_layers"),
        d_model=entry.need("d_model"),
        heads=entry.need("n_heads"),
        kv_heads=1 if latent else entry.need("n_kv_heads"),
        head_dim=entry.need("v_head_dim" if latent else "head_dim"),
        vocab=entry.need("vocab_size"),
        tied_embeddings=float(bool(entry.tied_embeddings)),
        parallel_block=float(bool(entry.parallel_block)),
        context=entry.context or inf,
        window=entry.window or inf,
        window_layers=entry.n_window_layers or 0,
        query_rank=entry.q_lora_rank or 0,
        kv_rank=entry.kv_lora_rank or 0,
        rope_dim=entry.rope_head_dim or 0,
        nope_dim=entry.nope_head_dim or 0,
        **_feed_forward(entry),
    )


def _feed_forward(entry: Model) -> dict[str, Num]:
    """Widths and gates, with or without experts."""
    gated = float(entry.need("gated_mlp"))
    gated_experts = gated if entry.gated_experts is None else float(entry.gated_experts)
    if not entry.n_experts:
        return {"d_ff": entry.need("d_ff"), "gated": gated}
    dense = entry.need("n_layers") - entry.need("n_moe_layers")
    return {
        "d_ff": entry.need("expert_d_ff"),
        "gated": gated_experts,
        "experts": entry.n_experts,
        "top_k": entry.need("top_k"),
        "shared_experts": entry.n_shared_experts or 0,
        "dense_layers": dense,
        "dense_d_ff": entry.need("d_ff") if dense else 0,
        "dense_gated": gated,
    }


def network_in(scenario: Scenario) -> Network:
    """Return the model of a scenario: its stated parameters, whatever its shape would have, and its long context."""
    m = scenario.model
    attention = layer.attention_weights(m.d_model, m.heads, m.kv_heads, m.head_dim, 1)
    return Network(
        layers=m.layers,
        d_model=m.d_model,
        heads=m.heads,
        kv_heads=m.kv_heads,
        head_dim=m.head_dim,
        d_ff=m.expert_params / (2 * m.layers * m.d_model),
        experts=m.experts,
        top_k=m.top_k,
        vocab=m.vocab,
        rest=m.shared_params / m.layers - attention,
        context=max(m.context, m.long_context),
    )


def serving_in(scenario: Scenario) -> Serving:
    """Return how a scenario serves its model."""
    s = scenario.serving
    return Serving(
        tensor=s.tensor,
        pipeline=s.pipeline,
        batch=s.tokens_in_flight,
        context=s.mean_context,
        weight_bytes=s.bytes_per_weight,
        kv_bytes=s.bytes_per_kv,
        overhead_bytes=s.overhead_bytes,
    )


def chip_in(scenario: Scenario) -> Chip:
    """Return the accelerator that a scenario serves with, at its price."""
    return chip(scenario.serving.accelerator, scenario.serving.usd_per_gpu_hour)


def possible(network: Network, serving: Serving, chip: Chip) -> Any:
    """Tell whether a way to serve can exist; array fields give an array.

    Raises
    ------
    LayoutError : where no entry can, with the first reason.
    """
    ok: Any = True
    for holds, message in _rules(network, serving, chip):
        if getattr(holds, "ndim", 0) == 0 and not holds:
            raise LayoutError(message.format(s=network, w=serving))
        ok = ok & holds
    return ok


def _rules(s: Network, w: Serving, chip: Chip) -> tuple[tuple[Any, str], ...]:
    able = (w.eight_bit != 1) | (chip.peak_8bit_flop_per_s > 0)
    return (
        (w.batch >= 1, "A batch of {w.batch} sequences is less than one."),
        (w.context <= s.context, "{w.context:,} tokens are more than the model's context of {s.context:,}."),
        (w.context >= 1, "A context of {w.context} tokens is less than one."),
        (w.pipeline <= s.layers, "{s.layers} layers are fewer than {w.pipeline} stages."),
        (s.experts % w.expert == 0, "{s.experts} experts do not divide over {w.expert} groups."),
        (s.top_k <= s.experts, "{s.top_k} experts per token are more than the {s.experts} that there are."),
        (able, "This accelerator has no 8-bit products."),
    )
