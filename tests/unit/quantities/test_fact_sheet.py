"""The numbers of the fact sheet that go beyond the claims, as published there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gpt4lab.quantities.registry import unchecked
from gpt4lab.scenario import load_scenario

LEAK = load_scenario("leak")

DAYS = ({"cluster.days": 90}, {"cluster.days": 100})

# The numbers of the fact sheet that go beyond the claims: (quantity, settings, value), as published there.
DERIVED: Mapping[str, tuple[str, tuple[Mapping[str, Any], ...], tuple[float, ...]]] = {
    "tokens per second": ("training.tokens_per_s", DAYS[::-1], (1.505e6, 1.672e6)),
    "tokens per second and GPU": ("training.tokens_per_s_per_gpu", DAYS[::-1], (60.19, 66.87)),
    "steps": ("batch.steps", ({},), (216_667,)),
    "seconds per step": ("batch.seconds_per_step", DAYS, (35.89, 39.88)),
    "replicas": ("cluster.replicas_exact", ({},), (208.33,)),
    "sequences per replica": ("batch.sequences_per_replica", ({},), (35.21,)),
    "bubble": (
        "pipeline.bubble",
        ({}, {"cluster.interleave": 2}, {"cluster.interleave": 4}, {"cluster.interleave": 8}),
        (0.2857, 0.1667, 0.09091, 0.04762),
    ),
    "MFU before the bubble": (
        "training.mfu_before_bubble",
        ({"training.mfu": 0.32}, {"training.mfu": 0.36}),
        (0.448, 0.504),
    ),
    "optimiser state": ("memory.optimiser", ({"cluster.zero": 0}, {}), (183.1e9, 0.8803e9)),
    "memory by ZeRO stage": (
        "memory.states",
        tuple({"cluster.zero": stage} for stage in range(4)),
        (244.1e9, 61.91e9, 31.54e9, 1.174e9),
    ),
    "tokens per expert": ("moe.training_tokens_per_expert", ({},), (1.625e12,)),
    "latency floor": (
        "decode.latency_floor",
        tuple(
            {"model.shared_params": 24e9, "serving.accelerator": machine, "serving.bytes_per_weight": width}
            for machine, width in (
                ("a100-sxm-40gb", 2),
                ("a100-sxm-80gb", 2),
                ("a100-sxm-80gb", 1),
                ("h100-sxm-80gb", 2),
                ("h100-sxm-80gb", 1),
            )
        ),
        (0.2894, 0.2207, 0.1103, 0.1343, 0.06716),
    ),
    "throughput": ("decode.tokens_per_s_floor", ({"model.shared_params": 24e9},), (18_559,)),
    "margin": ("serving.margin", ({}, {"serving.price_per_1k_tokens": 0.03}), (0.9183, 0.8367)),
    "best dense model": ("scaling.besiroglu_params", ({"training.flop": 2.15e25},), (462.0e9,)),
    "its tokens": ("scaling.besiroglu_tokens", ({"training.flop": 2.15e25},), (7.756e12,)),
    "dense equivalent": ("moe.dense_equivalent", ({},), (674.8e9,)),
    "energy": ("cluster.energy", ({},), (45.46e9,)),
    "DeepSeek's batch": ("batch.deepseek", ({"training.flop": 2.15e25},), (5.644e7,)),
    "effective tokens": ("data.effective_tokens", ({},), (1.264e13,)),
    "MFU of NVIDIA's run": (
        "rerun.implied_mfu",
        ({"training.flop": 2.15e25, "rerun.gpus": 8000, "rerun.days": 90},),
        (0.3493,),
    ),
}


@pytest.mark.parametrize("what", DERIVED)
def test_derived_numbers_of_the_fact_sheet(what: str) -> None:
    name, cases, published = DERIVED[what]
    found = [unchecked((name,), LEAK, settings)[name] for settings in cases]  # as published, possible or not
    assert found == pytest.approx(published, rel=1e-3)
