"""Micro-batches that go round and round a line of stages, as answers do.

The token that leaves the last stage asks for the next at the first. Each stage takes one micro-batch after the other,
in the order in which they come.

    lap(ring([1, 1, 2], micro_batches=3))       # a round of one of them, once all have fallen into step
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

ROUNDS = 5  # the first ones sort out who waits where; from the third on each is as the one before


class Visit(NamedTuple):
    """A micro-batch at a stage, both from 0; in seconds, when it came, began and ended."""

    micro_batch: int
    stage: int
    came_s: float
    start_s: float
    end_s: float

    @property
    def waited_s(self) -> float:
        """Until the stage was free."""
        return self.start_s - self.came_s


def ring(seconds: Sequence[float], micro_batches: int, rounds: int = ROUNDS) -> list[Visit]:
    """Every visit of some rounds, in order of coming; all micro-batches come to the first stage at once."""
    free, found = [0.0] * len(seconds), list[Visit]()
    coming = [(0.0, micro_batch, 0) for micro_batch in range(micro_batches)]  # a heap: when, who, how many visits
    while coming:
        came, who, visits = heappop(coming)
        stage = visits % len(seconds)
        start = max(came, free[stage])
        free[stage] = end = start + seconds[stage]
        found.append(Visit(who, stage, came, start, end))
        if visits + 1 < rounds * len(seconds):
            heappush(coming, (end, who, visits + 1))
    return found


def lap(visits: Sequence[Visit]) -> list[Visit]:
    """The round before the last one of the first micro-batch, stage by stage."""
    own = [visit for visit in visits if visit.micro_batch == 0]
    stages = max(visit.stage for visit in own) + 1
    return own[-2 * stages : -stages]
