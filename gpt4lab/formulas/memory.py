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
    context (2), the activation's input and output (2 each). A gated layer is taken for Llama's: it keeps the gate
    before and after its activation (4), and query and key before and after their rotation (2 each).
    """
    return 10 * h / c + (2 * (q + 2 * n) + 2 * q + (4 + 4 * g) * f + 2 * g * (q + n)) / t


def score_bytes(a: Num, s: Num, t: Num) -> Num:
    """Attention scores of a token against s others in a heads: softmax 2, dropout mask 1, result 2."""
    return 5 * a * s / t


def checkpoint_bytes(h: Num, c: Num) -> Num:
    """All that full recomputation keeps of a token in a layer: the layer's input."""
    return 2 * h / c


def gathered_weight_bytes(W: Num) -> Num:
    """Stage 3 puts together the layer of W weights that is at work, and the one after it: 2 each."""
    return 4 * W


def gathered_bytes(h: Num) -> Num:
    """Inputs of attention and of feed-forward, gathered from all ranks and kept whole: 2 each."""
    return 4 * h


def latent_bytes(r: Num, c: Num) -> Num:
    """What latent attention keeps besides: its compressed vectors, r values together."""
    return 2 * r / c


def routed_bytes(h: Num, k: Num, c: Num) -> Num:
    """What routing to k experts keeps besides: the copies on their way in, and what the shares multiply on the way out.

    The router's own input stays, so the copies come on top.
    """
    return 4 * k * h / c


def logit_bytes(h: Num, V: Num, t: Num) -> Num:
    """The last norm's input and output, and the logits: 16 bits 2, in fp32 4, and 4 for what becomes their gradient."""
    return (4 * h + 10 * V) / t


def reserved_bytes(activations: Num) -> Num:
    """What an allocator holds idle, between activations that come and go.

    A ninth of them: read off every second one of the Ultra-Scale Playbook's layouts, whose memory is what PyTorch's
    allocator had reserved.
    """
    return activations / 9
