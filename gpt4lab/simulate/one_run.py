"""One training run with failures, piece by piece, in plain Python: what `failures` sums over many.

    habits = Habits(mtbf_h=2.0, interval_h=0.5, checkpoint_h=1 / 60, restart_h=1 / 6)
    for piece in pieces(gaps(habits.mtbf_h, seed=1), habits, hours=720):
        print(piece.kind, piece.start, piece.end)

Failures come at random, with a mean time between them, and stop everything. The gap before a failure begins with a
restart (the first gap of a run does not); then work and checkpoints take turns. Work is kept once its checkpoint is
finished; what came after is lost. A failure during a restart begins it again, one during a checkpoint spoils it.
Times are exact: nothing happens in steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from random import Random

from attrs import frozen

from gpt4lab.scenario.field import number

#: What a moment of the run is spent on.
KINDS = ("work kept", "work lost", "checkpoint", "restart")
KEPT, LOST, CHECKPOINT, RESTART = range(4)


@frozen
class Habits:
    """How often it breaks and what is done about it. Hours throughout."""

    mtbf_h: float = number(2, "hour", 1e-9, 1e15, "Mean time between failures", "of all machines", "assumed", log=True)
    interval_h: float = number(0.5, "hour", 1e-9, 1e15, "Checkpoint every", "work between", "assumed", log=True)
    checkpoint_h: float = number(0, "hour", 0, 1e15, "Checkpoint time", "the run stands still", "assumed")
    restart_h: float = number(0, "hour", 0, 1e15, "Restart time", "until the run goes on", "assumed")

    @property
    def round_h(self) -> float:
        """Work and the checkpoint that saves it."""
        return self.interval_h + self.checkpoint_h


@frozen
class Piece:
    """Hours from `start` to `end`, spent on one of `KINDS`; `failed`: a failure ends it."""

    kind: int
    start: float
    end: float
    failed: bool = False

    @property
    def hours(self) -> float:
        """How long it takes."""
        return self.end - self.start


def gaps(mtbf_h: float, seed: int) -> Iterator[float]:
    """Hours from each failure to the next, without an end. The same seed is the same luck, stretched by `mtbf_h`."""
    luck = Random(seed)
    while True:
        yield luck.expovariate(1) * mtbf_h


def pieces(between: Iterable[float], habits: Habits, hours: float) -> Iterator[Piece]:
    """The first `hours` of a run, given the hours between its failures; none of its pieces is empty."""
    start = 0.0
    for count, gap in enumerate(between):
        failure = start + gap
        end = min(failure, hours)
        ready = min(start + habits.restart_h * (count > 0), end)
        last = [piece for piece in _gap(start, ready, end, failure < hours, habits) if piece.end > piece.start]
        yield from last[:-1]
        yield from (Piece(piece.kind, piece.start, piece.end, failure < hours) for piece in last[-1:])
        if failure >= hours:
            return
        start = failure


def _gap(start: float, ready: float, end: float, failed: bool, habits: Habits) -> Iterator[Piece]:
    """From one failure to the next: a restart, whole rounds, and the one that the failure interrupts."""
    yield Piece(RESTART, start, ready)
    rounds = int((end - ready) // habits.round_h)
    for at in (ready + each * habits.round_h for each in range(rounds)):
        yield Piece(KEPT, at, at + habits.interval_h)
        yield Piece(CHECKPOINT, at + habits.interval_h, at + habits.round_h)
    begun = ready + rounds * habits.round_h
    worked = min(begun + habits.interval_h, end)
    yield Piece(LOST if failed else KEPT, begun, worked)
    yield Piece(CHECKPOINT, worked, end)


def hours_of(run: Iterable[Piece], kind: int, start: float = 0, end: float = math.inf) -> float:
    """Hours that were spent on a kind, between two hours of the run."""
    inside = (piece for piece in run if piece.kind == kind and piece.start < end and piece.end > start)
    return sum(min(piece.end, end) - max(piece.start, start) for piece in inside)
