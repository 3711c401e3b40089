"""The training run: compute, days, utilisation, dollars, energy.

{FLOP, GPUs, days, MFU} obey one equation. Each function here solves it for one of them, so that a reader may start
from whichever three they believe.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import quantity


@quantity("training.flop", "FLOP", source="kaplan2020", N="model.active_params", D="training.tokens")
@quantity("training.dense_flop", "FLOP", source="kaplan2020", N="model.total_params", D="training.tokens",
          about="Compute of the run if every token passed through all parameters.")
def flop(N: Num, D: Num) -> Num:
    """Compute of the run: two FLOP a weight and token forward, four backward."""
    return 6 * N * D


@quantity("training.tokens_from_flop", "token", source="kaplan2020", C="training.flop", N="model.active_params")
def tokens_from_flop(C: Num, N: Num) -> Num:
    """Tokens that a stated compute implies."""
    return C / (6 * N)


@quantity("training.params_from_flop", "param", source="kaplan2020", C="training.flop", D="training.tokens")
def params_from_flop(C: Num, D: Num) -> Num:
    """Active parameters that a stated compute implies."""
    return C / (6 * D)


@quantity("training.flop_vs_gpt3", "x", source="epoch-models-2025", C="training.flop",
          C_GPT3="catalog/models/gpt-3-175b/training_flop")
def flop_vs_gpt3(C: Num, C_GPT3: Num) -> Num:
    """Compute of the run, in runs of GPT-3."""
    return C / C_GPT3


@quantity("training.flop_from_machines", "FLOP", source="narayanan2021", C_peak="cluster.flop_available",
          MFU="training.mfu")
def flop_from_machines(C_peak: Num, MFU: Num) -> Num:
    """Compute that the stated GPUs and days deliver at the assumed utilisation."""
    return C_peak * MFU


@quantity("training.implied_mfu", "fraction", source="chowdhery2022", C="training.flop",
          C_peak="cluster.flop_available")
def implied_mfu(C: Num, C_peak: Num) -> Num:
    """Utilisation that the stated compute, GPUs and days imply."""
    return C / C_peak


@quantity("training.implied_hfu", "fraction", source="chowdhery2022", MFU="training.implied_mfu")
def implied_hfu(MFU: Num) -> Num:
    """The same with full recomputation counted as work: 8 FLOP a parameter and token instead of 6."""
    return MFU * 8 / 6


@quantity("training.mfu_if_hfu", "fraction", source="chowdhery2022", HFU="training.mfu")
def mfu_if_hfu(HFU: Num) -> Num:
    """The utilisation, if what is stated counts full recomputation as work. Epoch suspects that it does."""
    return HFU * 6 / 8


@quantity("training.days", "day", source="narayanan2021", C="training.flop", F="cluster.flop_per_s", MFU="training.mfu")
def days(C: Num, F: Num, MFU: Num) -> Num:
    """Length of the run at the assumed utilisation."""
    return C / (F * MFU * 86_400)


@quantity("training.gpus_needed", "GPU", source="narayanan2021", C="training.flop",
          F="cluster.accelerator.peak_bf16_flop_per_s", t="cluster.days", MFU="training.mfu")
def gpus_needed(C: Num, F: Num, t: Num, MFU: Num) -> Num:
    """GPUs that finish the run in the stated days at the assumed utilisation."""
    return C / (F * 86_400 * t * MFU)


@quantity("training.cost", "USD", source="arithmetic", n="cluster.gpus", t="training.days",
          p="cluster.usd_per_gpu_hour")
def cost(n: Num, t: Num, p: Num) -> Num:
    """Rent of the cluster for as long as the run takes."""
    return n * 24 * t * p


@quantity("training.gpu_hours", "GPU*hour", source="arithmetic", n="cluster.gpus", t="training.days")
def gpu_hours(n: Num, t: Num) -> Num:
    """GPU-hours of the run at the assumed utilisation."""
    return n * 24 * t


@quantity("training.flop_per_usd", "FLOP/USD", source="arithmetic", C="training.flop", C_usd="training.cost")
def flop_per_usd(C: Num, C_usd: Num) -> Num:
    """Useful compute that a dollar buys."""
    return C / C_usd


@quantity("training.tokens_per_s", "token/s", source="arithmetic", D="training.tokens", t="cluster.days")
def tokens_per_s(D: Num, t: Num) -> Num:
    """Speed of the run, if it takes the stated days."""
    return D / (t * 86_400)


@quantity("training.tokens_per_s_per_gpu", "token/s/GPU", source="arithmetic", V="training.tokens_per_s",
          n="cluster.gpus")
def tokens_per_s_per_gpu(V: Num, n: Num) -> Num:
    """Speed of one GPU."""
    return V / n


@quantity("training.energy", "Wh", source="epoch2026", P="cluster.power", t="training.days")
def energy(P: Num, t: Num) -> Num:
    """Electricity of the run for as long as it takes at the assumed utilisation."""
    return P * 24 * t


@quantity("training.mfu_before_bubble", "fraction", source="arithmetic", MFU="training.mfu", beta="pipeline.bubble")
def mfu_before_bubble(MFU: Num, beta: Num) -> Num:
    """Utilisation while the pipeline is full: what the stated MFU would be without the bubble."""
    return MFU / (1 - beta)


@quantity("training.full_mfu", "fraction", source="arithmetic", MFU_best="training.best_mfu",
          beta_best="training.best_bubble")
def full_mfu(MFU_best: Num, beta_best: Num) -> Num:
    """Best credible MFU with a full pipeline: without the bubble that is in it."""
    return MFU_best / (1 - beta_best)


@quantity("training.mfu_after_bubble", "fraction", source="arithmetic", MFU_full="training.full_mfu",
          beta="pipeline.bubble")
def mfu_after_bubble(MFU_full: Num, beta: Num) -> Num:
    """What the bubble leaves of the MFU with a full pipeline."""
    return MFU_full * (1 - beta)


@quantity("training.mfu_after_failures", "fraction", source="arithmetic", MFU_full="training.full_mfu",
          eta="goodput.share")
def mfu_after_failures(MFU_full: Num, eta: Num) -> Num:
    """What failures and checkpoints leave of the MFU with a full pipeline."""
    return MFU_full * eta


@quantity("training.mfu_left", "fraction", source="arithmetic", MFU_full="training.full_mfu", beta="pipeline.bubble",
          eta="goodput.share")
def mfu_left(MFU_full: Num, beta: Num, eta: Num) -> Num:
    """What the pipeline's bubble and the failures leave together of the MFU with a full pipeline."""
    return MFU_full * (1 - beta) * eta


@quantity("training.tokens_afforded", "token", source="kaplan2020", C_peak="cluster.flop_available", MFU="training.mfu",
          N="model.active_params")
def tokens_afforded(C_peak: Num, MFU: Num, N: Num) -> Num:
    """Tokens on which these GPUs can train the model in the stated days."""
    return C_peak * MFU / (6 * N)
