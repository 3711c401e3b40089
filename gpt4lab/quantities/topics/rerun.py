"""The same run on newer machines: what a dollar buys there and on the older ones, and the trend."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, log, where
from gpt4lab.quantities.registry import again, quantity
from gpt4lab.quantities.topics.cluster import flop_per_s

quantity("rerun.flop_per_s", "FLOP/s", source="nvidia2022h100", n="rerun.gpus",
         F="rerun.accelerator.peak_bf16_flop_per_s")(flop_per_s)
again({
    "cluster.flop_available": ("rerun.flop_available", ""),
    "cluster.rental": ("rerun.rental", "Rent of the newer machines for the stated days."),
    "training.flop_from_machines": ("rerun.flop_from_machines", ""),
    "training.implied_mfu": ("rerun.implied_mfu", ""),
    "training.days": ("rerun.days_needed", ""),
    "training.cost": ("rerun.cost", "Rent of the newer machines for as long as the run takes."),
    "serving.paid_tokens_per_s": ("rerun.paid_tokens_per_s", ""),
    "serving.paid_mfu": ("rerun.paid_mfu", ""),
}, instead={
    "cluster.gpus": "rerun.gpus", "cluster.flop_per_s": "rerun.flop_per_s", "cluster.days": "rerun.days",
    "cluster.usd_per_gpu_hour": "rerun.usd_per_gpu_hour", "training.mfu": "rerun.mfu",
    "serving.accelerator.peak_bf16_flop_per_s": "rerun.accelerator.peak_bf16_flop_per_s",
    "serving.usd_per_gpu_hour": "rerun.usd_per_gpu_hour", "serving.usd_per_1k_tokens": "rerun.usd_per_1k_tokens",
})


again({
    "decode.micro_batch": ("rerun.micro_batch", "Tokens that pass a stage of the newer machines together."),
}, instead={"serving.tokens_in_flight": "rerun.tokens_in_flight"})


@quantity("rerun.peak_ratio", "x", source="nvidia2022h100", F_new="rerun.accelerator.peak_bf16_flop_per_s",
          F_old="cluster.accelerator.peak_bf16_flop_per_s", w="rerun.bytes_per_weight")
def peak_ratio(F_new: Num, F_old: Num, w: Num) -> Num:
    """Peak of a newer GPU over that of an older one; half the bytes a number, twice the rate."""
    return F_new * 2 / w / F_old


@quantity("rerun.bandwidth_ratio", "x", source="nvidia2022h100", W_new="rerun.accelerator.bandwidth_bytes_per_s",
          W_old="serving.accelerator.bandwidth_bytes_per_s")
def bandwidth_ratio(W_new: Num, W_old: Num) -> Num:
    """Memory bandwidth of a newer GPU over that of an older one."""
    return W_new / W_old


@quantity("rerun.price_performance", "x", source="arithmetic", r="rerun.peak_ratio", p_old="cluster.usd_per_gpu_hour",
          p_new="rerun.usd_per_gpu_hour")
def price_performance(r: Num, p_old: Num, p_new: Num) -> Num:
    """Peak FLOP/s that a dollar rents on the newer machines, over the older: what hardware alone brings."""
    return r * p_old / p_new


@quantity("rerun.improvement", "x", source="arithmetic", r="rerun.price_performance", MFU_new="rerun.mfu",
          MFU_old="training.mfu")
def improvement(r: Num, MFU_new: Num, MFU_old: Num) -> Num:
    """How many times cheaper the same run is: price-performance times utilisation."""
    return r * MFU_new / MFU_old


@quantity("rerun.cost_ratio", "x", source="arithmetic", C_new="rerun.rental", C_old="cluster.rental")
def cost_ratio(C_new: Num, C_old: Num) -> Num:
    """Cost of the second run over that of the first, both for the stated days."""
    return C_new / C_old


@quantity("rerun.trend", "x", source="hobbhahn2022", y="rerun.years", T="catalog/epoch/price-performance/ml_gpus")
def trend(y: Num, T: Num) -> Num:
    """Improvement that the long trend of FLOP/s per dollar gives in y years, doubling every T."""
    return 2 ** (y / T)


@quantity("rerun.doublings_per_year", "1/year", source="hobbhahn2022", y="rerun.years", r="rerun.improvement")
def doublings_per_year(y: Num, r: Num) -> Num:
    """Doublings a year that the improvement would mean, if it were a trend; the long trend has 0.4 to 0.5."""
    return log(r) / log(2) / y


@quantity("rerun.times_cheaper", "x", source="arithmetic", C_usd="cluster.stated_usd", C_new="rerun.rental")
def times_cheaper(C_usd: Num, C_new: Num) -> Num:
    """Stated cost of the first run over the rent of the second."""
    return C_usd / C_new


@quantity("rerun.mfu_ratio", "x", source="arithmetic", MFU_new="rerun.implied_mfu", MFU_old="budget.mfu")
def mfu_ratio(MFU_new: Num, MFU_old: Num) -> Num:
    """Utilisation that the second run needs over the one that the stated cost of the first allows."""
    return MFU_new / MFU_old


@quantity("rerun.throughput_ratio", "x", source="arithmetic", V_new="rerun.paid_tokens_per_s",
          V_old="serving.paid_tokens_per_s")
def throughput_ratio(V_new: Num, V_old: Num) -> Num:
    """How many times faster the newer machines must serve for the two stated costs."""
    return V_new / V_old


@quantity("rerun.share_of_peak", "fraction", source="arithmetic", M="rerun.implied_mfu", w="rerun.bytes_per_weight")
def share_of_peak(M: Num, w: Num) -> Num:
    """Share of the peak at the newer precision that the stated days need: half the bytes a number, twice the peak."""
    return M * w / 2


_MLPERF = (
    {"name": "rerun.best_share_fp8", "run": "catalog/measurements/mlperf-gpt3-768",
     "on": "768 H100: a small share of the training, for minutes"},
    {"name": "rerun.large_share_fp8", "run": "catalog/measurements/mlperf-gpt3-3584",
     "on": "3,584 H100, the most of its first round"},
)


@quantity("{name}", "fraction", source="eetimes2023", each=_MLPERF, s="{run}/share_of_run",
          C="catalog/models/gpt-3-175b/training_flop", n="{run}/gpus",
          F="catalog/accelerators/h100-sxm-80gb/peak_fp8_flop_per_s", t="{run}/seconds",
          about="Share of the FP8 peak that MLPerf's GPT-3 reached on {on}.")
def share_fp8(s: Num, C: Num, n: Num, F: Num, t: Num) -> Num:
    """Share of the FP8 peak that a run reached."""
    return s * C / (n * F * t)


@quantity("rerun.best_share", "fraction", source="arithmetic", w="rerun.bytes_per_weight", MFU_best="training.best_mfu",
          M_8="rerun.best_share_fp8")
def best_share(w: Num, MFU_best: Num, M_8: Num) -> Num:
    """Best share of the peak that has been published at this precision: of any run in 16 bits, of an H100 in FP8."""
    return where(w < 2, M_8, MFU_best)
