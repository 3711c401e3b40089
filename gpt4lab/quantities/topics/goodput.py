"""Failures and checkpoints: how much of the time a cluster of many unreliable parts does useful work.

Failures come at random (exponentially) with a mean time M between them. After tau of work a checkpoint takes
delta; a failure costs the work since the last checkpoint and the restart R. Daly (2006) gives the expected time.
Hours throughout. Left out: failures that slow the run without stopping it, failures that come together, nodes that
are slow, and restarts for other reasons, such as a loss that diverges. `goodput.days` takes the MFU as that of
undisturbed work; the stated one is of the whole run, pauses included, and would count the failures twice.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, exp, maximum, sqrt
from gpt4lab.formulas.failures import DAYS_A_YEAR
from gpt4lab.quantities.registry import quantity


@quantity(
    "goodput.failures_per_day", "failure/day", source="llama2024", n="cluster.gpus", M_gpu="reliability.gpu_mtbf_years"
)
def failures_per_day(n: Num, M_gpu: Num) -> Num:
    """Failures a day in the whole cluster."""
    return n / (M_gpu * DAYS_A_YEAR)


@quantity("goodput.mtbf", "hour", source="arithmetic", f="goodput.failures_per_day")
def mtbf(f: Num) -> Num:
    """Mean time between failures of the whole cluster."""
    return 24 / f


@quantity("goodput.failures", "failure", source="arithmetic", f="goodput.failures_per_day", t="cluster.days")
def failures(f: Num, t: Num) -> Num:
    """Failures to expect in the stated days."""
    return f * t


@quantity("goodput.checkpoint", "hour", source="arithmetic", t="reliability.checkpoint_minutes",
          about="Time to write a checkpoint.")
@quantity("goodput.restart", "hour", source="arithmetic", t="reliability.restart_minutes",
          about="Time from a failure until the run goes on.")
def hours(t: Num) -> Num:
    """Minutes as hours, in which the laws below are written."""
    return t / 60


@quantity("goodput.young_interval", "hour", source="young1974", delta="goodput.checkpoint", M="goodput.mtbf")
def young_interval(delta: Num, M: Num) -> Num:
    """Best time between checkpoints by Young's rule: the root of twice the checkpoint time times M."""
    return sqrt(2 * delta * M)


@quantity("goodput.daly_interval", "hour", source="daly2006", tau="goodput.young_interval",
          delta="goodput.checkpoint", M="goodput.mtbf")
def daly_interval(tau: Num, delta: Num, M: Num) -> Num:
    """Best time between checkpoints by Daly's series: Young's rule with two corrections, for delta < 2 M."""
    return tau * (1 + sqrt(delta / (2 * M)) / 3 + delta / (18 * M)) - delta


@quantity("goodput.share", "fraction", source="daly2006", tau="reliability.checkpoint_interval_hours",
          delta="goodput.checkpoint", R="goodput.restart", M="goodput.mtbf",
          about="Share of the time that becomes useful work, with checkpoints as often as assumed.")
@quantity("goodput.best_share", "fraction", source="daly2006", tau="goodput.young_interval",
          delta="goodput.checkpoint", R="goodput.restart", M="goodput.mtbf",
          about="Share of the time that becomes useful work, with checkpoints at Young's interval.")
def share(tau: Num, delta: Num, R: Num, M: Num) -> Num:
    """Share of the time that becomes useful work: tau over the expected time to get it done and saved.

    That time is M exp(R/M) (exp((tau + delta)/M) - 1); written with falling exponentials, which cannot overflow.
    """
    return tau * exp(-(R + tau + delta) / M) / (M * (1 - exp(-(tau + delta) / M)))


@quantity("goodput.days", "day", source="arithmetic", t="training.days", eta="goodput.share")
def days(t: Num, eta: Num) -> Num:
    """Length of the run with its failures, if the MFU assumed is that of undisturbed work."""
    return t / maximum(eta, 1e-12)


@quantity("goodput.lost_usd", "USD", source="arithmetic", C_usd="training.cost", eta="goodput.share")
def lost_usd(C_usd: Num, eta: Num) -> Num:
    """What failures and checkpoints add to the cost."""
    return C_usd * (1 / maximum(eta, 1e-12) - 1)


@quantity("goodput.mfu_undisturbed", "fraction", source="arithmetic", MFU="training.implied_mfu", eta="goodput.share")
def mfu_undisturbed(MFU: Num, eta: Num) -> Num:
    """Utilisation between failures: the stated one over the share of useful time."""
    return MFU / maximum(eta, 1e-12)


@quantity("goodput.share_needed", "fraction", source="arithmetic", MFU="training.mfu", MFU_full="training.full_mfu")
def share_needed(MFU: Num, MFU_full: Num) -> Num:
    """Share of useful time at which failures alone would explain the stated MFU."""
    return MFU / MFU_full


@quantity(
    "goodput.minutes_needed",
    "minute/failure",
    source="arithmetic",
    eta="goodput.share_needed",
    f="goodput.failures_per_day",
)
@quantity(
    "goodput.minutes_spent",
    "minute/failure",
    source="arithmetic",
    eta="goodput.share",
    f="goodput.failures_per_day",
    about="Minutes that failures and checkpoints take, for each failure.",
)
def minutes_per_failure(eta: Num, f: Num) -> Num:
    """Minutes that each failure must take, all told, for failures alone to explain the stated MFU."""
    return (1 - eta) * 1440 / f
