"""One transformer layer in training: its weights, its arithmetic, and the bytes it streams through memory.

Symbols as in Narayanan (2021) and Korthikanti (2022): h width, a query heads, n_kv key-value heads, d_h head
size, f feed-forward width, g 1 if the feed-forward is gated, k experts per token, s sequence, t tensor-parallel
ranks, c ranks that share the work between the matmuls (t with sequence parallelism, else 1). All per token.

A matmul is limited by arithmetic, what lies between the matmuls by memory. The bytes are counted kernel by kernel
for 16-bit activations, as a 2021 stack ran them: layer norm, dropout + residual, and bias + activation are one
kernel each; attention scores travel through memory between five kernels unless attention is fused.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, ceil, minimum, where

#: Products of a dense layer, forward: query-key-value, output, in (with its gate), out.
PRODUCTS = 4


def attention_weights(h: Num, a: Num, n_kv: Num, d_h: Num, t: Num) -> Num:
    """Query, key, value and output projections on the fullest of t ranks; a key-value head is copied, but not cut."""
    return 2 * h * d_h * (a / t + ceil(n_kv / t))


def feed_forward_weights(h: Num, f: Num, g: Num) -> Num:
    """One expert (or the one dense feed-forward): two matrices, three if gated."""
    return (2 + g) * h * f


def head_flop(h: Num, V: Num) -> Num:
    """Logits of a token and what comes back: three products with the matrix of the vocabulary."""
    return 6 * h * V


def seen(s: Num, L: Num, L_w: Num, s_w: Num) -> Num:
    """Tokens of a sequence that a token is held against, the mean over L layers of which L_w have a window of s_w.

    A window leaves 1 - (1 - s_w/s)^2 of the pairs before the mask. The mask itself is not counted here.
    """
    return s * (L - L_w * (1 - minimum(s_w / s, 1)) ** 2) / L


def core_flop(s: Num, a: Num, d_h: Num) -> Num:
    """Attention scores and the weighted sum of values, forward, with no credit for the causal mask."""
    return 4 * s * a * d_h


def model_flop(W: Num, F_core: Num) -> Num:
    """What training must spend on a token: W weights forward (2 FLOP each), the core, and twice that backward."""
    return 3 * (2 * W + F_core)


def weight_passes(r: Num) -> Num:
    """How often the forward arithmetic of the weights is spent; r = 1 if the forward is run again."""
    return 3 + r


def core_passes(r: Num, x: Num) -> Num:
    """How often that of the attention core is spent; r = 1 if it is run again, x = 1 in a fused kernel.

    A fused kernel skips the masked half; its backward has five matmuls where the forward has two (Dao 2022).
    """
    return where(x == 1, (3.5 + r) / 2, 3 + r)


def forward_bytes(h: Num, q: Num, n: Num, f: Num, g: Num, t: Num, c: Num) -> Num:
    """Bytes between the matmuls, forward, for query width q = a d_h, key-value width n, active expert width f.

    Full width: two layer norms (read 2, write 2), two dropout + residual (read 4, write 2, mask 1).
    Split over t: bias of query, key and value (4), copy of the context (4), bias + activation (4; gated 6).
    """
    return 22 * h / c + (4 * (q + 2 * n) + 4 * q + (4 + 2 * g) * f) / t


def backward_bytes(h: Num, q: Num, n: Num, f: Num, g: Num, t: Num, c: Num) -> Num:
    """Bytes between the matmuls, backward: the same kernels with their bias and scale gradients.

    Full width, each twice: layer norm (10), dropout (5), sum with the residual (6), bias gradient (2).
    Split over t: bias gradients (2), copy of the context (4), activation (6) and its bias gradient (2; gated 10).
    """
    return 46 * h / c + (2 * (q + 2 * n) + 4 * q + (8 + 2 * g) * f) / t


def forward_score_bytes(a: Num, s: Num, t: Num, x: Num) -> Num:
    """Attention scores: a matmul writes 2, softmax 4, dropout 5, a matmul reads 2; none if fused (x = 1)."""
    return 13 * a * s / t * (1 - x)


def backward_score_bytes(a: Num, s: Num, t: Num, x: Num) -> Num:
    """Attention scores, backward: matmuls write 2 and read 2, dropout 5, softmax 6, two matmuls read 2 each."""
    return 19 * a * s / t * (1 - x)


def routing_bytes(h: Num, k: Num, t: Num) -> Num:
    """Sorting k copies of a token by expert and back, forward: read 2 and write 2, twice."""
    return 8 * k * h / t


def loss_bytes(V: Num, t: Num) -> Num:
    """Logits of a token: to fp32 6, max 4, shift 8, exp 8, sum 4, divide 8; and 14 backward."""
    return 52 * V / t


def accumulation_bytes(g: Num) -> Num:
    """Per parameter and micro-batch: the new gradient is written and read (4), the sum read and written (g each)."""
    return 4 + 2 * g


def update_bytes(g: Num) -> Num:
    """Per parameter and step, mixed-precision Adam as five kernels.

    Unscale (read g, write 4), check (8), norm (4), clip (8), Adam (read 16, write 12), to 16 bits (6), zero (2).
    """
    return 60 + g
