"""One transformer layer when it answers: the weights it reads, the cache it reads, and what lies between.

Symbols as in `layer`; besides E experts, k of them per token, n tokens computed together, s tokens cached, w bytes a
value, r_q and r_kv ranks of multi-head latent attention (MLA), d_n, d_r, d_v its head sizes (rest, rotary, value).
Everything is counted for one rank of t, and without dropout, masks or anything that only training stores.
"""

from __future__ import annotations

from math import inf

from gpt4lab.formulas.arith import Num, ceil, maximum, minimum, sqrt, where

#: Kernels of a layer: norm, query-key-value, attention, output, sum, norm, in, activation, out, sum.
KERNELS = 10
#: More of them where tokens are routed: scores, choice, sorting by expert and back.
ROUTING_KERNELS = 4


def latent_layer(h: Num, a: Num, r_q: Num, r_kv: Num, d_n: Num, d_r: Num, d_v: Num) -> Num:
    """MLA (DeepSeek-V2): projections down to the ranks, and up again to the heads.

    Without a rank of their own (r_q = 0, DeepSeek-V2-Lite) the queries come from the full width.
    """
    return h * (r_q + r_kv + d_r) + a * (where(r_q > 0, r_q, h) * (d_n + d_r) + r_kv * (d_n + d_v) + d_v * h)


def latent_weights(h: Num, a: Num, r_q: Num, r_kv: Num, d_n: Num, d_r: Num, d_v: Num, t: Num) -> Num:
    """The same on one of t ranks: the projections down are copied, those up again are split by heads."""
    return latent_layer(h, a / t, r_q, r_kv, d_n, d_r, d_v)


def share_touched(phi: Num, n: Num) -> Num:
    """Share of the experts that n tokens need together, if each needs phi of them, evenly and on its own."""
    return 1 - (1 - phi) ** n


def experts_touched(E: Num, k: Num, n: Num) -> Num:
    """Experts whose weights n tokens read, each of which chooses k: the union, not n k."""
    return E * share_touched(k / E, n)


def nodes_touched(M: Num, k: Num) -> Num:
    """Other nodes, of M, that the k copies of a token go to."""
    return (M - 1) * (1 - (1 - 1 / M) ** k)


def cached_values(n_kv: Num, d_h: Num) -> Num:
    """Values that a layer keeps of a token: a key and a value for each key-value head."""
    return 2 * n_kv * d_h


def latent_values(r_kv: Num, d_r: Num) -> Num:
    """Values that a layer keeps of a token with MLA: one compressed vector, and the rotary part of the key."""
    return r_kv + d_r


def cache_bytes(L: Num, c: Num, w: Num) -> Num:
    """Cache of a token: c values of w bytes in each of L layers."""
    return L * c * w


def cache_share(u: Num, t: Num, x: Num) -> Num:
    """Share of the cache on the fullest of t ranks; u heads are dealt out, but not cut. x = 1 deals out sequences."""
    return where(x == 1, 1 / t, ceil(u / t) / u)


def seen(s: Num, L: Num, L_w: Num, s_w: Num) -> Num:
    """Cached tokens that a layer sees, the mean over L layers of which L_w look back only s_w tokens."""
    return ((L - L_w) * s + L_w * minimum(s, s_w)) / L


def context_seen(S: Num, L: Num, L_w: Num, s_w: Num) -> Num:
    """The context of which a layer sees S tokens in the mean: `seen`, turned round; endless where all look back."""
    return where(L_w < L, (S * L - L_w * minimum(S, s_w)) / maximum(L - L_w, 1), where(s_w > S, S, inf))


def together(read: Num, compute: Num) -> Num:
    """Seconds of a product that reads and computes, each of which alone takes so long: near the border both slow.

    Root of the sum of squares: on an A100 64 shapes of 16 bits take 1.07, 1.27 and 1.85 times as long as reading does,
    in the median, with 64, 128 and 256 tokens; this says 1.07, 1.25 and 1.79 (`aiconfigurator-data`).
    """
    return sqrt(read**2 + compute**2)


def reads_of_cache(a: Num, n_kv: Num, t: Num, x: Num) -> Num:
    """How often the cache is read: once (x = 1), or once for every query head that shares it."""
    return where(x == 1, 1, a / t / ceil(n_kv / t))


def core_flop(a: Num, d_h: Num) -> Num:
    """Attention of a token to one cached token: scores, and the weighted sum of values."""
    return 4 * a * d_h


def latent_core_flop(a: Num, r_kv: Num, d_r: Num) -> Num:
    """The same with MLA in a decode step, where each head works on the compressed vector itself."""
    return 2 * a * (2 * r_kv + d_r)


def unpacked_core_flop(a: Num, d_n: Num, d_r: Num, d_v: Num) -> Num:
    """The same with MLA in a prefill, where keys and values are unpacked."""
    return 2 * a * (d_n + d_r + d_v)


def between_bytes(h: Num, q: Num, v: Num, f: Num, g: Num, t: Num, c: Num) -> Num:
    """Bytes of a token between the matmuls, 16-bit, for query width q, v cached values, active expert width f.

    Full width, shared by c ranks: two norms (read 2, write 2), two sums with the residual (read 4, write 2). Split
    over t: rotation and writing of the cache (read 2, write 2), and the activation (4; gated 6).
    """
    return 20 * h / c + (4 * (q + v) + (4 + 2 * g) * f) / t


def logit_bytes(V: Num, t: Num) -> Num:
    """Logits of a token in fp32, written and read once for the choice of the next."""
    return 8 * V / t


def reduce_bytes(n: Num, h: Num, t: Num) -> Num:
    """Bytes that a rank sends in one all-reduce of the activations of n tokens."""
    return 2 * (t - 1) / t * 2 * n * h


def gathered_bytes(W: Num, w: Num, t: Num) -> Num:
    """Bytes that a rank receives to have all weights of a layer, of which it holds W: tokens stay where they are."""
    return (t - 1) * W * w


def reduce_latency(t: Num, message: Num, hop: Num) -> Num:
    """Time of an all-reduce of nothing: to start it, and a hop for each step of the ring, there and back."""
    return where(t > 1, message + 2 * (t - 1) * hop, 0)


def routed_bytes(n: Num, h: Num, w: Num, t: Num) -> Num:
    """Bytes of n tokens on their way to one expert each, w bytes a value, and in 16 bits back."""
    return n * h * (w + 2) / t
