"""Answering: the machines that serve, what the stated prices imply of them, and what is left over."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import again, quantity

again({
    "cluster.gpus_per_replica": ("serving.gpus", "GPUs that hold one copy of the model, and are paid for."),
    "cluster.even_stages": ("serving.even_stages", ""),
    "cluster.layers_per_stage": ("serving.layers_per_stage", ""),
    "cluster.stage_imbalance": ("serving.stage_imbalance", ""),
}, instead={"cluster.tensor": "serving.tensor", "cluster.pipeline": "serving.pipeline"})


@quantity("serving.paid_tokens_per_s", "token/s", source="arithmetic", n="serving.gpus", p="serving.usd_per_gpu_hour",
          c="serving.usd_per_1k_tokens")
def paid_tokens_per_s(n: Num, p: Num, c: Num) -> Num:
    """Throughput that the stated cost of 1,000 tokens implies, if it is the cost of tokens that are generated.

    A blend with prompts, whose tokens are computed together and so are cheap, would say less about generating: then
    this is no rate of decoding at all.
    """
    return n * p / 3600 / c * 1000


@quantity("serving.paid_mfu", "fraction", source="pope2022", V="serving.paid_tokens_per_s", F_token="flop.per_token",
          n="serving.gpus", F="serving.accelerator.peak_bf16_flop_per_s")
def paid_mfu(V: Num, F_token: Num, n: Num, F: Num) -> Num:
    """Share of peak at which the machines must compute to reach that throughput, all of it generated."""
    return V * F_token / (n * F)


@quantity("serving.peak_tokens_per_s", "token/s", source="pope2022", F_token="flop.per_token", n="serving.gpus",
          F="serving.accelerator.peak_bf16_flop_per_s")
def peak_tokens_per_s(F_token: Num, n: Num, F: Num) -> Num:
    """Throughput of machines that did nothing but compute, all of them at full peak."""
    return n * F / F_token


@quantity("serving.paid_share_of_roofline", "fraction", source="pope2022", V="serving.paid_tokens_per_s",
          V_max="decode.tokens_per_s_floor")
def paid_share_of_roofline(V: Num, V_max: Num) -> Num:
    """Throughput that the stated cost implies, all of it generated, over what reading the weights allows."""
    return V / V_max


@quantity("serving.margin", "fraction", source="openai-pricing", c="serving.usd_per_1k_tokens",
          p="serving.price_per_1k_tokens")
def margin(c: Num, p: Num) -> Num:
    """Share of the price that the stated cost leaves."""
    return 1 - c / p


@quantity("serving.markup", "fraction", source="openai-pricing", c="serving.usd_per_1k_tokens",
          p="serving.price_per_1k_tokens")
def markup(c: Num, p: Num) -> Num:
    """What the price adds to the stated cost, as a share of the cost: a margin is a share of the price."""
    return p / c - 1


@quantity("serving.prompt_share", "fraction", source="arithmetic", s="serving.prompt_tokens",
          o="serving.output_tokens")
def prompt_share(s: Num, o: Num) -> Num:
    """Share of all tokens that are read, not written."""
    return s / (s + o)


@quantity("serving.request_price", "USD", source="openai-pricing", s="serving.prompt_tokens",
          p_in="serving.price_per_1k_input", o="serving.output_tokens", p="serving.price_per_1k_tokens")
def request_price(s: Num, p_in: Num, o: Num, p: Num) -> Num:
    """What a customer pays for a question and its answer; a cached prompt costs as much as any, as in 2023."""
    return (s * p_in + o * p) / 1000


@quantity("serving.cached_tokens", "token", source="arithmetic", s="serving.prompt_tokens", x="serving.cached_share")
def cached_tokens(s: Num, x: Num) -> Num:
    """Tokens of a prompt whose keys and values are still there."""
    return s * x


@quantity("serving.usd_per_busy_hour", "USD/GPU/hour", source="arithmetic", p="serving.usd_per_gpu_hour",
          x="serving.idle_share")
def usd_per_busy_hour(p: Num, x: Num) -> Num:
    """Rent of one GPU for each hour in which it works: idle hours are paid for by the others."""
    return p / (1 - x)


@quantity("serving.utilisation_penalty", "x", source="arithmetic", r_cost="serving.cost_vs_davinci",
          r_flop="model.active_vs_gpt3")
def utilisation_penalty(r_cost: Num, r_flop: Num) -> Num:
    """How many times worse than davinci the machines must be used, beyond the extra FLOP of a token."""
    return r_cost / r_flop


@quantity("serving.price_vs_davinci", "x", source="openai-pricing", p="serving.price_per_1k_tokens",
          p_davinci="catalog/prices/davinci-2022/usd_per_1k_output")
@quantity("serving.input_price_vs_davinci", "x", source="openai-pricing", p="serving.price_per_1k_input",
          p_davinci="catalog/prices/davinci-2022/usd_per_1k_input",
          about="Price of a token of a prompt, in prices of davinci after its cut.")
def price_vs_davinci(p: Num, p_davinci: Num) -> Num:
    """Price of a token, in prices of davinci after its cut."""
    return p / p_davinci


@quantity("serving.reading_speed", "token/s", source="openai-pricing", v="serving.words_per_minute",
          w="data.words_per_token")
def reading_speed(v: Num, w: Num) -> Num:
    """Tokens per second that keep up with a reader."""
    return v / 60 / w


@quantity("serving.params_per_node", "param", source="arithmetic", N="model.total_params", p="serving.even_stages")
def params_per_node(N: Num, p: Num) -> Num:
    """Parameters in one node that holds a fullest stage."""
    return N / p


@quantity("serving.nodes", "node", source="arithmetic", n="serving.gpus", t="serving.tensor")
def nodes(n: Num, t: Num) -> Num:
    """Nodes, if tensor parallelism fills exactly one."""
    return n / t


@quantity("serving.weight_bytes_per_gpu", "byte", source="pope2022", N="model.total_params",
          w="serving.bytes_per_weight", t="serving.tensor", p="serving.even_stages")
def weight_bytes_per_gpu(N: Num, w: Num, t: Num, p: Num) -> Num:
    """Weights on a serving GPU of the fullest stage."""
    return N * w / (t * p)


@quantity("serving.gpus_for_weights", "GPU", source="arithmetic", N="model.total_params",
          w="serving.bytes_per_weight", M="serving.accelerator.memory_bytes")
@quantity("serving.gpus_for_davinci", "GPU", source="arithmetic", N="catalog/models/gpt-3-175b/params_total",
          w="serving.bytes_per_weight", M="serving.accelerator.memory_bytes",
          about="GPUs whose memory davinci's weights alone would fill.")
def gpus_for_weights(N: Num, w: Num, M: Num) -> Num:
    """GPUs whose memory the weights alone would fill."""
    return N * w / M
