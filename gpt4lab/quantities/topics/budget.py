"""The stated price: what would have to be true for it, and what the parts of a saving are.

Also what failures and the pipeline leave of the utilisation, apart and together.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("budget.days", "day", source="arithmetic",
          C_usd="cluster.stated_usd", n="cluster.gpus", p="cluster.usd_per_gpu_hour")
def days(C_usd: Num, n: Num, p: Num) -> Num:
    """Days for which the stated cost rents the cluster."""
    return C_usd / (24 * n * p)


@quantity("budget.gpus", "GPU", source="arithmetic",
          C_usd="cluster.stated_usd", t="cluster.days", p="cluster.usd_per_gpu_hour")
def gpus(C_usd: Num, t: Num, p: Num) -> Num:
    """GPUs that the stated cost rents for the stated days."""
    return C_usd / (24 * t * p)


@quantity("budget.price", "USD/GPU/hour", source="arithmetic",
          C_usd="cluster.stated_usd", n="cluster.gpus", t="cluster.days")
def price(C_usd: Num, n: Num, t: Num) -> Num:
    """Hourly price at which the stated GPUs and days cost what is stated."""
    return C_usd / (24 * n * t)


@quantity(
    "budget.mfu", "fraction", source="arithmetic", C="training.flop", p="cluster.usd_per_gpu_hour",
    F="cluster.accelerator.peak_bf16_flop_per_s", C_usd="cluster.stated_usd",
)
def mfu(C: Num, p: Num, F: Num, C_usd: Num) -> Num:
    """Utilisation at which the compute costs what is stated; the number of GPUs does not matter."""
    return C * p / (3600 * F * C_usd)


@quantity("budget.usd_per_flop", "USD/FLOP", source="arithmetic",
          p="cluster.usd_per_gpu_hour", F="cluster.accelerator.peak_bf16_flop_per_s", MFU="training.mfu")
def usd_per_flop(p: Num, F: Num, MFU: Num) -> Num:
    """Price of one useful FLOP."""
    return p / (3600 * F * MFU)


@quantity("rerun.times_cheaper", "x", source="arithmetic", C_usd="cluster.stated_usd", C_new="rerun.rental")
def times_cheaper(C_usd: Num, C_new: Num) -> Num:
    """Stated cost of the first run over the rent of the second."""
    return C_usd / C_new


@quantity("rerun.mfu_ratio", "x", source="arithmetic", MFU_new="rerun.implied_mfu", MFU_old="budget.mfu")
def mfu_ratio(MFU_new: Num, MFU_old: Num) -> Num:
    """Utilisation that the second run needs over the one that the stated cost of the first allows."""
    return MFU_new / MFU_old


@quantity("goodput.minutes_needed", "minute/failure", source="arithmetic",
          eta="goodput.share_needed", f="goodput.failures_per_day")
@quantity("goodput.minutes_spent", "minute/failure", source="arithmetic", eta="goodput.share",
          f="goodput.failures_per_day",
          about="Minutes that failures and checkpoints take, for each failure.")
def minutes_per_failure(eta: Num, f: Num) -> Num:
    """Minutes that each failure must take, all told, for failures alone to explain the stated MFU."""
    return (1 - eta) * 1440 / f


@quantity("training.mfu_after_failures", "fraction", source="arithmetic",
          MFU_full="training.best_mfu", eta="goodput.share")
def mfu_after_failures(MFU_full: Num, eta: Num) -> Num:
    """What failures and checkpoints leave of the best credible MFU."""
    return MFU_full * eta


@quantity("training.mfu_left", "fraction", source="arithmetic",
          MFU_full="training.best_mfu", beta="pipeline.bubble", eta="goodput.share")
def mfu_left(MFU_full: Num, beta: Num, eta: Num) -> Num:
    """What the pipeline's bubble and the failures leave together of the best credible MFU."""
    return MFU_full * (1 - beta) * eta


@quantity("training.tokens_afforded", "token", source="kaplan2020",
          C_peak="cluster.flop_available", MFU="training.mfu", N="model.active_params")
def tokens_afforded(C_peak: Num, MFU: Num, N: Num) -> Num:
    """Tokens on which these GPUs can train the model in the stated days."""
    return C_peak * MFU / (6 * N)
