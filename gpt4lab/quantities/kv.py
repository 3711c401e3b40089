"""The KV cache: keys and values of every earlier token, kept so that they need not be computed again."""

from __future__ import annotations

from gpt4lab.quantities.arith import Num, minimum
from gpt4lab.quantities.registry import quantity


@quantity("kv.bytes_per_token", "byte/token", source="ainslie2023", L="model.layers", n="model.kv_heads",
          d_h="model.head_dim", w="serving.bytes_per_kv")  # fmt: skip
@quantity("kv.bytes_per_token_full", "byte/token", source="ainslie2023", L="model.layers", n="model.heads",
          d_h="model.head_dim", w="serving.bytes_per_kv",
          about="Cache of one token if every query head had keys and values of its own.")  # fmt: skip
def bytes_per_token(L: Num, n: Num, d_h: Num, w: Num) -> Num:
    """Cache of one token: a key and a value for each layer and key-value head."""
    return 2 * L * n * d_h * w


@quantity("kv.reduction", "x", source="shazeer2019", c_full="kv.bytes_per_token_full", c="kv.bytes_per_token")
def reduction(c_full: Num, c: Num) -> Num:
    """How many times smaller the cache is than with a key-value head for every query head."""
    return c_full / c


@quantity("kv.bytes_per_sequence", "byte", source="arithmetic", c="kv.bytes_per_token", s="model.context")
@quantity("kv.bytes_per_long_sequence", "byte", source="arithmetic", c="kv.bytes_per_token", s="model.long_context")
def bytes_per_sequence(c: Num, s: Num) -> Num:
    """Cache of one full sequence, over all layers."""
    return c * s


@quantity("kv.free_bytes", "byte", source="arithmetic", M="serving.accelerator.memory_bytes",
          M_w="serving.weight_bytes_per_gpu", M_o="serving.overhead_bytes")  # fmt: skip
def free_bytes(M: Num, M_w: Num, M_o: Num) -> Num:
    """Memory of a serving GPU that weights and overhead leave for the cache."""
    return M - M_w - M_o


@quantity("kv.sequences", "sequence", source="pope2022", M="kv.free_bytes", c="kv.bytes_per_sequence",
          p="serving.pipeline")  # fmt: skip
@quantity("kv.long_sequences", "sequence", source="pope2022", M="kv.free_bytes", c="kv.bytes_per_long_sequence",
          p="serving.pipeline")  # fmt: skip
def sequences(M: Num, c: Num, p: Num) -> Num:
    """Full sequences that fit at once; each stage keeps its own layers, each of its GPUs a copy of their cache.

    One key-value head cannot be cut over the tensor-parallel GPUs. Spreading the sequences over them instead would
    fit `serving.tensor` times as many.
    """
    return M * p / c


@quantity("kv.context_at_batch", "token", source="arithmetic", M="kv.free_bytes", p="serving.pipeline",
          c="kv.bytes_per_token", b="serving.tokens_in_flight")  # fmt: skip
def context_at_batch(M: Num, p: Num, c: Num, b: Num) -> Num:
    """Mean context that fits when the whole batch is in flight."""
    return M * p / (c * b)


@quantity("kv.sequences_dealt", "sequence", source="pope2022", K="kv.sequences", t="serving.tensor",
          n="model.kv_heads")  # fmt: skip
@quantity("kv.long_sequences_dealt", "sequence", source="pope2022", K="kv.long_sequences", t="serving.tensor",
          n="model.kv_heads")  # fmt: skip
@quantity("kv.context_at_batch_dealt", "token", source="pope2022", K="kv.context_at_batch", t="serving.tensor",
          n="model.kv_heads", about="Mean context with the whole batch in flight, heads dealt out.")  # fmt: skip
def dealt(K: Num, t: Num, n: Num) -> Num:
    """Full sequences that fit if the GPUs of a stage share out the key-value heads, of which none can be cut.

    With one head it is the same: each GPU has a copy. With as many heads as GPUs nothing is kept twice.
    """
    return K * minimum(t, n)
