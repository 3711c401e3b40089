"""What a training step and an answer are both asked about: a network, a chip, and what chips really reach."""

from __future__ import annotations

from functools import cache
from math import inf
from typing import Any

from attrs import Factory, field, frozen

from gpt4lab import catalog
from gpt4lab.catalog import Accelerator, PublishedModel
from gpt4lab.formulas import traffic
from gpt4lab.formulas.arith import Num, where
from gpt4lab.models.rules import LayoutError, finite, fraction, not_negative, positive, price, rate, rate_or_unknown
from gpt4lab.scenario.public import NOT_DECODERS, shape_of

NAN = float("nan")

#: Accelerators of the H100's kind, by the first letters of their slugs.
HOPPER = ("h100-", "h200-", "h800-", "h20-", "gh200-")


def _per_head(network: Any) -> Num:
    """Width over heads; where that is nonsense, the validator of the heads says so."""
    try:
        return network.d_model / network.heads
    except (ArithmeticError, TypeError):
        return NAN


def _four_widths(network: Any) -> Num:
    """Four times the width; where that is nonsense, the validator of the width says so."""
    try:
        return 4 * network.d_model
    except TypeError:
        return NAN


@frozen
class Network:
    """Geometry of a model. A dense model has one expert, which every token uses.

    With experts, `d_ff` is an expert's width, and `dense_layers` of all layers have one feed-forward of width
    `dense_d_ff` instead. `sequence` is the tokens of a training sequence, `max_context` the most that an answer may
    see, infinite where nobody has published it. `kv_rank` > 0 means multi-head latent attention. `rest` is weights of
    a layer that every token uses and that the shape does not tell.
    """

    layers: Num = field(validator=positive)
    d_model: Num = field(validator=positive)
    heads: Num = field(validator=positive)
    kv_heads: Num = field(default=Factory(lambda self: self.heads, takes_self=True), validator=positive)
    head_dim: Num = field(default=Factory(_per_head, takes_self=True), validator=positive)
    d_ff: Num = field(default=Factory(_four_widths, takes_self=True), validator=positive)
    gated: Num = field(default=0, validator=fraction)
    experts: Num = field(default=1, validator=positive)
    top_k: Num = field(default=1, validator=positive)
    shared_experts: Num = field(default=0, validator=not_negative)
    vocab: Num = field(default=51200, validator=positive)
    tied_embeddings: Num = field(default=1, validator=fraction)
    sequence: Num = field(default=2048, validator=positive)
    max_context: Num = field(default=inf, validator=rate)
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


@frozen
class Chip:
    """One accelerator in its node. Rates are one-way and per accelerator, an infinite one takes no time.

    An unknown price is NaN, never zero; so is the 8-bit peak of a chip that has none, and `sm_clocks_per_s`, the
    ticks of all its multiprocessors together, where nobody has published them. So is what large products and fused
    attention reach in training where nobody measured it on this kind of chip: then `Efficiency` says it.
    """

    peak_flop_per_s: Num = field(validator=rate)
    memory_bytes_per_s: Num = field(validator=rate)
    memory_bytes: Num = field(validator=rate)
    link_bytes_per_s: Num = field(validator=rate)
    network_bytes_per_s: Num = field(validator=rate)
    gpus_per_node: Num = field(default=8, validator=positive)
    usd_per_hour: Num = field(default=NAN, validator=price)
    peak_8bit_flop_per_s: Num = field(default=NAN, validator=rate_or_unknown)
    sm_clocks_per_s: Num = field(default=NAN, validator=rate_or_unknown)
    product_flop_per_s: Num = field(default=NAN, validator=rate_or_unknown)
    attention_flop_per_s: Num = field(default=NAN, validator=rate_or_unknown)
    network_hop_s: Num = field(default=0.0, validator=not_negative)


@frozen
class Efficiency:
    """What is really reached, the same for every run: shares of peaks, and the time of things that move no data.

    `intake` is the bytes that an attention kernel without groups takes into a multiprocessor per tick, wherever they
    come from; `launch_s` the time in which the host launches a kernel.
    `attention` is the share of fused kernels; a product of `half_flop` reaches half of its rate; `hidden` is what
    traffic behind other work still costs, as a share of its time; the host launches a layer forward in `host_s`.
    """

    matmul: Num = field(validator=positive)
    memory: Num = field(validator=positive)
    link: Num = field(validator=positive)
    network: Num = field(validator=positive)
    matmul_8bit: Num = field(validator=positive)
    intake: Num = field(validator=rate)
    launch_s: Num = field(validator=not_negative)
    kernel_s: Num = field(validator=not_negative)
    message_s: Num = field(validator=not_negative)
    hop_s: Num = field(validator=not_negative)
    attention: Num = field(default=1.0, validator=positive)
    half_flop: Num = field(default=0.0, validator=not_negative)
    hidden: Num = field(default=0.0, validator=not_negative)
    host_s: Num = field(default=0.0, validator=not_negative)


