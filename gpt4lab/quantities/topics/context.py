"""From the context that was trained to a longer one."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("context.extension_share", "fraction", source="chen2023pi", D="training.tokens",
          n_steps="catalog/constants/context-extension/interpolation_steps", B="training.batch_tokens")
def extension_share(D: Num, n_steps: Num, B: Num) -> Num:
    """Tokens of a context extension by position interpolation, as a share of the training."""
    return n_steps * B / D
