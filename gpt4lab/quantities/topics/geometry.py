"""Parameters: how many there are, how many a token uses, and which shapes give the post's sums.

Symbols: L layers, L_e of them with experts, d width, d_ff width of an expert, g 1 if it is gated, a query heads, n_kv
key-value heads, d_h head size (r_q, r_kv, d_n, d_r: latent attention), E experts, k of them per token. A model without
experts has one, in every layer. Norms and biases are left out: below 0.1% at this size. What the shape's totals hold
besides is what the stated sizes hold: nothing for the post, embedding, output matrix and routers where
`model.counted` is 1.
"""

from __future__ import annotations

from gpt4lab.formulas.answering_layer import latent_layer
from gpt4lab.formulas.arith import Num, sqrt, where
from gpt4lab.quantities.registry import quantity


@quantity("geometry.width_from_attention", "1", source="brown2020", N_attn="model.attention_params", L="model.layers")
def width_from_attention(N_attn: Num, L: Num) -> Num:
    """Width at which full multi-head attention (4 d² a layer) has the stated parameters."""
    return sqrt(N_attn / (4 * L))


@quantity("geometry.expert_layers", "layer", source="arithmetic", L="model.layers", L_d="model.dense_layers")
def expert_layers(L: Num, L_d: Num) -> Num:
    """Layers that have experts."""
    return L - L_d


@quantity("geometry.width_from_expert", "1", source="brown2020", N_expert="model.expert_params",
          L_e="geometry.expert_layers")
def width_from_expert(N_expert: Num, L_e: Num) -> Num:
    """Width at which a plain feed-forward four times as wide (8 d² a layer) has the stated parameters."""
    return sqrt(N_expert / (8 * L_e))


@quantity("geometry.width_from_mqa", "1", source="shazeer2019", N_attn="model.attention_params", L="model.layers",
          n_kv="model.kv_heads", d_h="model.head_dim")
def width_from_mqa(N_attn: Num, L: Num, n_kv: Num, d_h: Num) -> Num:
    """Width at which attention with few key-value heads has the stated parameters.

    The positive solution of 2 d² + 2 d n_kv d_h = N_attn / L: queries and output are d × d, keys and values narrow.
    """
    return N_attn / L / (sqrt((n_kv * d_h) ** 2 + 2 * N_attn / L) + n_kv * d_h)


@quantity("geometry.expert_width_ratio", "x", source="arithmetic", N_expert="model.expert_params", g="model.gated",
          L_e="geometry.expert_layers", d="model.d_model")
@quantity("geometry.expert_width_ratio_mqa", "x", source="arithmetic", N_expert="model.expert_params", g="model.gated",
          L_e="geometry.expert_layers", d="geometry.width_from_mqa")
def expert_width_ratio(N_expert: Num, g: Num, L_e: Num, d: Num) -> Num:
    """Width of an expert over the model's width that gives the stated parameters; usual is 4."""
    return N_expert / ((2 + g) * L_e * d**2)


@quantity("geometry.key_dim", "1", source="deepseekv2", r_kv="model.kv_rank", d_n="model.nope_dim",
          d_r="model.rope_dim", d_h="model.head_dim")
def key_dim(r_kv: Num, d_n: Num, d_r: Num, d_h: Num) -> Num:
    """Width of a head's query and key: that of its value; of latent attention with the rotary part on top."""
    return where(r_kv > 0, d_n + d_r, d_h)


quantity("geometry.latent_params_per_layer", "param", source="deepseekv2", h="model.d_model", a="model.heads",
         r_q="model.query_rank", r_kv="model.kv_rank", d_n="model.nope_dim", d_r="model.rope_dim",
         d_v="model.head_dim", about="Latent attention of this shape in one layer.")(latent_layer)


@quantity("geometry.attention_params", "param", source="ainslie2023", r_kv="model.kv_rank", L="model.layers",
          N_latent="geometry.latent_params_per_layer", d="model.d_model", d_h="model.head_dim", a="model.heads",
          n_kv="model.kv_heads")
def attention_params(r_kv: Num, L: Num, N_latent: Num, d: Num, d_h: Num, a: Num, n_kv: Num) -> Num:
    """Attention of this shape: queries and output for every head, keys and values for the key-value heads."""
    return L * where(r_kv > 0, N_latent, 2 * d * d_h * (a + n_kv))


@quantity("geometry.full_attention_params", "param", source="vaswani2017", L="model.layers", d="model.d_model")
def full_attention_params(L: Num, d: Num) -> Num:
    """Attention of this width with a key-value head for every query head: four d × d matrices a layer."""
    return 4 * L * d**2


@quantity("geometry.expert_params", "param", source="vaswani2017", g="model.gated", L_e="geometry.expert_layers",
          d="model.d_model", d_ff="model.d_ff")
@quantity("geometry.dense_params", "param", source="vaswani2017", g="model.dense_gated", L_e="model.dense_layers",
          d="model.d_model", d_ff="model.dense_d_ff", about="Feed-forward of the layers without experts.")
def expert_params(g: Num, L_e: Num, d: Num, d_ff: Num) -> Num:
    """One expert of this shape, summed over the layers: a matrix in, a matrix out, and a third one if it is gated.

    The post does not say. GPT-3's were plain.
    """
    return (2 + g) * L_e * d * d_ff


