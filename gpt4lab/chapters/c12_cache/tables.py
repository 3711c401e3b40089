"""Chapter 12: which shapes have the post's parameters, what makes 32k impossible, and what a small batch costs."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.chapters.c12_cache.fit import WRITTEN_FOR
from gpt4lab.claims import ledger
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario, change, load_scenario
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
        _shape(
            "one key-value head, 168 query heads wider than the model",
            change(leak, {"model.d_model": 83 * size, "model.heads": 168, "model.d_ff": 340 * size}),
        ),
    ]


def _shape(words: str, scenario: Scenario) -> dict[str, Any]:
    attention, expert, kept = values(NAMES, scenario).values()
    model = scenario.model
    return {
        "shape": words,
        "width": f"{model.d_model:,}",
        "expert width": f"{model.d_ff / model.d_model:.3g} × width",
        "attention": show(attention, "param").removesuffix(" parameters"),
        "expert": show(expert, "param").removesuffix(" parameters"),
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
        "a prompt read in one piece, its scores written down": dict(ledger()["C60"].assume),
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
        "full 32k sequences": f"{fit_:,.0f}" if fit_ else "none",
        "the claim": "fails" if fit_ else "holds",
    }


def costs() -> list[dict[str, Any]]:
    """What the fuller model says of sequences that are all at their longest: how many fit, and what a token costs."""
    leak = load_scenario("leak")
    short, long = leak.model.context, leak.model.long_context
    forty = {"serving.accelerator": WRITTEN_FOR}
    crowds = {
        "80 GB, 8k": ({"serving.mean_context": short}, "gpt-4-8k"),
        "40 GB, 8k": ({**forty, "serving.mean_context": short}, "gpt-4-8k"),
        "80 GB, 32k": ({"serving.mean_context": long}, "gpt-4-32k"),
        "40 GB, 32k": ({**forty, "serving.mean_context": long}, "gpt-4-32k"),
    }
    return [_cost(words, change(leak, changed), price) for words, (changed, price) in crowds.items()]


def _cost(words: str, crowd: Scenario, price: str) -> dict[str, Any]:
    batch = int(value("answer.batch_that_fits", crowd))
    full = change(crowd, {"serving.tokens_in_flight": batch})
    return {
        "A100, every sequence full": words,
        "fit at once": f"{batch:,}",
        "a million tokens of answer cost": show(value("answer.usd_per_million_output", full), "USD"),
        "OpenAI’s price for them, 2023": show(1000 * (catalog.prices[price].usd_per_1k_output or 0), "USD"),
    }
