"""FLOP: what one token costs, by part and by context.

A weight that multiplies a token costs two FLOP forward, one to multiply and one to add. The attention scores have no
weights: their cost grows with the context. A token that is generated at the end of a context is held against all of
it (`flop.generated_*`); one of a sequence that is trained on, on average, against half (all others).

The rule 2N takes N as it is stated, `model.active_params`. What that holds besides the layers differs
(`model.counted`), so the full count, `flop.with_context_per_token`, adds routers and logits only where N leaves them
out, and takes out an embedding that N holds and a token only looks up.
"""

from __future__ import annotations

from gpt4lab.formulas import answering_layer
from gpt4lab.formulas.arith import Num, maximum
from gpt4lab.formulas.layer import seen
from gpt4lab.quantities.registry import again, quantity


@quantity("flop.per_token", "FLOP/token", source="kaplan2020", N="model.active_params")
@quantity("flop.dense_per_token", "FLOP/token", source="kaplan2020", N="model.total_params")
@quantity("flop.attention_per_token", "FLOP/token", source="kaplan2020", N="model.attention_params")
@quantity("flop.dense_layers_per_token", "FLOP/token", source="kaplan2020", N="geometry.dense_params")
@quantity("flop.shared_experts_per_token", "FLOP/token", source="kaplan2020", N="geometry.shared_expert_params")
@quantity("flop.router_per_token", "FLOP/token", source="shazeer2017", N="geometry.router_params")
@quantity("flop.looked_up_per_token", "FLOP/token", source="arithmetic", N="model.looked_up_params",
          about="What the rule 2N counts for an embedding that is only looked up.")
@quantity("flop.logits_per_token", "FLOP/token", source="kaplan2020", N="geometry.embedding_params")
def per_token(N: Num) -> Num:
    """Forward pass of one token: each weight that it meets multiplies once and adds once."""
    return 2 * N


@quantity("flop.experts_per_token", "FLOP/token", source="kaplan2020", k="model.top_k", N_expert="model.expert_params")
def experts_per_token(k: Num, N_expert: Num) -> Num:
    """Forward pass of one token through its experts."""
    return 2 * k * N_expert


quantity("flop.tokens_unmasked", "token", source="arithmetic", s="model.context", L="model.layers",
         L_w="model.window_layers", s_w="model.window",
         about="Tokens that one is held against before the causal mask, on average over a sequence and the layers: "
               "all of the sequence, or those that a window leaves.")(seen)


@quantity("flop.tokens_seen", "token", source="arithmetic", S="flop.tokens_unmasked")
def tokens_seen(S: Num) -> Num:
    """Earlier tokens that a token sees, on average: the causal mask leaves half."""
    return S / 2


@quantity("flop.scores_per_token", "FLOP/token", source="chowdhery2022", L="model.layers", s="flop.tokens_seen",
          a="model.heads", d_k="geometry.key_dim", d_h="model.head_dim")
def scores_per_token(L: Num, s: Num, a: Num, d_k: Num, d_h: Num) -> Num:
    """Attention scores and the weighted sum of values, for a token of a causal sequence, on average.

    Without the causal mask it is twice that. Papers disagree on which one a utilisation should count: PaLM and
    Megatron count the full square, DeepSeek the half.
    """
    return 2 * L * s * a * (d_k + d_h)


@quantity("flop.scores_over_weights", "fraction", source="arithmetic", F_scores="flop.scores_per_token",
          F_weights="flop.per_token")
def scores_over_weights(F_scores: Num, F_weights: Num) -> Num:
    """What the context adds to the cost of the weights."""
    return F_scores / F_weights


again({
    "flop.tokens_unmasked": ("flop.long_tokens_unmasked", ""),
    "flop.tokens_seen": ("flop.long_tokens_seen", ""),
    "flop.scores_per_token": ("flop.long_scores_per_token", ""),
    "flop.scores_over_weights": ("flop.long_scores_over_weights", "What the long context adds to the cost of the "
                                 "weights, for a token of the training."),
}, instead={"model.context": "model.long_context"})


@quantity("flop.with_context_per_token", "FLOP/token", source="kaplan2020", F_weights="flop.per_token",
          F_scores="flop.scores_per_token", c="model.counted", F_router="flop.router_per_token",
          F_logits="flop.logits_per_token", F_looked_up="flop.looked_up_per_token")
def with_context_per_token(
    F_weights: Num, F_scores: Num, c: Num, F_router: Num, F_logits: Num, F_looked_up: Num
) -> Num:
    """Forward pass of one token with all that 2N leaves out: scores, routers and logits.

    A counted N (c = 1) holds routers and logits already, and an embedding that is only looked up.
    """
    return maximum(F_weights - F_looked_up, 0) + F_scores + (1 - c) * (F_router + F_logits)


quantity("flop.tokens_before", "token", source="arithmetic", s="model.context", L="model.layers",
         L_w="model.window_layers", s_w="model.window",
         about="Tokens that one generated at the end of the context is held against, the mean over the layers: all "
               "before it, or those that a window leaves.")(answering_layer.seen)

