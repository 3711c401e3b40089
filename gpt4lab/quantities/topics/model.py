"""The model as it is stated: how many parameters there are, and how many a token uses.

What the sizes hold is one field, `model.counted`: the post's leave embedding, output matrix and routers out; those of a
public model, or of one's own, are counted from the shape and hold them, the embedding whole. Sums say which they mean.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, maximum
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


@quantity("model.looked_up_params", "param", source="arithmetic", c="model.counted", u="model.tied_embeddings",
          N_embed="geometry.embedding_params")
def looked_up_params(c: Num, u: Num, N_embed: Num) -> Num:
    """Those of the stated parameters that multiply nothing: an embedding apart from the output matrix is looked up."""
    return c * (1 - u) * N_embed


@quantity("model.attention_params", "param", source="arithmetic", N_shared="model.shared_params", c="model.counted",
          N_tables="geometry.table_params", N_router="geometry.router_params", N_dense="geometry.dense_params",
          N_always="geometry.shared_expert_params")
def attention_params(N_shared: Num, c: Num, N_tables: Num, N_router: Num, N_dense: Num, N_always: Num) -> Num:
    """What the stated shared parameters leave for attention: all but experts, dense layers, embedding and routers."""
    return maximum(N_shared - c * (N_tables + N_router) - N_dense - N_always, 0)
