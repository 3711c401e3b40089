"""What one GPU has of a model under a layout: weights, arithmetic, and the memory that training fills."""

from __future__ import annotations

from attrs import astuple, frozen

from gpt4lab.formulas import layer, memory, pipeline
from gpt4lab.formulas.answering_layer import latent_weights
from gpt4lab.formulas.arith import Num, ceil, maximum, minimum, where
from gpt4lab.models.inputs import Network
from gpt4lab.models.step.layout import Layout


@frozen
class StepMemory:
    """Bytes on a GPU of the fullest stage."""

    weights: Num
    gradients: Num
    optimiser: Num
    activations: Num
    reserved: Num

    @property
    def total(self) -> Num:
        """Bytes altogether."""
        return self.weights + self.gradients + self.optimiser + self.activations + self.reserved

    def words(self) -> str:
        """The largest part, in words."""
        names = ("weights", "gradients", "optimiser states", "activations", "gaps between them")
        most, name = max(zip(astuple(self), names, strict=True), key=lambda part: part[0])
        return f"{name} take {most / 1e9:,.1f} GB"


class StepPart:
    """The papers' symbols for a network and a layout, and what one GPU has of the model.

    Layers of several kinds (with experts and without, with a window and without) are summed: a GPU's layer is the mean
    one. Where a pipeline cuts the model, layers are dealt out whole so that the slowest stage is as fast as it can be,
    the logits counted as so many layers as they have FLOP; a head smaller than a layer moves none.
    """

    def __init__(self, network: Network, layout: Layout) -> None:
        self.network = network
        self.L, self.h, self.V = network.layers, network.d_model, network.vocab
        self.a = ceil(network.heads / layout.tensor) * layout.tensor  # filled up
        self.t, self.p, self.d, self.e = layout.tensor, layout.pipeline, layout.data, layout.expert
        self.C = layout.context
        self.b, self.v, self.zero, self.g = layout.micro_batch, layout.interleave, layout.zero, layout.gradient_bytes
        self.schedule, self.overlap = layout.schedule, layout.overlap
        self.m = layout.micro_batches
        self.own = ceil(network.sequence / layout.context)  # tokens of a sequence on this GPU
        self.tokens, self.copies = layout.micro_batch * self.own, layout.data * layout.context
        self._set_switches(layout)
        self._set_widths(network)
        self._set_weights(network)
        self.whole, self.core = self._whole(), self._core()
        self._deal_layers()

    def _set_switches(self, layout: Layout) -> None:
        """Choices as the 0 and 1 that formulas take."""
        self.x = layout.fused_attention * 1.0
        self.r = (layout.recompute == memory.FULL) * 1.0
        self.r_core = where(layout.fused_attention == 1, self.r, (layout.recompute != memory.NONE) * 1.0)
        self.c = where(layout.sequence_parallel == 1, layout.tensor, 1)
        self.lean, summed = layout.lean * 1.0, (layout.gradient_bytes > 2) * 1.0
        self.summed_inside, self.copied = summed * self.lean, summed * (1 - self.lean)
        whole = layout.sequence_parallel * (1 - self.lean) * (layout.pipeline == 1)  # pipelines gather again
        self.gathers = whole * (1 - 1 / layout.tensor)

    def _set_widths(self, n: Network) -> None:
        """Widths of the mean layer: of queries and context, of keys, of feed-forwards; and the tokens that are seen."""
        self.latent = n.kv_rank > 0
        self.sparse = (n.layers - n.dense_layers) / n.layers
        self.routed = self.sparse * (n.experts > 1)
        self.k = n.top_k + n.shared_experts
        f, dense = self.sparse * self.k * n.d_ff, (1 - self.sparse) * n.dense_d_ff
        self.f = f + dense
        self.gated = (f * n.gated + dense * n.dense_gated) / self.f
        self.q = self.a * n.head_dim
        heads = ceil(n.kv_heads / self.t) * self.t  # a key-value head cannot be cut, so some are copied
        self.n = where(self.latent, self.a * (n.nope_dim + n.rope_dim), heads * n.head_dim)
        self.ranks = n.query_rank + n.kv_rank + n.rope_dim
        self.sent = where(self.latent, (n.kv_rank + n.rope_dim) / 2, heads * n.head_dim)
        self.seen = layer.seen(n.sequence, n.layers, n.window_layers, n.window)

    def _set_weights(self, n: Network) -> None:
        """Weights on this GPU of the mean layer: what a token uses, and what is there."""
        self.local = ceil(n.experts / self.e)
        self.shared, expert = self.weights(self.sparse, self.a, self.t)
        self.expert = expert / self.local
        self.used = self.shared + n.top_k * self.local * self.e / n.experts * self.expert
        self.W = self.shared + expert
        self.products = layer.PRODUCTS + 2 * self.sparse * (self.local - 1)
        self.table = self.V * self.h / self.t

    def weights(self, sparse: Num, a: Num, t: Num) -> tuple[Num, Num]:
        """Weights on one of t ranks, of a layer that is `sparse` to this share: for every token, and in its experts."""
        n = self.network
        ranks = (n.query_rank, n.kv_rank, n.nope_dim, n.rope_dim, n.head_dim)
        plain = layer.attention_weights(self.h, a, n.kv_heads, n.head_dim, t)
        attention = where(self.latent, latent_weights(self.h, a, *ranks, t), plain) + n.rest / t
        dense = layer.feed_forward_weights(self.h, n.dense_d_ff, n.dense_gated) / t
        expert = layer.feed_forward_weights(self.h, n.d_ff, n.gated) / t
        router = n.d_model * n.experts * (n.experts > 1)
        always = attention + (1 - sparse) * dense + sparse * (n.shared_experts * expert + router)
        return always, sparse * self.local * expert

    def _deal_layers(self) -> None:
        """Layers of a stage, and of the last one, which has the logits besides."""
        head = layer.head_flop(self.h, self.V) / layer.model_flop(self.whole, self.core)
        head = where(self.v > 1, 0, head)  # chunks are all alike
        more = ceil((self.L + head) / self.p)
        less = maximum(more - 1, 1)
        slower = pipeline.slowest_stage(self.L, self.p, head, more) >= pipeline.slowest_stage(
            self.L, self.p, head, less
        )
        self.stage = where(self.p == 1, self.L, where(slower, less, more))
        self.last = where(self.p == 1, self.L, maximum(self.L - (self.p - 1) * self.stage, 0))

    def model_flop(self) -> Num:
        """FLOP per token that training needs, by the convention of PaLM: nothing recomputed, no causal mask.

        Heads that only fill up the ranks count for nothing; pairs beyond a window are not counted.
        """
        return self.L * layer.model_flop(self.whole, self.core) + layer.head_flop(self.h, self.V)

    def hardware_flop(self) -> Num:
        """FLOP per token by the same convention, what is computed again counted again: never less than `model_flop`.

        A fused kernel skips what the mask hides and computes scores twice; by the convention it does neither.
        """
        return self.model_flop() + self.L * (self.r * 2 * self.whole + self.r_core * self.core)

    def _whole(self) -> Num:
        """Weights of the mean layer that a token uses, on all ranks together."""
        return self.weights(self.sparse, self.network.heads, 1)[0] + self.network.top_k * self.expert * self.t

    def _core(self) -> Num:
        """Attention of a token, over all heads: as wide as its queries and its values."""
        n = self.network
        width = where(self.latent, (n.nope_dim + n.rope_dim + n.head_dim) / 2, n.head_dim)
        return layer.core_flop(self.seen, n.heads, width)


