"""Speculative decoding: a small model drafts gamma tokens, the large one checks them in one pass.

Leviathan (2023), with an acceptance rate alpha that does not depend on position. The paper takes a pass that checks
several tokens to last as long as one that writes a single token. The second half of this module asks when that is so:
in a mixture the checked tokens wake more experts, and in a large batch they have to be computed.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import again, quantity


@quantity("speculation.tokens_per_pass", "token", source="leviathan2023", alpha="speculation.acceptance",
          gamma="speculation.draft_length")
def tokens_per_pass(alpha: Num, gamma: Num) -> Num:
    """Tokens that a pass of the large model yields: the accepted ones and one of its own."""
    return (1 - alpha ** (gamma + 1)) / (1 - alpha)


@quantity("speculation.speedup", "x", source="leviathan2023", n="speculation.tokens_per_pass",
          gamma="speculation.draft_length", c="speculation.draft_cost")
def speedup(n: Num, gamma: Num, c: Num) -> Num:
    """How many times faster tokens come while decoding is bound by memory (Theorem 3.8)."""
    return n / (gamma * c + 1)


@quantity("speculation.extra_flop", "x", source="leviathan2023", n="speculation.tokens_per_pass",
          gamma="speculation.draft_length", c="speculation.draft_cost")
def extra_flop(n: Num, gamma: Num, c: Num) -> Num:
    """FLOP per token over plain decoding, the draft's cost counted in FLOP: checked tokens are paid even if refused."""
    return (gamma * c + gamma + 1) / n


# --- a batch of sequences, and experts --------------------------------------------------------------------------------


@quantity("speculation.checked_tokens", "token", source="leviathan2023", b="decode.micro_batch",
          gamma="speculation.draft_length")
def checked_tokens(b: Num, gamma: Num) -> Num:
    """Tokens that a checking pass reads: for each sequence its drafts and the token before them."""
    return b * (gamma + 1)


again({
    "moe.idle": ("speculation.idle", "Share of the experts that none of the checked tokens needs."),
    "moe.touched": ("speculation.touched", "Share of the experts that a checking pass must read."),
    "moe.experts_touched": ("speculation.experts_touched", "Experts that a checking pass must read in each layer."),
    "decode.bytes_read": ("speculation.bytes_read", "Weights that a checking pass reads in all stages together."),
    "decode.latency_floor": ("speculation.read_s", "Time to read the weights of a checking pass, stage after stage."),
    "decode.shared_s": ("speculation.shared_s", ""),
    "decode.experts_s": ("speculation.experts_s", ""),
    "decode.attention_s": ("speculation.attention_s", "Time of the attention of a checking pass: the cache of a "
                                                      "sequence is read once for all its drafts."),
    "decode.latency": ("speculation.pass_s", "Time of a checking pass on the roofline."),
}, instead={"decode.micro_batch": "speculation.checked_tokens"})


@quantity("speculation.check_cost", "x", source="arithmetic", t_check="speculation.pass_s", t="decode.latency")
def check_cost(t_check: Num, t: Num) -> Num:
    """Time of a checking pass in plain passes: 1 in the paper's theorem."""
    return t_check / t


@quantity("speculation.batch_speedup", "x", source="leviathan2023", n="speculation.tokens_per_pass",
          gamma="speculation.draft_length", c="speculation.draft_cost", r="speculation.check_cost")
def batch_speedup(n: Num, gamma: Num, c: Num, r: Num) -> Num:
    """Theorem 3.8 with a checking pass that lasts r plain ones: below 1, speculation slows the model down."""
    return n / (gamma * c + r)


@quantity("speculation.token_s", "s", source="arithmetic", t="decode.latency", S="speculation.batch_speedup")
def token_s(t: Num, S: Num) -> Num:
    """Time per token that a reader sees with speculation, on the roofline."""
    return t / S
