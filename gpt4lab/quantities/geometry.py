"""Parameters: how many there are, how many a token uses, and which shapes give the post's sums."""

from __future__ import annotations

from gpt4lab.quantities.arith import Num, sqrt
from gpt4lab.quantities.registry import quantity


@quantity(
    "model.total_params", "param", source="fedus2021",
    E="model.experts", N_expert="model.expert_params", N_shared="model.shared_params",
)  # fmt: skip
def total_params(E: Num, N_expert: Num, N_shared: Num) -> Num:
    """Parameters that must be stored: every expert and what all tokens share."""
    return E * N_expert + N_shared


@quantity(
    "model.active_params", "param", source="fedus2021",
    k="model.top_k", N_expert="model.expert_params", N_shared="model.shared_params",
)  # fmt: skip
def active_params(k: Num, N_expert: Num, N_shared: Num) -> Num:
    """Parameters that one token passes through: its experts and what all tokens share."""
    return k * N_expert + N_shared


@quantity("geometry.width_from_attention", "1", source="brown2020", N_attn="model.shared_params", L="model.layers")
def width_from_attention(N_attn: Num, L: Num) -> Num:
    """Width at which full multi-head attention (4 d² a layer) has the stated parameters."""
    return sqrt(N_attn / (4 * L))