again({
    "flop.scores_per_token": ("flop.generated_scores_per_token", "Attention scores of a token generated at the end "
                              "of the context: it is held against all of it."),
    "flop.scores_over_weights": ("flop.generated_scores_over_weights", "What the context adds to the cost of the "
                                 "weights, for a token generated at its end."),
    "flop.with_context_per_token": ("flop.generated_per_token", "Forward pass of one token generated at the end of "
                                    "the context, with all that 2N leaves out."),
}, instead={"flop.tokens_seen": "flop.tokens_before"})

again({
    "flop.tokens_before": ("flop.long_tokens_before", ""),
    "flop.generated_scores_per_token": ("flop.generated_long_scores_per_token", ""),
    "flop.generated_scores_over_weights": ("flop.generated_long_scores_over_weights", ""),
}, instead={"model.context": "model.long_context"})


@quantity("flop.left_out", "fraction", source="arithmetic", F_all="flop.with_context_per_token",
          F_weights="flop.per_token")
def left_out(F_all: Num, F_weights: Num) -> Num:
    """Share of the true forward pass that the rule 2N does not count; none where it counts too much."""
    return maximum(1 - F_weights / F_all, 0)


# Training: what is needed, and what is spent if activations are computed again. MFU counts the first, HFU the second.


@quantity("flop.training_per_token", "FLOP/token", source="kaplan2020", F="flop.with_context_per_token")
def training_per_token(F: Num) -> Num:
    """What training needs of a token: forward, and twice that backward."""
    return 3 * F


again({
    "flop.with_context_per_token": ("flop.long_with_context_per_token", ""),
    "flop.training_per_token": ("flop.long_training_per_token", ""),
}, instead={"flop.scores_per_token": "flop.long_scores_per_token"})


@quantity("flop.training_unmasked_per_token", "FLOP/token", source="chowdhery2022", F="flop.with_context_per_token",
          F_scores="flop.scores_per_token")
def training_unmasked_per_token(F: Num, F_scores: Num) -> Num:
    """The same as PaLM and Megatron count it: pairs that the causal mask hides as well."""
    return 3 * (F + F_scores)


@quantity("flop.spent_selective_per_token", "FLOP/token", source="korthikanti2022", F="flop.training_per_token",
          F_scores="flop.scores_per_token")
def spent_selective_per_token(F: Num, F_scores: Num) -> Num:
    """What is spent if only the attention scores are computed again."""
    return F + F_scores


@quantity("flop.spent_full_per_token", "FLOP/token", source="narayanan2021", F="flop.training_per_token",
          F_all="flop.with_context_per_token", F_logits="flop.logits_per_token")
def spent_full_per_token(F: Num, F_all: Num, F_logits: Num) -> Num:
    """What is spent if every layer is computed again: another forward pass, but for the logits."""
    return F + F_all - F_logits


@quantity("flop.hfu_over_mfu_selective", "x", source="arithmetic", F_spent="flop.spent_selective_per_token",
          F="flop.training_per_token")
@quantity("flop.hfu_over_mfu", "x", source="arithmetic", F_spent="flop.spent_full_per_token",
          F="flop.training_per_token")
def hfu_over_mfu(F_spent: Num, F: Num) -> Num:
    """Spent over needed: what counting recomputation as work adds to a utilisation; near 4/3 if all is repeated."""
    return F_spent / F


@quantity("flop.peak_tokens_per_s", "token/s", source="arithmetic", F="serving.accelerator.peak_bf16_flop_per_s",
          c="flop.per_token")
def peak_tokens_per_s(F: Num, c: Num) -> Num:
    """Tokens that one GPU could make in a second at its full peak."""
    return F / c


@quantity("flop.peak_usd_per_1k_tokens", "USD/ktoken", source="arithmetic", p="serving.usd_per_gpu_hour",
          r="flop.peak_tokens_per_s")
def peak_usd_per_1k_tokens(p: Num, r: Num) -> Num:
    """Rent for a thousand tokens at the full peak: nobody can be cheaper."""
    return 1000 * p / (3600 * r)


@quantity("flop.training_years", "year", source="kaplan2020", c="flop.per_token", D="training.tokens", n="cluster.gpus",
          F="cluster.accelerator.peak_bf16_flop_per_s", MFU="training.mfu")
def training_years(c: Num, D: Num, n: Num, F: Num, MFU: Num) -> Num:
    """Length of the training run, three forward passes' worth a token."""
    return 3 * c * D / (n * F * MFU * 86_400 * 365.25)


@quantity("flop.logits_in_layers", "x", source="arithmetic", F_logits="flop.logits_per_token", F_token="flop.per_token",
          L="model.layers")
def logits_in_layers(F_logits: Num, F_token: Num, L: Num) -> Num:
    """What a token costs in the output matrix, in layers."""
    return F_logits / (F_token / L)
