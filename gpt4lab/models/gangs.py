"""How long a gang stays together: until the longest of its answers is done, though the mean one is done long before."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from gpt4lab.catalog.traffic import traced
from gpt4lab.formulas.arith import Num


class Gang(NamedTuple):
    """So many requests of a service, drawn at random."""

    service: str
    size: Num


class GangLengths(NamedTuple):
    """Tokens of answers: on average, and of the longest in a gang."""

    mean: Num
    longest: Num


def gang_lengths(gang: Gang) -> GangLengths:
    """Mean of the answers of a service, and of the longest of so many that were drawn with replacement."""
    outputs = _sorted(gang.service)
    return GangLengths(sum(outputs) / len(outputs), longest(outputs, gang.size))


def longest(lengths: tuple[int, ...], n: Num) -> Num:
    """Mean of the longest of n lengths, drawn with replacement; `lengths` in ascending order.

    Below a share x of all lengths lie all n with the chance x^n.
    """
    total, before, of = 0.0, 0.0, len(lengths)
    for rank, length in enumerate(lengths, 1):
        if rank == of or lengths[rank] != length:  # the last of its length
            below = (rank / of) ** n
            total, before = total + length * (below - before), below
    return total


@cache
def _sorted(service: str) -> tuple[int, ...]:
    return tuple(sorted(request.output for request in traced(service)))
