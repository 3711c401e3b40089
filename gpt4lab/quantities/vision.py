"""Eyes: gated cross-attention after Flamingo, its parameters and its training."""

from __future__ import annotations

from gpt4lab.quantities.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("vision.params", "param", source="alayrac2022",
          d="model.d_model", L="model.layers", every="vision.every")  # fmt: skip
def params(d: Num, L: Num, every: Num) -> Num:
    """Gated cross-attention: 4 d² of attention and 8 d² of feed-forward at each insertion.

    For Chinchilla's d = 8,192 and 80 layers it gives 9.2 billion; Flamingo's paper says 10 billion.
    """
    return 12 * d**2 * L / every


@quantity("vision.share_of_active", "fraction", source="arithmetic", N="vision.params", N_act="model.active_params")
def share_of_active(N: Num, N_act: Num) -> Num:
    """Parameters that vision adds, over those that a token passes through without it."""
    return N / N_act


@quantity("vision.flop", "FLOP", source="kaplan2020", N="model.active_params", D="vision.tokens")
def flop(N: Num, D: Num) -> Num:
    """Compute of the added training, if all weights of the language model learn; about two thirds if frozen."""
    return 6 * N * D


@quantity("vision.flop_share", "fraction", source="arithmetic", C_v="vision.flop", C="training.flop")
def flop_share(C_v: Num, C: Num) -> Num:
    """Compute of the added training over that of the text."""
    return C_v / C


@quantity("vision.days", "day", source="arithmetic", t="training.days", phi="vision.flop_share")
@quantity("vision.cost", "USD", source="arithmetic", t="training.cost", phi="vision.flop_share",
          about="Cost of the added training on the same machines.")  # fmt: skip
def days(t: Num, phi: Num) -> Num:
    """Days that the added training takes on the same machines."""
    return t * phi
