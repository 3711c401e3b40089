"""The stated price, and what would have to be true for it."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("budget.days", "day", source="arithmetic", C_usd="cluster.stated_usd", n="cluster.gpus",
          p="cluster.usd_per_gpu_hour")
def days(C_usd: Num, n: Num, p: Num) -> Num:
    """Days for which the stated cost rents the cluster."""
    return C_usd / (24 * n * p)


@quantity("budget.gpus", "GPU", source="arithmetic", C_usd="cluster.stated_usd", t="cluster.days",
          p="cluster.usd_per_gpu_hour")
def gpus(C_usd: Num, t: Num, p: Num) -> Num:
    """GPUs that the stated cost rents for the stated days."""
    return C_usd / (24 * t * p)


@quantity("budget.price", "USD/GPU/hour", source="arithmetic", C_usd="cluster.stated_usd", n="cluster.gpus",
          t="cluster.days")
def price(C_usd: Num, n: Num, t: Num) -> Num:
    """Hourly price at which the stated GPUs and days cost what is stated."""
    return C_usd / (24 * n * t)


@quantity("budget.mfu", "fraction", source="arithmetic", C="training.flop", p="cluster.usd_per_gpu_hour",
          F="cluster.accelerator.peak_bf16_flop_per_s", C_usd="cluster.stated_usd")
def mfu(C: Num, p: Num, F: Num, C_usd: Num) -> Num:
    """Utilisation at which the compute costs what is stated; the number of GPUs does not matter."""
    return C * p / (3600 * F * C_usd)


@quantity("budget.usd_per_flop", "USD/FLOP", source="arithmetic", p="cluster.usd_per_gpu_hour",
          F="cluster.accelerator.peak_bf16_flop_per_s", MFU="training.mfu")
def usd_per_flop(p: Num, F: Num, MFU: Num) -> Num:
    """Price of one useful FLOP."""
    return p / (3600 * F * MFU)
