"""What one GPU has of a model that is being served: weights to read, cache to hold, and what fills its memory."""

from __future__ import annotations

from math import inf
from typing import Any

from attrs import evolve, frozen

from gpt4lab.formulas import answering_layer as per
from gpt4lab.formulas import layer
from gpt4lab.formulas.arith import Num, ceil, floor, maximum, minimum, where
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.inputs import Chip, Network
from gpt4lab.models.rules import possible


@frozen
class PassMemory:
    """Bytes on a GPU of the first stage."""

    weights: Num
    cache: Num
    overhead: Num

    @property
    def total(self) -> Num:
        """Bytes altogether."""
        return self.weights + self.cache + self.overhead

    def words(self) -> str:
        """Weights and cache, in words."""
        return f"weights take {self.weights / 1e9:,.1f} GB, the cache {self.cache / 1e9:,.1f} GB"


class PassPart:
    """The papers' symbols for a network and a way to serve it, and what one GPU has of a layer."""

    def __init__(self, network: Network, deployment: Deployment) -> None:
        self.network, self.deployment = network, deployment
        self.L, self.h, self.V = network.layers, network.d_model, network.vocab
        self.t, self.p, self.e = deployment.tensor, deployment.pipeline, deployment.expert
        self.b, self.s, self.w = deployment.batch, deployment.context, deployment.weight_bytes
        self.E, self.k = network.experts, network.top_k
        self.here = ceil(network.experts / deployment.expert)  # experts of the fullest group
        self.load = self.here * self.e / self.E  # its tokens over the mean
        self.gathers = deployment.gather_weights * 1 == 1
        self.a = where(
            self.gathers, network.heads, ceil(network.heads / deployment.tensor) * deployment.tensor
        )  # padded
        self.latent = network.kv_rank > 0
        self.dense = network.dense_layers / network.layers
        self._set_weights(network)
        self._set_cache(network, deployment)

    def _set_weights(self, n: Network) -> None:
        """Weights of a mean layer: what every token uses, one expert, and what moves between the matmuls."""
        attention = self._attention(self.a, self.t)
        self.expert_weights = layer.feed_forward_weights(n.d_model, n.d_ff, n.gated) / self.t
        dense = layer.feed_forward_weights(n.d_model, n.dense_d_ff, n.dense_gated) / self.t
        always = n.shared_experts * self.expert_weights
        self.common = attention + n.rest / self.t + self.dense * dense + (1 - self.dense) * always
        f = self.dense * n.dense_d_ff + (1 - self.dense) * (n.top_k + n.shared_experts) * n.d_ff
        c = where(self.gathers | (self.deployment.sequence_parallel * 1 == 1), self.t, 1)
        self.between = per.between_bytes(n.d_model, self.a * n.head_dim, self.values, f, n.gated, self.t, c)

    def _attention(self, a: Num, t: Num) -> Num:
        """Projections of a layer on one of t ranks."""
        n = self.network
        ranks = (n.query_rank, n.kv_rank, n.nope_dim, n.rope_dim, n.head_dim)
        whole = layer.attention_weights(n.d_model, a, n.kv_heads, n.head_dim, t)
        return where(self.latent, per.latent_weights(n.d_model, a, *ranks, t), whole)

    @property
    def values(self) -> Num:
        """Values that a layer caches of a token."""
        n = self.network
        return where(self.latent, per.latent_values(n.kv_rank, n.rope_dim), per.cached_values(n.kv_heads, n.head_dim))

    def _set_cache(self, n: Network, w: Deployment) -> None:
        """Bytes of a token in a layer that this GPU holds, how often they are taken in, and the tokens seen."""
        self.token_bytes = self.values * w.kv_bytes * per.cache_share(n.kv_heads, w.tensor, w.cache_by_batch)
        once = where(self.latent, 1, w.grouped_attention * 1)
        self.by_head = once != 1
        self.reads = per.reads_of_cache(self.a, n.kv_heads, w.tensor, once)
        self.seen = per.seen(w.context, n.layers, n.window_layers, n.window)

    def touched(self, n: Num) -> Num:
        """Experts of the fullest GPU that n tokens of each group read; a dense model's feed-forward counts as one."""
        return self.here * per.share_touched(self.k / self.E, n * self.e)

    def read(self, n: Num) -> Num:
        """Weights of a layer that a step with n tokens reads on this GPU."""
        return self.common + (1 - self.dense) * self.touched(n) * self.expert_weights

    def core(self, unpacked: bool) -> Num:
        """FLOP of a layer for one token and one cached token, on this GPU; prefill unpacks what MLA compresses."""
        return self._core(self.a, unpacked) / self.t

    def _core(self, a: Num, unpacked: bool) -> Num:
        n = self.network
        packed = per.latent_core_flop(a, n.kv_rank, n.rope_dim)
        latent = per.unpacked_core_flop(a, n.nope_dim, n.rope_dim, n.head_dim) if unpacked else packed
        return where(self.latent, latent, per.core_flop(a, n.head_dim))

    def flop(self, cached: Num, logits: Num, unpacked: bool) -> Num:
        """FLOP that a token needs of the whole model, seeing `cached` tokens; `logits` is the share that gets any."""
        n = self.network
        rest = self.common + (1 - self.dense) * self.k * self.expert_weights - self._attention(self.a, self.t)
        layers = 2 * (self.t * rest + self._attention(n.heads, 1)) + cached * self._core(n.heads, unpacked)
        return self.L * layers + 2 * self.h * self.V * logits

    @property
    def stage_layers(self) -> Num:
        """Layers of the fullest stage."""
        return ceil(self.L / self.p)


