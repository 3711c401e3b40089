"""Attention of a decode step: MHA against MQA, folded, by hand, with PyTorch's enable_gqa, and with repeated heads.

One layer, one token, 16 query heads of 64, float32, one thread, a full cache of 8k and of 32k tokens. The contestants
take turns; the medians' ratios are the result. Bar: with 16 times fewer bytes (16 key-value heads to 1) the folded
attention is faster by at least 0.95 of what this processor's own roofline allows, and equal to the others to 1e-5.

A turn is a few steps in a row, as a model decodes: then the small cache stays in the processor's last-level cache. The
same race with one step a turn ("cold", everything from memory) is reported beside it and is held to no bar: reading
and arithmetic then add up. How much arithmetic the core gives is measured too; a neighbour may take half of it.

Fewer heads mean fewer bytes, not less arithmetic: 16 query heads meet every key and value either way. So the roofline
is the time to read the cache of 16 heads, over the time to read that of one head, or to do its two products and its
softmax, whichever is longer, each measured by itself.

    python -m benchmarks.decode_attention
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks._shared import save
from gpt4lab.toys.decoding.cache import HEAD_WIDTH, HEADS, WAYS, KVCache, Timing, race, repeat_kv

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]  # query (H, D), keys and values (K, n, D) to (H, D)

CONTEXTS = (8192, 32_768)
KV_HEADS = (16, 4, 1)
ROUNDS = 9
NEAR, EQUAL = 0.95, 1e-5  # of the roofline; of each other
MATRIX = 1024  # of the product that tells how much arithmetic the core gives


def run(context: int, way: str, attend: Attend) -> dict[str, Any]:
    """One way at one context: milliseconds by number of key-value heads, and the largest difference from plain SDPA."""
    query = torch.randn(HEADS, HEAD_WIDTH)
    caches = {heads: KVCache(1, heads, HEAD_WIDTH, context).fill() for heads in KV_HEADS}
    runners = {heads: _runner(attend, query, cache) for heads, cache in caches.items()}
    row, cold = race(runners, ROUNDS), race(runners, ROUNDS, in_a_row=0)
    plain = [_runner(repeat_kv, query, cache)() for cache in caches.values()]
    off = [float((runners[h]() - p).abs().max()) for h, p in zip(KV_HEADS, plain, strict=True)]
    return {
        "context": context,
        "way": way,
        "gflop_per_s": arithmetic(),
        "bytes": {heads: cache.bytes for heads, cache in caches.items()},
        "formula_bytes": {heads: cache.predicted_bytes for heads, cache in caches.items()},
        "ms": _ms(row),
        "times_faster": row[16].seconds / row[1].seconds,
        "cold_ms": _ms(cold),
        "cold_times_faster": cold[16].seconds / cold[1].seconds,
        "scatter": max(t.seconds / t.quickest for t in row.values()),
        "largest_difference": max(off),
    }


def roofline(context: int) -> float:
    """How many times faster one head can be where reading and multiplying cost what each costs alone."""
    many, one = (KVCache(1, heads, HEAD_WIDTH, context).fill() for heads in (16, 1))
    query, weights = torch.randn(HEADS, HEAD_WIDTH), torch.rand(HEADS, context)
    runners = {
        "many": lambda: (many.keys.sum(), many.values.sum()),
        "one": lambda: (one.keys.sum(), one.values.sum()),
        "arithmetic": lambda: (query @ one.keys[0, 0].T, weights.softmax(-1), weights @ one.values[0, 0]),
    }
    seconds = {name: timing.seconds for name, timing in race(runners, ROUNDS).items()}
    return seconds["many"] / max(seconds["one"], seconds["arithmetic"])


def arithmetic() -> float:
    """GFLOP/s of a matrix product on this core, now."""
    square = torch.randn(MATRIX, MATRIX)
    return 2 * MATRIX**3 / race({"product": lambda: square @ square}, 3)["product"].seconds / 1e9


def _runner(attend: Attend, query: Tensor, cache: KVCache) -> Callable[[], Tensor]:
    return lambda: attend(query, cache.keys[0], cache.values[0])


def _ms(found: dict[int, Timing]) -> dict[int, float]:
    return {heads: 1e3 * timing.seconds for heads, timing in found.items()}


def table(ways: Mapping[str, Attend]) -> list[dict[str, Any]]:
    """Every way at every context, printed as they come."""
    torch.manual_seed(0)
    rows = []
    print(
        f"{'context':>7}  {'way':<27}{'16 heads':>12}{'1 head':>12}{'faster':>8}{'cold':>8}{'GFLOP/s':>9}{'scatter':>9}"
    )
    for context in CONTEXTS:
        for way, attend in ways.items():
            r = run(context, way, attend)
            rows.append(r)
            print(
                f"{context:>7}  {way:<27}{r['ms'][16]:>9.2f} ms{r['ms'][1]:>9.2f} ms{r['times_faster']:>8.1f}"
                f"{r['cold_times_faster']:>8.1f}{r['gflop_per_s']:>9.0f}{r['scatter']:>9.2f}",
                flush=True,
            )
    return rows


def settings() -> dict[str, Any]:
    """What was measured, and how busy the machine was."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"query_heads": HEADS, "head_width": HEAD_WIDTH, "threads": 1, "rounds": ROUNDS, "load": load}


def main() -> int:
    """Measure, print, write; the exit status says whether the bar holds."""
    rows = table(WAYS)
    limits = {context: roofline(context) for context in CONTEXTS}
    near = {row["context"]: row["times_faster"] / limits[row["context"]] for row in rows if row["way"] == "folded"}
    exact = all(row["largest_difference"] <= EQUAL for row in rows)
    holds = exact and all(share >= NEAR for share in near.values())
    found = {"near": NEAR, "holds": holds, "roofline": limits, "settings": settings(), "rows": rows}
    print(f"bar {NEAR} of the roofline: {'holds' if holds else 'missed'}, {near}; the roofline itself:", limits)
    return save("decode_attention", found, "torch")


if __name__ == "__main__":
    sys.exit(main())
