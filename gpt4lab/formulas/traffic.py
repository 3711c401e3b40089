"""Bytes that one GPU sends in a training step, and over which wire.

A ring all-reduce over n ranks sends 2 (n-1)/n of the data from each: a reduce-scatter and an all-gather, half
each. Ranks are numbered tensor first, then data, then pipeline, as in Megatron-LM, so tensor groups share a node
while it has room. A ring that leaves the node uses the network ports of all its members there.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, maximum, minimum, where


def ring_share(n: Num) -> Num:
    """Share of the data that a rank sends in a reduce-scatter or an all-gather over n ranks."""
    return (n - 1) / n


def members_inside(node: Num, stride: Num, n: Num) -> Num:
    """How many of n ranks that are `stride` apart share a node of `node` GPUs."""
    return minimum(maximum(node / stride, 1), n)


def ring_rate(link: Num, network: Num, n: Num, inside: Num) -> Num:
    """Bytes per second around a ring of n ranks, `inside` of them on a node, for one-way rates of a GPU."""
    return where(inside >= n, link, minimum(link, network * inside))


def tensor_bytes(b: Num, s: Num, h: Num, t: Num, r: Num) -> Num:
    """Tensor-parallel bytes of a layer and micro-batch: all-reduces, 2 forward, 2 backward, 2 if recomputed (r).

    Sequence parallelism replaces each by a reduce-scatter and an all-gather: the same bytes.
    """
    return (4 + 2 * r) * 2 * (t - 1) / t * 2 * b * s * h


def context_bytes(b: Num, s: Num, n: Num, t: Num, c: Num, r: Num) -> Num:
    """Context-parallel bytes of a layer and micro-batch: c ranks gather keys and values of width n, each its share.

    Once forward, once more if recomputed (r), and once backward, where gradients are scattered (Llama 3, section 3.3).
    """
    return (2 + r) * (c - 1) / c * 2 * 2 * b * s * n / t


def stage_bytes(b: Num, s: Num, h: Num, t: Num) -> Num:
    """Activations of a micro-batch passed on to the next stage: each tensor rank sends its share."""
    return 2 * b * s * h / t


def gather_bytes(b: Num, s: Num, h: Num, t: Num, c: Num) -> Num:
    """The shares put together again behind the border of a stage; not needed with sequence parallelism (c = t)."""
    return where(c < t, 2 * b * s * h * (t - 1) / t, 0)


def expert_bytes(b: Num, s: Num, h: Num, k: Num, t: Num, r: Num) -> Num:
    """Expert-parallel bytes of a layer and micro-batch: k copies of a token out and back, forward and backward."""
    return (4 + 2 * r) * 2 * k * b * s * h / t


def all_to_all_seconds(N: Num, e: Num, inside: Num, link: Num, network: Num) -> Num:
    """Time to spread N bytes over e ranks: `inside` of them are on this node, the rest behind this GPU's port."""
    return N / e * ((inside - 1) / link + (e - inside) / network)


def data_bytes(P: Num, d: Num, m: Num, g: Num, zero: Num) -> Num:
    """Data-parallel bytes of a step for P parameters on this GPU, g bytes a gradient, 2 a weight.

    ZeRO 0: one all-reduce of gradients. 1: scatter gradients, gather weights. 2: scatter in every micro-batch.
    3: also gather the weights in every micro-batch, once before forward and once before backward.
    """
    return ring_share(d) * P * where(zero == 0, 2 * g, where(zero >= 2, m, 1) * g + 2 * where(zero >= 3, 2 * m, 1))


def data_collectives(m: Num, zero: Num) -> Num:
    """Scatters and gathers that a layer's data-parallel traffic is cut into, in a step of m micro-batches."""
    return where(zero >= 2, m, 1) + where(zero >= 3, 2 * m, 1)


def ring_nodes(n: Num, inside: Num) -> Num:
    """Nodes that a ring of n ranks passes, `inside` of them on each; 0 where it never leaves one."""
    return where(inside >= n, 0, n / inside)


def ring_hops(n: Num, nodes: Num, hop: Num, network_hop: Num) -> Num:
    """Time of a message of nothing around a ring of n ranks: n - 1 hops, those between nodes longer."""
    return maximum(n - 1 - nodes, 0) * hop + nodes * network_hop
