"""What fills a GPU in training: weights, gradients, optimiser state (ZeRO shares them out), and activations.

Mixed-precision Adam keeps 2 bytes of weight, g of gradient and 12 of optimiser state (fp32 weight, mean,
variance) a parameter: 16 with g = 2 (Rajbhandari 2020), 18 with fp32 gradients (Korthikanti 2022). N_d replicas
share the optimiser state from stage 1 on, the gradients from stage 2, the weights in stage 3.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, where

#: What is recomputed in backward, in the order of the codes.
RECOMPUTE = ("none", "selective", "full")
NONE, SELECTIVE, FULL = range(3)


def weight_bytes(P: Num, N_d: Num, zero: Num) -> Num:
    """Weights, 2 bytes each for P parameters: split over the replicas in stage 3."""
    return 2 * P / where(zero >= 3, N_d, 1)


def gradient_bytes(P: Num, N_d: Num, zero: Num, g: Num) -> Num:
    """Gradients, g bytes each: split over the replicas from stage 2."""
    return g * P / where(zero >= 2, N_d, 1)


def optimiser_bytes(P: Num, N_d: Num, zero: Num) -> Num:
    """Optimiser state, 12 bytes a parameter: split over the replicas from stage 1."""
    return 12 * P / where(zero >= 1, N_d, 1)


def kept_bytes(h: Num, q: Num, n: Num, f: Num, g: Num, t: Num, c: Num) -> Num:
    """Activations of a token that a layer keeps for backward, attention scores apart; symbols as in `layer`.

    Korthikanti (2022), equation 2: 10 h on the full width; split over t, query, key and value (2 each), their
    context (2), the activation's input and output (2 each, one more if gated).
    """
    return 10 * h / c + (2 * (q + 2 * n) + 2 * q + (4 + 2 * g) * f) / t


def score_bytes(a: Num, s: Num, t: Num) -> Num:
    """Attention scores of a token against s others in a heads: softmax 2, dropout mask 1, result 2."""
    return 5 * a * s / t


def checkpoint_bytes(h: Num, c: Num) -> Num:
    """All that full recomputation keeps of a token in a layer: the layer's input."""
    return 2 * h / c