def held(gpu: StepPart) -> StepMemory:
    """What a GPU of the fullest stage holds.

    It is the first, with the embedding and the most micro-batches, or the last, with the logits; or, where the first
    layers have no experts, the second. Where half of the layers and more have none, kinds are taken to alternate.
    """
    n, one = gpu.network, where(gpu.p == 1, 1, 0)
    bytes_, tables = _layer_bytes(gpu), where(gpu.p == 1, 2 - n.tied_embeddings, 1)
    mean = gpu.shared, gpu.local * gpu.expert
    if getattr(n.dense_layers, "ndim", 0) == 0 and not n.dense_layers:
        first = _held(gpu, bytes_, gpu.stage, mean, tables, one, gpu.p)
        return _fuller(first, _held(gpu, bytes_, gpu.last, mean, 1, 1, 1))
    mixed = (gpu.p == 1) | (2 * n.dense_layers >= n.layers)
    share = where(mixed, gpu.sparse, maximum(gpu.stage - n.dense_layers, 0) / gpu.stage)
    later = gpu.weights(where(mixed, gpu.sparse, 1), gpu.a, gpu.t)
    first = _held(gpu, bytes_, gpu.stage, gpu.weights(share, gpu.a, gpu.t), tables, one, gpu.p)
    second = _held(gpu, bytes_, gpu.stage, later, where(gpu.p == 1, tables, 0), one, gpu.p - 1 + one)
    return _fuller(_fuller(first, _held(gpu, bytes_, gpu.last, later, 1, 1, 1)), second)


