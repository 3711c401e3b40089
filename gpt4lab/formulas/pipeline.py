"""A pipeline of p stages and m micro-batches: how long stages wait, and how much they hold meanwhile.

Narayanan (2021): GPipe and 1F1B wait (p-1)/m of the useful time; v chunks of layers a stage (interleaving) divide
that by v. Qi (2023) splits backward into input and weight gradients and fills the wait with the latter; the
schedule here is their ZB-H1, which needs no more memory than 1F1B.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, maximum, minimum, where

#: Schedules in the order of their codes: a layout holds a name, a code, or an array of codes.
SCHEDULES = ("gpipe", "1f1b", "interleaved", "zero-bubble")
GPIPE, ONE_F_ONE_B, INTERLEAVED, ZERO_BUBBLE = range(4)


def micro_batches(B: Num, d: Num, b: Num) -> Num:
    """Micro-batches that a pipeline sees in a step: batch / (replicas × sequences in a micro-batch)."""
    return B / (d * b)


def bubble_overhead(p: Num, m: Num, v: Num) -> Num:
    """Waiting time over useful time; v chunks a stage, 1 for GPipe and 1F1B."""
    return (p - 1) / (v * m)


def bubble_fraction(p: Num, m: Num, v: Num) -> Num:
    """Waiting time over total time: the share of the step in which a GPU is idle."""
    return (p - 1) / (v * m + p - 1)


def zero_bubble_share(r: Num) -> Num:
    """What ZB-H1 leaves of the bubble: (F + B - 2W) / (F + B) with F = W = 1, B = 2 + r; r = 1 recomputes all."""
    return (1 + r) / (3 + r)


def in_flight(p: Num, m: Num, v: Num, schedule: Num) -> Num:
    """Micro-batches that the first stage holds at once: all with GPipe, else about one a stage.

    Interleaving adds (p-1)/v to the p of 1F1B (Korthikanti 2022).
    """
    return where(schedule == GPIPE, m, minimum(where(v > 1, p + (p - 1) / v, p), m))


def slowest_stage(L: Num, p: Num, H: Num, x: Num) -> Num:
    """Layers that the slowest stage is worth, if all but the last have x, and the last has logits worth H layers."""
    return maximum(x, maximum(L - (p - 1) * x, 0) + H)
