"""The training run: compute, days, utilisation, dollars."""

from __future__ import annotations

from gpt4lab.quantities.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("training.flop", "FLOP", source="kaplan2020", N_act="model.active_params", D="training.tokens")
def flop(N_act: Num, D: Num) -> Num:
    """Compute of the run: two FLOP a weight and token forward, four backward."""
    return 6 * N_act * D


@quantity(
    "training.days", "day", source="narayanan2021",
    C="training.flop", n="cluster.gpus", F="cluster.accelerator.peak_bf16_flop_per_s", MFU="training.mfu",
)  # fmt: skip
def days(C: Num, n: Num, F: Num, MFU: Num) -> Num:
    """Length of the run at the assumed utilisation."""
    return C / (n * F * MFU * 86_400)


@quantity(
    "training.cost", "USD", source="arithmetic",
    n="cluster.gpus", t="training.days", p="cluster.usd_per_gpu_hour",
)  # fmt: skip
def cost(n: Num, t: Num, p: Num) -> Num:
    """Rent of the cluster for as long as the run takes."""
    return n * 24 * t * p