def _fuller(a: StepMemory, b: StepMemory) -> StepMemory:
    """The one of two that is more altogether."""
    more = a.total >= b.total
    return StepMemory(
        weights=where(more, a.weights, b.weights),
        gradients=where(more, a.gradients, b.gradients),
        optimiser=where(more, a.optimiser, b.optimiser),
        activations=where(more, a.activations, b.activations),
        reserved=where(more, a.reserved, b.reserved),
    )


def _held(
    gpu: StepPart,
    layer_bytes: tuple[Num, Num],
    layers: Num,
    weights: tuple[Num, Num],
    tables: Num,
    logits: Num,
    ahead: Num,
) -> StepMemory:
    """What a stage holds that so many follow, itself counted. Experts have fewer copies to be shared over."""
    dense, expert = layers * weights[0] + tables * gpu.table, layers * weights[1]
    zero, all_, few, g = gpu.zero, gpu.copies, gpu.copies / gpu.e, gpu.g + 2 * gpu.copied
    kept, worked_on = layer_bytes
    stored = layers * pipeline.in_flight(ahead, gpu.m, gpu.v, gpu.schedule) * kept + worked_on
    activations = gpu.tokens * (stored + logits * memory.logit_bytes(gpu.h, gpu.V, gpu.t))
    own = memory.weight_bytes(dense, all_, zero) + memory.weight_bytes(expert, few, zero)
    gathered = where(zero >= 3, memory.gathered_weight_bytes(gpu.W), 0)
    return StepMemory(
        weights=minimum(own + gathered, memory.weight_bytes(dense + expert, 1, 0)),
        gradients=memory.gradient_bytes(dense, all_, zero, g) + memory.gradient_bytes(expert, few, zero, g),
        optimiser=memory.optimiser_bytes(dense, all_, zero) + memory.optimiser_bytes(expert, few, zero),
        activations=activations,
        reserved=memory.reserved_bytes(activations),
    )


def _layer_bytes(gpu: StepPart) -> tuple[Num, Num]:
    """Activations of a token that a layer keeps, and those that it has besides while it is computed again."""
    kept = memory.kept_bytes(gpu.h, gpu.q, gpu.n, gpu.f, gpu.gated, gpu.t, gpu.c)
    kept = kept + memory.gathered_bytes(gpu.h) * gpu.gathers + memory.latent_bytes(gpu.ranks, gpu.c) * gpu.latent
    kept = kept + gpu.routed * memory.routed_bytes(gpu.h, gpu.network.top_k, gpu.c)
    whole = kept + memory.score_bytes(gpu.a, gpu.seen, gpu.t) * (1 - maximum(gpu.r_core, gpu.x))
    return where(gpu.r == 1, memory.checkpoint_bytes(gpu.h, gpu.c), whole), gpu.r * whole
