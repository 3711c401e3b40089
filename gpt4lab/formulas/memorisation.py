"""Memorisation in bits: how far a secret stands out among others of its kind that a model never saw."""

from __future__ import annotations

from math import log2


def exposure(rank: int, size: int) -> float:
    """Bits by which a secret stands out: log2 |R| - log2 rank, among `size` candidates R (Carlini 2019).

    rank: 1 for the candidate that the model finds most likely. At most log2 |R|, where the model prefers the secret to
    all others; what a secret never seen has on the mean is `chance_exposure`. Raises ValueError outside 1 ... size.
    """
    if not 1 <= rank <= size:
        raise ValueError(f"rank must be between 1 and the {size} candidates, not {rank}")
    return log2(size) - log2(rank)


def chance_exposure(size: int) -> float:
    """Mean exposure where every rank is equally likely, in bits: log2 e = 1.44 for many candidates; the median is 1."""
    return sum(exposure(rank, size) for rank in range(1, size + 1)) / size
