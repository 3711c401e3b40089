"""Chapter 12: two tables: which shapes have the post's parameters, and which assumption makes 32k impossible."""

from __future__ import annotations

from math import floor
from typing import Any

from gpt4lab.chapters.c12_cache.fit import WRITTEN_FOR
from gpt4lab.quantities import value, values
from gpt4lab.scenario import change, load_scenario
from gpt4lab.units import show

NAMES = ("geometry.attention_params", "geometry.expert_params", "kv.bytes_per_token")


def shapes() -> list[dict[str, Any]]:
    """Widths with one key-value head or with all, and the parameters that each would have."""
    leak = load_scenario("leak")
    proxy, heads, size = load_scenario("nvidia-proxy"), leak.model.heads, leak.model.head_dim
    wide = round(value("geometry.width_from_mqa", leak) / size) * size
    return [
        _shape("every query head its own (MHA), experts 4 wide", change(leak, {"model.kv_heads": heads})),
        _shape("the same width, one key-value head", leak),
        _shape(
            "one key-value head, wider",
            change(leak, {"model.d_model": wide, "model.heads": wide // size, "model.d_ff": 2 * wide}),
        ),
        _shape("NVIDIA’s proxy (layers, one head assumed)", proxy),
    ]


def _shape(words: str, scenario: Any) -> dict[str, Any]:
    attention, expert, kept = values(NAMES, scenario).values()
    model = scenario.model
    return {
        "shape": words,
        "width": f"{model.d_model:,}",
        "expert width": f"{model.d_ff / model.d_model:.3g} × width",
        "attention": show(attention, "param"),
        "expert": show(expert, "param"),
        "cache": show(kept, "byte/token"),
    }


def assumptions() -> list[dict[str, Any]]:
    """What must be different for the claim about 32k on 40 GB to hold: one assumption at a time."""
    model = load_scenario("leak").model
    changes: dict[str, dict[str, Any]] = {
        "as the post has it, 16 stages": {},
        "15 stages, as in its other sentence": {"serving.pipeline": 15},
        "eight key-value heads for 88 query heads (GQA), one on each rank": {"model.kv_heads": 8, "model.heads": 88},
        "one for each query head (MHA), dealt out to the ranks": {"model.kv_heads": model.heads},
        "cache in 32 bits": {"serving.bytes_per_kv": 4},
        "overhead of 14 GB instead of 2": {"serving.overhead_bytes": 14e9},
        "64 GPUs: 8 stages": {"serving.pipeline": 8},
        "weights in 8 bits": {"serving.bytes_per_weight": 1},
    }
    return [_assumed(words, changed) for words, changed in changes.items()]


def _assumed(words: str, changed: dict[str, Any]) -> dict[str, Any]:
    there = change(load_scenario("leak"), {"serving.accelerator": WRITTEN_FOR, **changed})
    found = values(("kv.free_bytes", "kv.long_sequences"), there)
    free, fit_ = found["kv.free_bytes"], found["kv.long_sequences"]
    return {
        "one change at a time": words,
        "free on each GPU": show(free, "byte") if free > 0 else "nothing",
        "full 32k sequences": f"{floor(fit_):,}" if fit_ >= 1 else "none",
        "the claim": "holds" if fit_ < 1 else "fails",
    }