@quantity("geometry.shared_expert_params", "param", source="deepseekv2", n_s="model.shared_experts",
          N_e="geometry.expert_params")
def shared_expert_params(n_s: Num, N_e: Num) -> Num:
    """Experts that every token uses, summed over the layers."""
    return n_s * N_e


@quantity("geometry.router_params", "param", source="shazeer2017", E="model.experts", L_e="geometry.expert_layers",
          d="model.d_model")
def router_params(E: Num, L_e: Num, d: Num) -> Num:
    """Routers: a vector for each expert in each layer; one expert needs none."""
    return where(E > 1, E * L_e * d, 0)


@quantity("geometry.always_params", "param", source="arithmetic", N_attn="geometry.attention_params",
          N_dense="geometry.dense_params", N_always="geometry.shared_expert_params", c="model.counted",
          N_tables="geometry.table_params", N_router="geometry.router_params")
def always_params(N_attn: Num, N_dense: Num, N_always: Num, c: Num, N_tables: Num, N_router: Num) -> Num:
    """What every token of this shape uses: attention, dense layers, shared experts; tables and routers if counted."""
    return N_attn + N_dense + N_always + c * (N_tables + N_router)


@quantity("geometry.total_params", "param", source="arithmetic", E="model.experts", N_e="geometry.expert_params",
          N_shared="geometry.always_params")
def shape_total_params(E: Num, N_e: Num, N_shared: Num) -> Num:
    """All parameters of this shape; the post's without the embedding, those of a counted model with it."""
    return E * N_e + N_shared


@quantity("geometry.active_params", "param", source="arithmetic", k="model.top_k", N_e="geometry.expert_params",
          N_shared="geometry.always_params")
def shape_active_params(k: Num, N_e: Num, N_shared: Num) -> Num:
    """Parameters of this shape that one token uses, counted as the total."""
    return k * N_e + N_shared


@quantity("geometry.expert_params_per_layer", "param", source="arithmetic", N_expert="model.expert_params",
          L_e="geometry.expert_layers")
def expert_params_per_layer(N_expert: Num, L_e: Num) -> Num:
    """One expert in one layer: what a router really chooses between."""
    return N_expert / L_e


@quantity("geometry.expert_from_total", "param", source="arithmetic", N="model.total_params",
          N_shared="model.shared_params", E="model.experts")
@quantity("geometry.expert_from_active", "param", source="arithmetic", N="model.active_params",
          N_shared="model.shared_params", E="model.top_k")
def expert_from_total(N: Num, N_shared: Num, E: Num) -> Num:
    """Size of an expert that a stated total implies."""
    return (N - N_shared) / E


@quantity("geometry.shared_from_total", "param", source="arithmetic", N="model.total_params", E="model.experts",
          N_expert="model.expert_params")
@quantity("geometry.shared_from_active", "param", source="arithmetic", N="model.active_params", E="model.top_k",
          N_expert="model.expert_params")
def shared_from_total(N: Num, E: Num, N_expert: Num) -> Num:
    """Shared parameters that stated sums leave."""
    return N - E * N_expert


@quantity("geometry.experts_from_total", "expert", source="arithmetic", N="model.total_params",
          N_shared="model.shared_params", N_expert="model.expert_params")
@quantity("geometry.top_k_from_active", "expert", source="arithmetic", N="model.active_params",
          N_shared="model.shared_params", N_expert="model.expert_params")
def experts_from_total(N: Num, N_shared: Num, N_expert: Num) -> Num:
    """How many experts stated parameters leave room for."""
    return (N - N_shared) / N_expert


@quantity("geometry.embedding_params", "param", source="vaswani2017", V="model.vocab", d="model.d_model")
def embedding_params(V: Num, d: Num) -> Num:
    """The embedding: one vector a token of the vocabulary."""
    return V * d


@quantity("geometry.table_params", "param", source="vaswani2017", u="model.tied_embeddings",
          N_embed="geometry.embedding_params")
def table_params(u: Num, N_embed: Num) -> Num:
    """Embedding and output matrix: one and the same where they are tied, else two."""
    return (2 - u) * N_embed


@quantity("geometry.embedding_in_layers", "x", source="arithmetic", N_embed="geometry.embedding_params",
          N="model.total_params", L="model.layers")
def embedding_in_layers(N_embed: Num, N: Num, L: Num) -> Num:
    """The embedding, in units of one layer."""
    return N_embed / (N / L)


@quantity("geometry.feed_forward_vs_gpt3", "x", source="brown2020", k="model.top_k", N_expert="model.expert_params",
          L_GPT3="catalog/models/gpt-3-175b/n_layers", d_GPT3="catalog/models/gpt-3-175b/d_model",
          f_GPT3="catalog/models/gpt-3-175b/d_ff")
def feed_forward_vs_gpt3(k: Num, N_expert: Num, L_GPT3: Num, d_GPT3: Num, f_GPT3: Num) -> Num:
    """Feed-forward parameters that a token uses, in units of GPT-3's."""
    return k * N_expert / (2 * L_GPT3 * d_GPT3 * f_GPT3)
