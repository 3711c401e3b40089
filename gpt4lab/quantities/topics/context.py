"""From the context that was trained to a longer one: what it costs, and which rotations it leaves unseen.

Whether the model has rotary positions is not known. `context.pairs` and `context.unfinished` say what would be so if it
had them.
"""

from __future__ import annotations

from math import pi

from gpt4lab.formulas.arith import Num, ceil, log, maximum, minimum, where
from gpt4lab.quantities.registry import quantity


@quantity("context.times", "x", source="arithmetic", s_long="model.long_context", s="model.context")
def times(s_long: Num, s: Num) -> Num:
    """The long context in trained contexts."""
    return s_long / s


@quantity("context.pairs", "1", source="su2021", d_r="model.rope_dim", d_h="model.head_dim")
def pairs(d_r: Num, d_h: Num) -> Num:
    """Pairs of coordinates that would turn in each head."""
    return where(d_r > 0, d_r, d_h) / 2


@quantity("context.unfinished", "1", source="peng2023", n="context.pairs", s="model.context", b="positions.base")
def unfinished(n: Num, s: Num, b: Num) -> Num:
    """Pairs that would not turn once within the trained context: behind it they point where they never did."""
    return n - minimum(n, ceil(maximum(n * log(s / (2 * pi)) / log(b), 0)))


@quantity("context.extension_tokens", "token", source="chen2023pi", n_steps="training.extension_steps",
          B="training.batch_tokens")
def extension_tokens(n_steps: Num, B: Num) -> Num:
    """Tokens of the extension, with the batch of the training."""
    return n_steps * B


@quantity("context.extension_share", "fraction", source="chen2023pi", D="training.tokens",
          n_steps="training.extension_steps", B="training.batch_tokens")
def extension_share(D: Num, n_steps: Num, B: Num) -> Num:
    """Tokens of a context extension, as a share of the training."""
    return n_steps * B / D


@quantity("context.dearer", "x", source="kaplan2020", F_long="flop.long_training_per_token",
          F="flop.training_per_token")
def dearer(F_long: Num, F: Num) -> Num:
    """What training on a token costs in the long context, over what it costs in the trained one."""
    return F_long / F


@quantity("context.training_cost", "USD", source="arithmetic", F="flop.training_per_token", D="training.tokens",
          C_usd="training.flop_per_usd")
def training_cost(F: Num, D: Num, C_usd: Num) -> Num:
    """Rent of the training with its attention scores counted, at the MFU of the run."""
    return F * D / C_usd


@quantity("context.extension_cost", "USD", source="arithmetic", F_long="flop.long_training_per_token",
          D_long="context.extension_tokens", C_usd="training.flop_per_usd")
def extension_cost(F_long: Num, D_long: Num, C_usd: Num) -> Num:
    """Rent of the extension, at the MFU of the run."""
    return F_long * D_long / C_usd


@quantity("context.long_from_start_cost", "USD", source="arithmetic", r="context.dearer", C="context.training_cost")
def long_from_start_cost(r: Num, C: Num) -> Num:
    """What it would have cost more to train in the long context from the first token on, at the same MFU."""
    return (r - 1) * C
