"""A decode step: what it must read and compute, and how fast and how dear tokens are on the roofline.

One token after another, each step streams the weights that its tokens need from memory. The roofline of a step is
the longer of reading and computing, for each of its three kinds of work: a product with few tokens an expert may read
while one with all tokens computes, but the one cannot begin before the other is done. Everything else (rates below the
peak, network, scheduling) comes on top.
"""

from __future__ import annotations

from gpt4lab.formulas.answering_layer import seen
from gpt4lab.formulas.arith import Num, maximum
from gpt4lab.quantities.registry import again, quantity


@quantity("decode.micro_batch", "token", source="pope2022", b="serving.tokens_in_flight", p="serving.pipeline")
def micro_batch(b: Num, p: Num) -> Num:
    """Tokens that pass a pipeline stage together, when the batch is spread over all stages; a token cannot be cut."""
    return maximum(b / p, 1)


@quantity("decode.crossover_dense", "token", source="pope2022", F="serving.accelerator.peak_bf16_flop_per_s",
          W="serving.accelerator.bandwidth_bytes_per_s", w="serving.bytes_per_weight")
def crossover_dense(F: Num, W: Num, w: Num) -> Num:
    """Tokens per step at which computing takes as long as reading the weights, in a dense model."""
    return F * w / (2 * W)


@quantity("decode.crossover", "token", source="arithmetic", b_dense="decode.crossover_dense", phi="moe.share_of_tokens")
def crossover(b_dense: Num, phi: Num) -> Num:
    """The same with experts: each sees only its share of the tokens, but its weights are read all the same."""
    return b_dense / phi


@quantity("decode.bytes_read", "byte", source="pope2022", N_shared="model.shared_params",
          N_looked_up="model.looked_up_params", N_expert="model.expert_params", E_b="moe.experts_touched",
          w="serving.bytes_per_weight")
def bytes_read(N_shared: Num, N_looked_up: Num, N_expert: Num, E_b: Num, w: Num) -> Num:
    """Weights that one step reads in all stages together; the line a token of an embedding counts as none."""
    return (maximum(N_shared - N_looked_up, 0) + N_expert * E_b) * w


@quantity("decode.latency_floor", "s", source="pope2022", M="decode.bytes_read", t="serving.tensor",
          W="serving.accelerator.bandwidth_bytes_per_s")
def latency_floor(M: Num, t: Num, W: Num) -> Num:
    """Least time per token: the weights of all stages, read in a row by the GPUs of one stage at a time.

    Stages multiply the throughput, not the speed that one reader sees.
    """
    return M / (t * W)


quantity("decode.tokens_kept", "token", source="arithmetic", s="serving.mean_context", L="model.layers",
         L_w="model.window_layers", s_w="model.window",
         about="Tokens of a sequence that a layer has cached, on average: one with a window keeps no more.")(seen)


@quantity("decode.kv_s", "s", source="pope2022", b="decode.micro_batch", s="decode.tokens_kept",
          c="kv.bytes_per_token", r="kv.ranks", W="serving.accelerator.bandwidth_bytes_per_s")
def kv_s(b: Num, s: Num, c: Num, r: Num, W: Num) -> Num:
    """Time to read the cached keys and values, each tensor-parallel rank those of its own heads."""
    return b * s * c / (r * W)


@quantity("decode.compute_s", "s", source="pope2022", b="decode.micro_batch", F_token="flop.per_token",
          t="serving.tensor", F="serving.accelerator.peak_bf16_flop_per_s")
def compute_s(b: Num, F_token: Num, t: Num, F: Num) -> Num:
    """Time to compute one step of a micro-batch, stage after stage, at peak."""
    return b * F_token / (t * F)


# --- the roofline: each kind of work reads or computes, and they follow each other ------------------------------------


