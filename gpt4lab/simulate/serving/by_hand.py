"""A lane whose reader is the scheduler: whenever a slot is free and somebody waits, a move lets one in, or holds.

    game = ByHand(minute(scenario), lane(scenario), rules_in(scenario), moves("1 2 . 4")).play()
    game.now, game.waiting(), game.fault, game.log_so_far().stays

A hold lets one thing happen: the next request comes, or the next answer ends. Where moves run out the lane stands still
at the moment of the next decision. Steps cost what they cost under continuous batching: only who enters, and when, is
another's choice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import inf

from gpt4lab.simulate.serving.batching import Columns, Log, Rules, Stay
from gpt4lab.simulate.serving.continuous import Replica
from gpt4lab.simulate.serving.pace import ROUNDING, Pace

HOLD = "."


def moves(text: str) -> list[int]:
    """Moves as they are written, requests from 1: "1 2 . 4". A hold is 0."""
    return [0 if word == HOLD else int(word) for word in text.split()]


class ByHand(Replica):
    """The lane, played as far as the moves go.

    taken: the moves that were made, as words; fault: why the next one could not be, "" where there is none.
    """

    def __init__(self, asked: Columns, pace: Pace, rules: Rules, wanted: Iterable[int] = ()) -> None:
        super().__init__(asked, pace, rules)
        self.wanted, self.taken, self.fault = iter(wanted), list[str](), ""
        self.inside, self.held_at = set[int](), (-1, -1)

    def play(self) -> ByHand:
        """Play until a move is asked for, or until everybody is answered."""
        while self.decide():
            self.coming = bisect_right(self.arrival, self.now + ROUNDING)
            if self.batch:
                self.go_on(False)
            elif self.coming < len(self.arrival):
                self.now = self.arrival[self.coming]
            else:
                break
        return self

    @property
    def done(self) -> bool:
        """Whether everybody is answered."""
        return min(self.log.finished_s) >= 0

    def waiting(self) -> list[int]:
        """Who has come and is not in a slot, in order; from 0."""
        return [i for i in range(bisect_right(self.arrival, self.now + ROUNDING)) if i not in self.inside]

    def decide(self) -> bool:
        """Let in whom the moves let in now; False where a move is missing, or cannot be."""
        happened = len(self.log.stays), bisect_right(self.arrival, self.now + ROUNDING)
        while (waiting := self.waiting()) and self.batch < self.slots and happened != self.held_at:
            move = self.choose(waiting)
            if move is None or not self.makes(move, waiting):
                return False
            if not move:
                self.held_at = happened
        return True

    def choose(self, waiting: Sequence[int]) -> int | None:
        """The next move: a request from 1, 0 to hold; None where there is none."""
        return next(self.wanted, None)

    def makes(self, move: int, waiting: Sequence[int]) -> bool:
        """Make a move, or say why it cannot be made."""
        where = f"Move {len(self.taken) + 1} cannot be made after {self.now:.1f} s"
        if move and move - 1 not in waiting:
            why = f"request {move} was let in before" if move - 1 in self.inside else f"request {move} has not come yet"
            self.fault = f"{where}: {why}."
        elif not move and not self.batch and bisect_right(self.arrival, self.now + ROUNDING) == len(self.arrival):
            self.fault = f"{where}: nothing more happens until somebody is let in."
        else:
            self.taken.append(f"{move or HOLD}")
            if move:
                self.enter(move - 1)
        return not self.fault

    def enter(self, i: int) -> None:
        """Take a slot."""
        super().enter(i)
        self.inside.add(i)

    def log_so_far(self) -> Log:
        """What has happened; who is still in a slot, or waits, leaves it at no time."""
        log, over = Log(len(self.arrival)), {stay.request for stay in self.log.stays}
        log.finished_s, log.first_s = list(self.log.finished_s), list(self.log.first_s)
        within = [
            Stay(i, self.entered_s[i], inf if self.log.first_s[i] < 0 else self.answering_s[i], inf, inf, 0)
            for i in sorted(self.inside - over)
        ]
        log.stays = [*self.log.stays, *within, *(Stay(i, inf, inf, inf, inf, 0) for i in self.waiting())]
        return log


class ShortestFirst(ByHand):
    """The one with the shortest answer always goes first: what no scheduler can do, for none knows the lengths."""

    def choose(self, waiting: Sequence[int]) -> int | None:
        """Whoever is done soonest."""
        return 1 + min(waiting, key=lambda i: (self.output[i], i))
