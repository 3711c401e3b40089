"""Speculative decoding: a small model drafts gamma tokens, the large one checks them in one pass.

Leviathan (2023), with an acceptance rate alpha that does not depend on position.
"""

from __future__ import annotations

from gpt4lab.quantities.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("speculation.tokens_per_pass", "token", source="leviathan2023",
          alpha="speculation.acceptance", gamma="speculation.draft_length")  # fmt: skip
def tokens_per_pass(alpha: Num, gamma: Num) -> Num:
    """Tokens that a pass of the large model yields: the accepted ones and one of its own."""
    return (1 - alpha ** (gamma + 1)) / (1 - alpha)


@quantity("speculation.speedup", "x", source="leviathan2023", n="speculation.tokens_per_pass",
          gamma="speculation.draft_length", c="speculation.draft_cost")  # fmt: skip
def speedup(n: Num, gamma: Num, c: Num) -> Num:
    """How many times faster tokens come while decoding is bound by memory (Theorem 3.8)."""
    return n / (gamma * c + 1)


@quantity("speculation.extra_flop", "x", source="leviathan2023", n="speculation.tokens_per_pass",
          gamma="speculation.draft_length", c="speculation.draft_cost")  # fmt: skip
def extra_flop(n: Num, gamma: Num, c: Num) -> Num:
    """FLOP per token over plain decoding, the draft's cost counted in FLOP: checked tokens are paid even if refused."""
    return (gamma * c + gamma + 1) / n
