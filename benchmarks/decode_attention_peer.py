"""Attention of a decode step as a mainstream library does it, transformers, beside the book's folded one.

    python3 book.py bench decode_attention_peer

The race of decode_attention.py with the library's own functions: SDPA as a model calls it without a mask, as with its
growing cache, where it hands the shared heads to PyTorch; SDPA under a mask, as with its static cache, where it folds
the heads; and its eager attention. All must agree to 1e-5. The caches are full and nothing is added to them: what the
growing cache copies for each new token is left out, in the library's favour. Bars: the folded pass over one head takes
at most half the time of the first way, the library's default, and no longer than the second, give or take the clock.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.llama.modeling_llama import eager_attention_forward

from benchmarks._shared import save
from benchmarks.decode_attention import CONTEXTS, EQUAL, Attend, settings, table
from gpt4lab.toys.decoding.cache import folded

CLOCK = 1.05  # what two runs of the same may differ by


def library(forward: Any, *, masked: bool = False) -> Attend:
    """One of the library's functions; it wants a module that knows how many query heads share a key-value head."""

    def attend(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        module = SimpleNamespace(num_key_value_groups=len(query) // len(keys), training=False, is_causal=True)
        mask = torch.ones(1, 1, 1, keys.shape[1], dtype=torch.bool) if masked else None
        scaling = query.shape[-1] ** -0.5
        found, _ = forward(module, query[None, :, None], keys[None], values[None], mask, scaling=scaling, dropout=0.0)
        return found[0, 0]  # (1, 1, H, D)

    return attend


WAYS: dict[str, Attend] = {
    "library, sdpa": library(sdpa_attention_forward),
    "library, sdpa under a mask": library(sdpa_attention_forward, masked=True),
    "library, eager": library(eager_attention_forward),
    "folded": folded,
}


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The time of one key-value head, folded, in units of the library's, at each context."""
    ms = {(row["context"], row["way"]): row["ms"][1] for row in rows}
    return [
        {"what": f"{way}, {context} tokens", "value": ms[context, "folded"] / ms[context, way], "bar": most}
        for context in CONTEXTS
        for way, most in (("library, sdpa", 0.5), ("library, sdpa under a mask", CLOCK))
    ]


def main() -> int:
    """Print the table, write the JSON; the exit status says whether the bars hold."""
    rows = table(WAYS)
    if any(row["largest_difference"] > EQUAL for row in rows):
        sys.exit("The ways to attend differ: their speeds cannot be compared.")
    held = [bar | {"met": bar["value"] <= bar["bar"]} for bar in bars(rows)]
    for bar in held:
        print("folded in units of {what}: {value:.2f}, bar {bar}, met: {met}".format(**bar))
    found = {"peer": "transformers", "settings": settings(), "bars": held, "rows": rows}
    return save("decode_attention_peer", found, "torch", "transformers")


if __name__ == "__main__":
    sys.exit(main())
