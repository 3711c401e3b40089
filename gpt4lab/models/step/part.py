"""What one GPU has of a model under a layout: weights, arithmetic, and the memory that training fills."""

from __future__ import annotations

from attrs import astuple, frozen

from gpt4lab.formulas import layer, memory, pipeline
from gpt4lab.formulas.arith import Num, ceil, maximum, where
from gpt4lab.models.inputs import Network
from gpt4lab.models.step.layout import Layout


@frozen
class StepMemory:
    """Bytes on a GPU of the first stage, which holds the embedding and the most micro-batches."""

    weights: Num
    gradients: Num
    optimiser: Num
    activations: Num

    @property
    def total(self) -> Num:
        """Bytes altogether."""
        return self.weights + self.gradients + self.optimiser + self.activations

    def words(self) -> str:
        """The largest part, in words."""
        names = ("weights", "gradients", "optimiser states", "activations")
        most, name = max(zip(astuple(self), names, strict=True), key=lambda part: part[0])
        return f"{name} take {most / 1e9:,.1f} GB"


class StepPart:
    """The papers' symbols for a network and a layout, and what one GPU has of the model."""

    def __init__(self, network: Network, layout: Layout) -> None:
        self.network = network
        self.L, self.h, self.a, self.s, self.V = (
            network.layers,
            network.d_model,
            ceil(network.heads / layout.tensor) * layout.tensor,  # filled up
            network.sequence,
            network.vocab,
        )
        self.d_h, self.n_kv, self.gated = network.head_dim, network.kv_heads, network.gated
        self.q, self.n = self.a * network.head_dim, network.kv_heads * network.head_dim
        self.k = network.top_k + network.shared_experts
        self.f = self.k * network.d_ff
        self.t, self.p, self.d, self.e = layout.tensor, layout.pipeline, layout.data, layout.expert
        self.C = layout.context
        self.b, self.v, self.zero, self.g = layout.micro_batch, layout.interleave, layout.zero, layout.gradient_bytes
        self.schedule, self.overlap = layout.schedule, layout.overlap
        self.m = layout.micro_batches
        self.own = ceil(network.sequence / layout.context)  # tokens of a sequence on this GPU
        self.tokens, self.copies = layout.micro_batch * self.own, layout.data * layout.context
        self._set_switches(layout)
        self._set_weights(network)

    def _set_switches(self, layout: Layout) -> None:
        """Choices as the 0 and 1 that formulas take."""
        self.x = layout.fused_attention * 1.0
        self.r = (layout.recompute == memory.FULL) * 1.0
        self.r_core = where(layout.fused_attention == 1, self.r, (layout.recompute != memory.NONE) * 1.0)
        self.c = where(layout.sequence_parallel == 1, layout.tensor, 1)

    def _set_weights(self, network: Network) -> None:
        """Weights on this GPU: what a token uses of a layer, and what the first stage keeps."""
        attention = layer.attention_weights(self.h, self.a, self.n_kv, self.d_h, self.t)
        expert = layer.feed_forward_weights(self.h, network.d_ff, network.gated) / self.t
        self.layers, local = ceil(self.L / self.p), ceil(network.experts / self.e)
        self.used = attention + (network.shared_experts + network.top_k * local * self.e / network.experts) * expert
        self.W = attention + (network.shared_experts + local) * expert
        head = where(self.p == 1, 2 - network.tied_embeddings, 1) * self.V * self.h / self.t
        self.P_dense = self.layers * (attention + network.shared_experts * expert) + head
        self.P_expert = self.layers * local * expert

    def model_flop(self) -> Num:
        """FLOP per token that training needs, by the convention of PaLM: nothing recomputed, no causal mask.

        Heads that only fill up the ranks count for nothing.
        """
        return self.L * layer.model_flop(self._whole(), self._core()) + 6 * self.h * self.V

    def hardware_flop(self) -> Num:
        """FLOP per token by the same convention, what is computed again counted again: never less than `model_flop`.

        A fused kernel skips what the mask hides and computes scores twice; by the convention it does neither.
        """
        return self.model_flop() + self.L * (self.r * 2 * self._whole() + self.r_core * self._core())

    def _whole(self) -> Num:
        network = self.network
        return layer.attention_weights(self.h, network.heads, self.n_kv, self.d_h, 1) + self.k * (
            layer.feed_forward_weights(self.h, network.d_ff, network.gated)
        )

    def _core(self) -> Num:
        return layer.core_flop(self.s, self.network.heads, self.d_h)


def held(gpu: StepPart) -> StepMemory:
    """What a GPU of the first stage holds; experts have fewer copies to be shared over than the rest."""
    dense, expert, zero, all_, few = gpu.P_dense, gpu.P_expert, gpu.zero, gpu.copies, gpu.copies / gpu.e
    return StepMemory(
        weights=memory.weight_bytes(dense, all_, zero) + memory.weight_bytes(expert, few, zero),
        gradients=memory.gradient_bytes(dense, all_, zero, gpu.g) + memory.gradient_bytes(expert, few, zero, gpu.g),
        optimiser=memory.optimiser_bytes(dense, all_, zero) + memory.optimiser_bytes(expert, few, zero),
        activations=activation_bytes(gpu),
    )


def activation_bytes(gpu: StepPart) -> Num:
    """Activations of the micro-batches in flight; one layer whole while it is recomputed; logits if no pipeline."""
    kept = memory.kept_bytes(gpu.h, gpu.q, gpu.n, gpu.f, gpu.gated, gpu.t, gpu.c)
    whole = kept + memory.score_bytes(gpu.a, gpu.s, gpu.t) * (1 - maximum(gpu.r_core, gpu.x))
    stored = gpu.layers * pipeline.in_flight(gpu.p, gpu.m, gpu.v, gpu.schedule)
    layers = stored * where(gpu.r == 1, memory.checkpoint_bytes(gpu.h, gpu.c), whole) + gpu.r * whole
    return gpu.tokens * (layers + where(gpu.p == 1, 4 * (gpu.h + gpu.V) / gpu.t, 0))
