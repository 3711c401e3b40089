"""Bytes that one GPU sends in a training step, and over which wire.

A ring all-reduce over n ranks sends 2 (n-1)/n of the data from each rank: a reduce-scatter and an all-gather of half
that each. Ranks are numbered tensor first, then data, then pipeline, as in Megatron-LM, so that tensor groups share a
node while it has room. A ring that leaves the node uses the network ports of all its members there.
"""

from __future__ import annotations

from gpt4lab.quantities.arith import Num, maximum, minimum, where


def ring_share(n: Num) -> Num:
    """Share of the data that a rank sends in a reduce-scatter or an all-gather over n ranks."""
    return (n - 1) / n


def ring_rate(link: Num, network: Num, node: Num, stride: Num, n: Num) -> Num:
    """Bytes per second around a ring of n ranks that are `stride` apart, on nodes of `node` GPUs."""
    return where(stride * n <= node, link, minimum(link, network * minimum(maximum(node / stride, 1), n)))


def tensor_bytes(b: Num, s: Num, h: Num, t: Num, r: Num) -> Num:
    """Tensor-parallel bytes of a layer and micro-batch: two all-reduces forward, two backward, two if recomputed.

    Sequence parallelism replaces each by a reduce-scatter and an all-gather: the same bytes.
    """
    return (4 + 2 * r) * 2 * (t - 1) / t * 2 * b * s * h


def stage_bytes(b: Num, s: Num, h: Num, t: Num) -> Num:
    """Activations of a micro-batch, passed on to the next stage: each tensor rank sends its share."""
    return 2 * b * s * h / t


def gather_bytes(b: Num, s: Num, h: Num, t: Num, c: Num) -> Num:
    """The shares put together again behind the stage border; not needed with sequence parallelism (c = t)."""
    return 2 * b * s * h * (t - 1) / t * (c < t)


def expert_bytes(b: Num, s: Num, h: Num, k: Num, t: Num, r: Num) -> Num:
    """Expert-parallel bytes of a layer and micro-batch: k copies of a token out and back, forward and backward."""
    return (4 + 2 * r) * 2 * k * b * s * h / t


def all_to_all_seconds(N: Num, e: Num, inside: Num, link: Num, network: Num) -> Num:
    """N bytes spread over e ranks, `inside` of them on this node: the rest leaves by this GPU's own port."""
    return N / e * ((inside - 1) / link + (e - inside) / network)


def data_bytes(P: Num, d: Num, m: Num, g: Num, zero: Num) -> Num:
    """Data-parallel bytes of a step for P parameters on this GPU, g bytes a gradient, 2 bytes a weight.

    ZeRO 0: one all-reduce of gradients. 1: reduce-scatter gradients, gather weights. 2: scatter every micro-batch.
    3: also gather weights before forward and before backward of every micro-batch.
    """
    return where(
        zero == 0,
        2 * g * P * (d - 1) / d,
        (where(zero >= 2, m, 1) * g + 2 * where(zero >= 3, 2 * m, 1)) * P * (d - 1) / d,
    )
