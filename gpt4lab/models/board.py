"""A pipeline's schedule drawn by hand, held against its rules slot by slot.

A block takes one slot: F forward, B the gradients of the inputs, W those of the weights. Stages, micro-batches and
slots count from 1. What a stage keeps of a micro-batch it keeps from the beginning of its F to the end of its W.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from attrs import define

from gpt4lab.formulas.arith import Num

KINDS = {"F": "forward", "B": "backward", "W": "weights"}
EMPTY, END = ".", "/"


class Placed(NamedTuple):
    """One piece of work, and where it stands."""

    stage: int
    slot: int
    kind: str
    micro_batch: int

    @property
    def name(self) -> str:
        """As it is written: F1."""
        return f"{self.kind}{self.micro_batch}"


class Need(NamedTuple):
    """A block that must have ended before another begins, and why."""

    stage: int
    name: str
    why: str


def fewest_slots(p: Num, m: Num) -> Num:
    """No schedule is shorter: the last stage begins after p - 1 slots, and has 3 m blocks."""
    return 3 * m + p - 1


@define(frozen=True, slots=False)
class HandMade:
    """The board with what is placed on it; blocks of stages or micro-batches that it does not have are left out."""

    stages: int
    micro_batches: int
    blocks: str

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """All blocks, by slot and then by stage."""
        rows = enumerate(self.blocks.split(END)[: self.stages], 1)
        found = [
            Placed(stage, slot, word[0], int(word[1:]))
            for stage, row in rows
            for slot, word in enumerate(row.split(), 1)
            if word != EMPTY
        ]
        return tuple(sorted((b for b in found if b.micro_batch <= self.micro_batches), key=lambda b: (b.slot, b.stage)))

    @cached_property
    def first(self) -> dict[tuple[int, str], int]:
        """(stage, name) -> the first slot in which it stands."""
        found: dict[tuple[int, str], int] = {}
        for block in self.placed:
            found.setdefault((block.stage, block.name), block.slot)
        return found

    @property
    def slots(self) -> int:
        """The last slot with a block; 0 where nothing is placed."""
        return max((block.slot for block in self.placed), default=0)

    @property
    def missing(self) -> int:
        """Blocks that are not placed yet."""
        return 3 * self.stages * self.micro_batches - len(self.first)

    @cached_property
    def faults(self) -> tuple[tuple[Placed, str], ...]:
        """Every block that breaks a rule, the first slot first, each with one sentence that names the rule."""
        return tuple((block, words) for block in self.placed if (words := self.fault(block)))

    @property
    def open(self) -> int:
        """What is left to do: blocks that are missing, and those that break a rule."""
        return self.missing + len(self.faults)

    def fault(self, block: Placed) -> str:
        """Which rule a block breaks; nothing where it breaks none."""
        here = f"{block.name} of stage {block.stage}, in slot {block.slot},"
        first = self.first[block.stage, block.name]
        if first < block.slot:
            return f"{here} is there twice: it has run in slot {first}."
        for need in self.needs(block):
            at = self.first.get((need.stage, need.name))
            whose = f"{need.name} of stage {need.stage}"
            if at is None:
                return f"{here} needs {whose}, {need.why}, which is not placed."
            if at >= block.slot:
                return f"{here} comes too early: {whose}, {need.why}, ends only with slot {at}."
        return ""

    def needs(self, block: Placed) -> Iterator[Need]:
        """What must have ended before it begins."""
        m, stage = block.micro_batch, block.stage
        if block.kind == "F" and stage > 1:
            yield Need(stage - 1, f"F{m}", "which hands over its activations")
        if block.kind == "B":
            yield Need(stage, f"F{m}", "whose activations it goes back through")
        if block.kind == "B" and stage < self.stages:
            yield Need(stage + 1, f"B{m}", "which hands back its gradients")
        if block.kind == "W":
            yield Need(stage, f"B{m}", "whose gradients it takes")

    @cached_property
    def kept(self) -> tuple[tuple[int, ...], ...]:
        """Micro-batches that each stage keeps, slot by slot."""
        change = {stage: [0] * (self.slots + 1) for stage in range(1, self.stages + 1)}
        for (stage, name), slot in self.first.items():
            if name[0] == "F":
                change[stage][slot - 1] += 1
            if name[0] == "W":
                change[stage][slot] -= 1
        return tuple(tuple(accumulate(steps))[: self.slots] for steps in change.values())

    @property
    def held(self) -> int:
        """The most micro-batches that any stage keeps at once."""
        return max((max(row, default=0) for row in self.kept), default=0)

    @property
    def early(self) -> int:
        """Slots that it takes where each stage keeps its order and waits for nothing but what a block needs."""
        free, end = dict.fromkeys(range(1, self.stages + 1), 0), dict[tuple[int, str], int]()
        for block in self.placed:
            ready = (end.get((need.stage, need.name), 0) for need in self.needs(block))
            free[block.stage] = end[block.stage, block.name] = max(free[block.stage], *ready, 0) + 1
        return max(free.values())

    @property
    def waiting(self) -> float:
        """Share of all slots, to the last one, that stand empty."""
        return 1 - len(self.first) / (self.slots * self.stages) if self.slots else 0.0

    def pressed(self, stage: int, slot: int, kind: str = "") -> str:
        """The board's text after a press on a slot: the next thing that can stand there, or a block of this kind.

        A press goes through the kinds, those that break no rule first, and then back to an empty slot. Where none of a
        kind is left, everything stays.
        """
        bare = self.with_word(stage, slot, EMPTY)
        ways = [block.name for block in bare.ways(stage, slot)]
        here = next((block.name for block in self.placed if (block.stage, block.slot) == (stage, slot)), EMPTY)
        if kind:
            wanted = next((name for name in ways if name[0] == kind), here)
            return self.with_word(stage, slot, wanted).blocks
        later = ways[ways.index(here) + 1 :] if here in ways else [] if here != EMPTY else ways
        return self.with_word(stage, slot, next(iter(later), EMPTY)).blocks

    def ways(self, stage: int, slot: int) -> list[Placed]:
        """Of each kind the next micro-batch that is not placed, those that may stand in this slot first."""
        left = [next((f"{k}{m}" for m in self._numbers() if (stage, f"{k}{m}") not in self.first), "") for k in KINDS]
        found = [Placed(stage, slot, name[0], int(name[1:])) for name in left if name]
        return sorted(found, key=lambda block: bool(self._with(block).fault(block)))

    def with_word(self, stage: int, slot: int, word: str) -> HandMade:
        """The board with another word in one slot."""
        rows = [row.split() for row in self.blocks.split(END)]
        rows += [[] for _ in range(stage - len(rows))]
        row = rows[stage - 1]
        row += [EMPTY] * (slot - len(row))
        row[slot - 1] = word
        return HandMade(self.stages, self.micro_batches, f" {END} ".join(map(" ".join, rows)))

    def _with(self, block: Placed) -> HandMade:
        return self.with_word(block.stage, block.slot, block.name)

    def _numbers(self) -> range:
        return range(1, self.micro_batches + 1)
