"""FLOP: what one token costs, forward and in training."""

from __future__ import annotations

from gpt4lab.quantities.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("flop.per_token", "FLOP/token", source="kaplan2020", N_act="model.active_params")
def per_token(N_act: Num) -> Num:
    """Forward pass of one token: each active weight multiplies once and adds once."""
    return 2 * N_act