def held(network: Network, deployment: Deployment) -> PassMemory:
    """What a GPU of the first stage holds."""
    return held_by(PassPart(network, deployment))


def held_by(gpu: PassPart) -> PassMemory:
    """What this GPU holds, in the first stage; embedding and logits stay in 16 bits."""
    matrices = where(gpu.p == 1, 2 - gpu.network.tied_embeddings, 1)
    layers = gpu.stage_layers * (gpu.common + (1 - gpu.dense) * gpu.here * gpu.expert_weights)
    return PassMemory(
        weights=layers * gpu.w + matrices * 2 * gpu.V * gpu.h / gpu.t,
        cache=gpu.stage_layers * gpu.b * gpu.seen * gpu.token_bytes,
        overhead=gpu.deployment.overhead_bytes,
    )


def kv_bytes_per_token(network: Network, kv_bytes: Num = 2) -> Num:
    """The cache of one token in all layers and on all GPUs together, none of them copied or windowed.

    Raises LayoutError where the bytes of a value are not a positive, finite number.
    """
    deployment = Deployment(kv_bytes=kv_bytes)
    return per.cache_bytes(network.layers, PassPart(network, deployment).values, deployment.kv_bytes)


def largest_batch(network: Network, deployment: Deployment, chip: Chip) -> Num:
    """Sequences of `deployment.context` tokens that fit; 0 where not even one does.

    Raises LayoutError for a way to serve that cannot exist; where fields are arrays such entries are 0.
    """
    ok, batch = _times_that_fit(network, evolve(deployment, batch=1), chip)
    return where(ok, _whole(batch, inf), 0)


def longest_context(network: Network, deployment: Deployment, chip: Chip) -> Num:
    """Tokens per sequence that fit for the given batch, at most the model's context; windowed layers hold no more.

    Raises as `largest_batch`.
    """
    ok, seen = _times_that_fit(network, evolve(deployment, context=1), chip)
    tokens = per.context_seen(seen, network.layers, network.window_layers, network.window)
    return where(ok, _whole(tokens, network.max_context), 0)


def _times_that_fit(network: Network, one: Deployment, chip: Chip) -> tuple[Any, Num]:
    """Whether `one` is possible, and how many times its cache fits beside weights and overhead."""
    ok = possible(network, one, chip)
    need = held(network, one)
    free = chip.memory_bytes * one.usable_memory - need.weights - need.overhead
    return ok, maximum(free / need.cache, 0)


def _whole(times: Num, most: Num) -> Num:
    """So many whole times, at most `most`; floor has no word for infinity."""
    return minimum(floor(minimum(times, 2.0**53)), most)