@quantity("decode.shared_s", "s", source="pope2022", N_shared="model.shared_params",
          N_looked_up="model.looked_up_params", w="serving.bytes_per_weight", b="decode.micro_batch",
          t="serving.tensor", W="serving.accelerator.bandwidth_bytes_per_s",
          F="serving.accelerator.peak_bf16_flop_per_s")
def shared_s(N_shared: Num, N_looked_up: Num, w: Num, b: Num, t: Num, W: Num, F: Num) -> Num:
    """Time of the products that all tokens share: to read their weights or to compute, whichever takes longer."""
    return maximum(N_shared - N_looked_up, 0) * maximum(w / W, 2 * b / F) / t


@quantity("decode.experts_s", "s", source="pope2022", N_expert="model.expert_params", E_b="moe.experts_touched",
          k="model.top_k", w="serving.bytes_per_weight", b="decode.micro_batch", t="serving.tensor",
          W="serving.accelerator.bandwidth_bytes_per_s", F="serving.accelerator.peak_bf16_flop_per_s")
def experts_s(N_expert: Num, E_b: Num, k: Num, w: Num, b: Num, t: Num, W: Num, F: Num) -> Num:
    """Time of the experts: to read those that are needed or to compute, whichever takes longer."""
    return N_expert * maximum(E_b * w / W, 2 * b * k / F) / t


again({
    "flop.scores_per_token": ("decode.scores_per_token", "Attention of a token that is generated: it sees all that is "
                                                         "cached, where one in training sees half a sequence."),
}, instead={"flop.tokens_seen": "decode.tokens_kept"})


@quantity("decode.attention_s", "s", source="pope2022", t_kv="decode.kv_s", b="decode.micro_batch",
          F_scores="decode.scores_per_token", t="serving.tensor", F="serving.accelerator.peak_bf16_flop_per_s")
def attention_s(t_kv: Num, b: Num, F_scores: Num, t: Num, F: Num) -> Num:
    """Time of the attention: to read the cache or to compute with it, whichever takes longer."""
    return maximum(t_kv, b * F_scores / (t * F))


@quantity("decode.latency", "s", source="pope2022", t_shared="decode.shared_s", t_experts="decode.experts_s",
          t_attn="decode.attention_s")
def latency(t_shared: Num, t_experts: Num, t_attn: Num) -> Num:
    """Time per token on the roofline: what all tokens share, the experts, and the attention, one after the other."""
    return t_shared + t_experts + t_attn


@quantity("decode.tokens_per_s", "token/s", source="arithmetic", b="serving.tokens_in_flight", t="decode.latency")
def tokens_per_s(b: Num, t: Num) -> Num:
    """Throughput of the machines on the roofline."""
    return b / t


@quantity("decode.reader_tokens_per_s", "token/s", source="arithmetic", t="decode.latency")
def reader_tokens_per_s(t: Num) -> Num:
    """Tokens a second that one reader sees, on the roofline."""
    return 1 / t


@quantity("decode.usd_per_1k", "USD/ktoken", source="arithmetic", n="serving.gpus", p="serving.usd_per_gpu_hour",
          V="decode.tokens_per_s")
def usd_per_1k(n: Num, p: Num, V: Num) -> Num:
    """Cost of 1,000 tokens on the roofline, with every slot always filled."""
    return n * p / 3600 / V * 1000


again({
    "decode.tokens_per_s": ("decode.tokens_per_s_floor", "Throughput if only weights were read."),
    "decode.usd_per_1k": ("decode.floor_usd_per_1k", "Least cost of 1,000 tokens, if only weights were read."),
}, instead={"decode.latency": "decode.latency_floor"})


@quantity("decode.dense_latency_floor", "s", source="pope2022", N="model.total_params", w="serving.bytes_per_weight",
          t="serving.tensor", W="serving.accelerator.bandwidth_bytes_per_s")
def dense_latency_floor(N: Num, w: Num, t: Num, W: Num) -> Num:
    """Least time per token of a dense model of this size: every weight is read, by the GPUs of one stage at a time."""
    return N * w / (t * W)
