"""How often one of many parts fails, from a log of the whole machine."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num

DAYS_A_YEAR = 365.25


def years_per_gpu(n: Num, t: Num, f: Num) -> Num:
    """Years that one of n GPUs lasts on average, where f of them failed in t days."""
    return n * t / DAYS_A_YEAR / f
