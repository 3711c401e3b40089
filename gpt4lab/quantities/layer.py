"""One transformer layer in training: its weights, its arithmetic, and the bytes that it streams through memory.

Symbols, as in Narayanan (2021) and Korthikanti (2022): h width, a query heads, n_kv key-value heads, d_h head size,
f feed-forward width, g 1 if the feed-forward is gated, k experts per token, s sequence, t tensor-parallel ranks;
c ranks that share the work between the matmuls (t with sequence parallelism, else 1). Per token unless said otherwise.

A matmul is limited by arithmetic, everything between the matmuls by memory. The bytes below are counted kernel by
kernel for 16-bit activations, as a 2021 stack ran them: layer norm, dropout + residual and bias + activation are one
kernel each, and the attention scores travel through memory between five kernels unless attention is fused.
"""

from __future__ import annotations

from gpt4lab.quantities.arith import Num, maximum, where


def attention_weights(h: Num, a: Num, n_kv: Num, d_h: Num) -> Num:
    """Query, key, value and output projections; without biases, which are below 0.1%."""
    return 2 * h * d_h * (a + n_kv)


def attention_weights_per_gpu(h: Num, a: Num, n_kv: Num, d_h: Num, t: Num) -> Num:
    """The same on one of t ranks: a key-value head cannot be cut, so few of them are copied."""
    return 2 * h * d_h * (a / t + maximum(n_kv / t, 1))


def feed_forward_weights(h: Num, f: Num, g: Num) -> Num:
    """One expert (or the one dense feed-forward): two matrices, three if gated."""
    return (2 + g) * h * f


def core_flop(s: Num, a: Num, d_h: Num) -> Num:
    """Scores and weighted sum of values, forward: 4 s per attention width, with no credit for the causal mask."""
    return 4 * s * a * d_h


def model_flop(W: Num, F_core: Num) -> Num:
    """What training the layer needs: forward once, backward twice as much. W: weights that multiply the token."""
    return 3 * (2 * W + F_core)


def weight_passes(r: Num) -> Num:
    """Times the forward arithmetic of the weights is spent; r = 1 if the forward is run again before backward."""
    return 3 + r


def core_passes(r_c: Num, x: Num) -> Num:
    """The same for the attention core. x = 1: a fused kernel, which skips the masked half and recomputes scores.

    Its backward has five matmuls where the forward has two (Dao 2022). r_c = 1 where the core is recomputed.
    """
    return where(x == 1, (3.5 + r_c) / 2, 3 + r_c)


def forward_bytes(h: Num, q: Num, n: Num, f: Num, g: Num, t: Num, c: Num) -> Num:
    """Bytes between the matmuls, forward. q: query width a d_h; n: key-value width n_kv d_h; f: active width k f.

    On the full width: two layer norms (read 2, write 2), two dropout + residual (read 4, write 2, mask 1).
    On split widths: bias of query, key, value (4), context copy (4), bias + activation (4; gated 6).
    """
    return 22 * h / c + (4 * (q + 2 * n) + 4 * q + (4 + 2 * g) * f) / t


def backward_bytes(h: Num, q: Num, n: Num, f: Num, g: Num, t: Num, c: Num) -> Num:
    """Bytes between the matmuls, backward: the same kernels and their bias and scale gradients.

    Full width: layer norm (10) twice, dropout (5) twice, residual sum (6) twice, bias gradient (2) twice.
    Split: bias gradient of query, key, value (2), context copy (4), activation (6) + bias gradient (2); gated 10.
    """
    return 46 * h / c + (2 * (q + 2 * n) + 4 * q + (8 + 2 * g) * f) / t


def forward_score_bytes(a: Num, s: Num, t: Num, x: Num) -> Num:
    """Attention scores: matmul writes 2, softmax 4, dropout 5, matmul reads 2; nothing in a fused kernel (x = 1)."""
    return 13 * a * s / t * (1 - x)


def backward_score_bytes(a: Num, s: Num, t: Num, x: Num) -> Num:
    """Attention scores, backward: matmuls write 2 and read 2, dropout 5, softmax 6, two matmuls read 2 each."""
    return 19 * a * s / t * (1 - x)


def routing_bytes(h: Num, k: Num, t: Num) -> Num:
    """Sorting k copies of a token by expert and back: read and write, twice. Forward; backward is the same."""
    return 8 * k * h / t


def loss_bytes(V: Num, t: Num) -> Num:
    """Logits of a token, forward and backward: to fp32 6, max 4, shift 8, exp 8, sum 4, divide 8; backward 14."""
    return 52 * V / t
