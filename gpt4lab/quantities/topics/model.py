"""The model as the post describes it: how many parameters there are, and how many a token uses."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("model.total_params", "param", source="fedus2021", E="model.experts", N_expert="model.expert_params",
          N_shared="model.shared_params")
def total_params(E: Num, N_expert: Num, N_shared: Num) -> Num:
    """Parameters that must be stored: every expert and what all tokens share."""
    return E * N_expert + N_shared


@quantity("model.active_params", "param", source="fedus2021", k="model.top_k", N_expert="model.expert_params",
          N_shared="model.shared_params")
def active_params(k: Num, N_expert: Num, N_shared: Num) -> Num:
    """Parameters that one token passes through: its experts and what all tokens share."""
    return k * N_expert + N_shared


@quantity("model.base_params", "param", source="clark2022", N_expert="model.expert_params",
          N_shared="model.shared_params")
def base_params(N_expert: Num, N_shared: Num) -> Num:
    """Size of the dense model with one expert: what the papers on routing call the base model."""
    return N_expert + N_shared


@quantity("model.total_over_active", "x", source="arithmetic", N="model.total_params", N_act="model.active_params")
def total_over_active(N: Num, N_act: Num) -> Num:
    """How many times fewer FLOP a token costs than in a dense model of the same size; weights are all stored."""
    return N / N_act


@quantity("model.size_vs_gpt3", "x", source="brown2020", N="model.total_params",
          N_GPT3="catalog/models/gpt-3-175b/params_total")
@quantity("model.active_vs_gpt3", "x", source="brown2020", N="model.active_params",
          N_GPT3="catalog/models/gpt-3-175b/params_total")
def size_vs_gpt3(N: Num, N_GPT3: Num) -> Num:
    """Parameters, in units of GPT-3's 175 billion."""
    return N / N_GPT3