@cache
def measured_efficiency() -> Efficiency:
    """What micro-benchmarks of an A100, of an H100 for 8 bits, and of NCCL reach.

    Only `intake` and `launch_s`, for which nobody has published one, are read off stated rows of a benchmark; and
    `attention`, `hidden` and `host_s` off half of some training runs (`catalog.constants["read-off-runs"]`).
    """
    found, answering = catalog.constants["micro-benchmarks"], catalog.constants["inference-micro-benchmarks"]
    training, runs = catalog.constants["training-micro-benchmarks"], catalog.constants["read-off-runs"]
    a100, h100 = catalog.accelerators["a100-sxm-80gb"], catalog.accelerators["h100-sxm-80gb"]
    return Efficiency(
        matmul=found.matmul / a100.need("peak_bf16_flop_per_s"),
        memory=found.stream / a100.need("bandwidth_bytes_per_s"),
        link=found.link,
        network=found.network,
        matmul_8bit=answering.matmul_fp8 / h100.need("peak_fp8_flop_per_s"),
        intake=answering.intake,
        launch_s=answering.launch,
        kernel_s=answering.kernel,
        message_s=answering.message,
        hop_s=answering.hop,
        attention=runs.attention_a100 / a100.need("peak_bf16_flop_per_s"),
        half_flop=training.half,
        hidden=runs.hidden,
        host_s=runs.host,
    )


def _known(rate: Num, otherwise: Num) -> Num:
    """A rate, or another where it is NaN."""
    return where(rate > 0, rate, otherwise)


class Rates:
    """What a chip reaches, in FLOP/s and byte/s, and on which wire traffic runs."""

    def __init__(self, chip: Chip, reach: Efficiency, stages: Num) -> None:
        self.matmul = chip.peak_flop_per_s * reach.matmul
        self.memory = chip.memory_bytes_per_s * reach.memory
        self.link = chip.link_bytes_per_s * reach.link
        self.network = chip.network_bytes_per_s * reach.network
        self.node = chip.gpus_per_node
        self.stages = where(stages <= self.node, self.link, self.network)
        self.border_s = where(stages <= self.node, reach.message_s, chip.network_hop_s)
        self.product = _known(chip.product_flop_per_s, self.matmul)
        self.attention = _known(chip.attention_flop_per_s, chip.peak_flop_per_s * reach.attention)
        self.half_flop, self.hidden, self.host_s = reach.half_flop, reach.hidden, reach.host_s
        self.hop_s, self.network_hop_s = reach.hop_s, chip.network_hop_s

    def ring(self, stride: Num, n: Num) -> Num:
        """Rate around a ring of n ranks that are `stride` apart."""
        return traffic.ring_rate(self.link, self.network, n, traffic.members_inside(self.node, stride, n))

    def hops(self, stride: Num, n: Num) -> Num:
        """Time that a message of nothing takes around such a ring."""
        nodes = traffic.ring_nodes(n, traffic.members_inside(self.node, stride, n))
        return traffic.ring_hops(n, nodes, self.hop_s, self.network_hop_s)


def chip(accelerator: str, usd_per_hour: Num = NAN) -> Chip:
    """An accelerator of the catalog. Where it has no network of its own (TPU), its link stands in for it.

    Raises catalog.UnknownName, catalog.MissingFact where the name or one of its rates is not known.
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
        sm_clocks_per_s=entry.sm_clocks_per_s or NAN,
        network_hop_s=catalog.constants["training-micro-benchmarks"].network_hop,
        **_in_training(entry),
    )


def _in_training(entry: Accelerator) -> dict[str, float]:
    """What products and fused attention of the H100's kind reach; everybody else has the A100's shares."""
    if not entry.slug.startswith(HOPPER):
        return {}
    h100 = catalog.accelerators["h100-sxm-80gb"].need("peak_bf16_flop_per_s")
    rates = {
        "product_flop_per_s": catalog.constants["training-micro-benchmarks"].matmul_h100,
        "attention_flop_per_s": catalog.constants["read-off-runs"].attention_h100,
    }
    return {name: rate / h100 * entry.need("peak_bf16_flop_per_s") for name, rate in rates.items()}


def machine(accelerator: str, usd_per_hour: Num = NAN) -> Chip:
    """An accelerator of the catalog whose own network is known. Raises as `chip`."""
    found = chip(accelerator, usd_per_hour)
    catalog.accelerators[accelerator].need("network_bits_per_s")
    return found


def network_of(model: str, sequence: Num = 2048) -> Network:
    """A model of the catalog, trained on sequences of so many tokens.

    Raises LayoutError for a model that is not a decoder.
    catalog.UnknownName, catalog.MissingFact where the name, or its shape, is not known.
    """
    entry = catalog.models[model]
    if entry.slug in NOT_DECODERS:
        raise LayoutError(f"{entry.name} has an encoder, which the models of this book do not describe.")
    return described(entry, sequence)


def described(entry: PublishedModel, sequence: Num = 2048) -> Network:
    """The shape of a catalog entry, of a decoder or not. Raises catalog.MissingFact where it is not known."""
    shape = shape_of(entry, entry.need)
    shape["window"] = shape["window"] or inf
    return Network(**shape, sequence=sequence, max_context=entry.context or inf)
