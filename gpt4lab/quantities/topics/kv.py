"""The KV cache: keys and values of every earlier token, kept so that they need not be computed again."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, ceil, maximum
from gpt4lab.quantities.registry import again, quantity


@quantity("kv.bytes_per_token", "byte/token", source="ainslie2023", L="model.layers", n="model.kv_heads",
          d_h="model.head_dim", w="serving.bytes_per_kv")
@quantity("kv.bytes_per_token_full", "byte/token", source="ainslie2023", L="model.layers", n="model.heads",
          d_h="model.head_dim", w="serving.bytes_per_kv",
          about="Cache of one token if every query head had keys and values of its own.")
def bytes_per_token(L: Num, n: Num, d_h: Num, w: Num) -> Num:
    """Cache of one token: a key and a value for each layer and key-value head."""
    return 2 * L * n * d_h * w


@quantity("kv.reduction", "x", source="shazeer2019", c_full="kv.bytes_per_token_full", c="kv.bytes_per_token")
def reduction(c_full: Num, c: Num) -> Num:
    """How many times smaller the cache is than with a key-value head for every query head."""
    return c_full / c


@quantity("kv.bytes_per_sequence", "byte", source="arithmetic", c="kv.bytes_per_token", s="model.context")
def bytes_per_sequence(c: Num, s: Num) -> Num:
    """Cache of one full sequence, over all layers."""
    return c * s


@quantity("kv.free_bytes", "byte", source="arithmetic", M="serving.accelerator.memory_bytes",
          u="serving.usable_memory", M_w="serving.weight_bytes_per_gpu", M_o="serving.overhead_bytes")
def free_bytes(M: Num, u: Num, M_w: Num, M_o: Num) -> Num:
    """Memory of a serving GPU that weights and overhead leave for the cache; what is lacking if negative."""
    return u * M - M_w - M_o


@quantity("kv.ranks", "GPU", source="pope2022", t="serving.tensor", n="model.kv_heads")
def ranks(t: Num, n: Num) -> Num:
    """GPUs of a stage that share out the cache of a token, each as much as the fullest: no head can be cut.

    With one head each GPU keeps a copy; with as many heads as GPUs nothing is kept twice; of nine on eight GPUs one has
    two, and eight do no more than four and a half even ones. Dealing out whole sequences would always use all of them.
    """
    return n / ceil(n / t)


@quantity("kv.sequences", "sequence", source="pope2022", M="kv.free_bytes", c="kv.bytes_per_sequence",
          p="serving.even_stages", r="kv.ranks")
def sequences(M: Num, c: Num, p: Num, r: Num) -> Num:
    """Full sequences that fit at once: the fullest stage has room for so many, and its GPUs share out the heads."""
    return maximum(M, 0) * p * r / c


again({
    "kv.bytes_per_sequence": ("kv.bytes_per_long_sequence", ""), "kv.sequences": ("kv.long_sequences", ""),
}, instead={"model.context": "model.long_context"})


@quantity("kv.context_at_batch", "token", source="pope2022", M="kv.free_bytes", p="serving.even_stages", r="kv.ranks",
          c="kv.bytes_per_token", b="serving.tokens_in_flight")
def context_at_batch(M: Num, p: Num, r: Num, c: Num, b: Num) -> Num:
    """Mean context that fits when the whole batch is in flight."""
    return maximum(M, 0) * p * r / (c * b)
