"""The KV cache: keys and values of every earlier token, kept so that they need not be computed again."""

from __future__ import annotations

from gpt4lab.formulas.answering_layer import seen
from gpt4lab.formulas.arith import Num, ceil, floor, maximum, where
from gpt4lab.quantities.registry import again, quantity


@quantity("kv.values", "1", source="deepseekv2", r_kv="model.kv_rank", d_r="model.rope_dim", n="model.kv_heads",
          d_h="model.head_dim")
def kept_values(r_kv: Num, d_r: Num, n: Num, d_h: Num) -> Num:
    """Values that a layer keeps of a token: a key and a value for each key-value head.

    Latent attention (MLA) keeps one compressed vector instead, and the rotary part of the key.
    """
    return where(r_kv > 0, r_kv + d_r, 2 * n * d_h)


@quantity("kv.values_full", "1", source="vaswani2017", a="model.heads", d_k="geometry.key_dim", d_h="model.head_dim")
def values_full(a: Num, d_k: Num, d_h: Num) -> Num:
    """Values that a layer would keep of a token if every query head had a key and a value of its own."""
    return a * (d_k + d_h)


@quantity("kv.bytes_per_token", "byte/token", source="ainslie2023", L="model.layers", v="kv.values",
          w="serving.bytes_per_kv")
@quantity("kv.bytes_per_token_full", "byte/token", source="ainslie2023", L="model.layers", v="kv.values_full",
          w="serving.bytes_per_kv",
          about="Cache of one token if every query head had keys and values of its own.")
def bytes_per_token(L: Num, v: Num, w: Num) -> Num:
    """Cache of one token: the values that every layer keeps of it, before any window forgets them."""
    return L * v * w


@quantity("kv.reduction", "x", source="shazeer2019", c_full="kv.bytes_per_token_full", c="kv.bytes_per_token")
def reduction(c_full: Num, c: Num) -> Num:
    """How many times smaller the cache is than with a key-value head for every query head."""
    return c_full / c


quantity("kv.tokens_kept", "token", source="arithmetic", s="model.context", L="model.layers",
         L_w="model.window_layers", s_w="model.window",
         about="Tokens of a full sequence that a layer keeps, on average: one with a window forgets the others.")(seen)


@quantity("kv.bytes_per_sequence", "byte", source="arithmetic", c="kv.bytes_per_token", s="kv.tokens_kept")
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
    return floor(maximum(M, 0) * p * r / c)


again({
    "kv.tokens_kept": ("kv.long_tokens_kept", ""),
    "kv.bytes_per_sequence": ("kv.bytes_per_long_sequence", ""), "kv.sequences": ("kv.long_sequences", ""),
}, instead={"model.context": "model.long_context"})

again({
    "kv.bytes_per_sequence": ("kv.full_long_sequence", "Cache of one long sequence if every query head had keys and "
                              "values of its own."),
}, instead={"kv.bytes_per_token": "kv.bytes_per_token_full", "kv.tokens_kept": "kv.long_tokens_kept"})


@quantity("kv.kept_at_batch", "token", source="pope2022", M="kv.free_bytes", p="serving.even_stages", r="kv.ranks",
          c="kv.bytes_per_token", b="serving.tokens_in_flight")
def kept_at_batch(M: Num, p: Num, r: Num, c: Num, b: Num) -> Num:
    """Tokens that each layer can keep of each sequence, on average, when the whole batch is in flight."""
    return maximum(M, 0) * p * r / (c * b)


@quantity("kv.context_at_batch", "token", source="pope2022", s="kv.kept_at_batch", L="model.layers",
          L_w="model.window_layers", s_w="model.window")
def context_at_batch(s: Num, L: Num, L_w: Num, s_w: Num) -> Num:
    """Mean context that fits when the whole batch is in flight: beyond their window some layers keep no more.

    Where every layer has a window it is practically endless once the window fits.
    """
    return maximum(s, (s * L - s_w * L_w) / maximum(L - L_w, 1e-9))
