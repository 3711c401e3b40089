r"""A pipeline schedule played out: when each stage does what, how long it waits, how many activations it keeps.

    played = play(build("1f1b", stages=4, micro_batches=8), Durations(forward=1, backward=1, weight=1))
    played.time, played.bubble, played.peak()         # total, share of it idle, micro-batches kept by each stage
    played.rows()                                     # for the chart `timeline`, a lane a stage

    play(parse("F0 F1 B0 B1\n"
               "F0 B0 F1 B1"))                        # your own: a line a stage, see `schedules`

Each stage goes through its steps in order. A step begins when its stage is free and what it needs has arrived: the
same micro-batch from the stage before (forward) or behind (backward). Left out: links that carry one message at a
time, stages of unequal length, and the optimiser, for which all stages wait for each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from attrs import frozen

from gpt4lab.scenario.field import number
from gpt4lab.simulate.pipeline.schedules import BACKWARD, FORWARD, WEIGHT, Schedule, ScheduleError, Step

#: What the steps are called in a chart.
KINDS = {FORWARD: "forward", BACKWARD: "backward", WEIGHT: "weight gradients"}


@frozen
class Durations:
    """How long the work of one micro-batch on a whole stage takes, in any unit of time; 0 for what costs nothing.

    A recomputation of activations belongs to `backward`.
    """

    forward: float = number(1, "1", 0, 1e9, "Forward", "time of a forward pass", "assumed: the unit")
    backward: float = number(1, "1", 0, 1e9, "Backward", "time of the gradients of the inputs", "qi2023: as forward")
    weight: float = number(1, "1", 0, 1e9, "Weights", "time of the gradients of the weights", "qi2023: as forward")
    send: float = number(0, "1", 0, 1e9, "Send", "time from one stage to another", "assumed: hidden")

    def of(self, schedule: Schedule) -> dict[str, float]:
        """Return the time of one step of each kind: a chunk is a part of the stage."""
        backward = self.backward if WEIGHT in schedule.kinds else self.backward + self.weight
        times = {FORWARD: self.forward, BACKWARD: backward, WEIGHT: self.weight}
        return {kind: time / schedule.chunks for kind, time in times.items()}


class Ran(NamedTuple):
    """A step and when it ran."""

    step: Step
    start: float
    end: float


@frozen
class Timetable:
    """What each stage did: steps with their times, in order."""

    schedule: Schedule
    stages: list[list[Ran]]

    @property
    def time(self) -> float:
        """From the first step to the end of the last."""
        return max(stage[-1].end for stage in self.stages)

    @property
    def idle(self) -> list[float]:
        """Time without work, stage by stage, from 0 to the end of all."""
        return [self.time - sum(ran.end - ran.start for ran in stage) for stage in self.stages]

    @property
    def bubble(self) -> float:
        """Share of all time that the stages wait; nan if nothing takes time."""
        return sum(self.idle) / (self.time * len(self.stages)) if self.time else float("nan")

    def peak(self, kept: float = 1) -> list[float]:
        """Return the most activations that each stage keeps at once, in micro-batches of a whole stage.

        They are kept from the beginning of F to the end of B, and if there is a W, a share `kept` of them until then.
        """
        split = WEIGHT in self.schedule.kinds
        change = {FORWARD: 1, BACKWARD: kept - 1 if split else -1, WEIGHT: -kept}
        return [_highest(change[ran.step.kind] for ran in stage) / self.schedule.chunks for stage in self.stages]

    def rows(self) -> list[dict[str, Any]]:
        """Return rows of stage, start, end, kind (in words), micro_batch and chunk, stage by stage."""
        return [
            {
                "stage": stage,
                "start": ran.start,
                "end": ran.end,
                "kind": KINDS[ran.step.kind],
                "micro_batch": ran.step.micro_batch,
                "chunk": ran.step.chunk,
            }
            for stage, steps in enumerate(self.stages)
            for ran in steps
        ]


def _highest(changes: Iterable[float]) -> float:
    level = highest = 0.0
    for change in changes:
        level += change
        highest = max(highest, level)
    return highest


class At(NamedTuple):
    """A step on a stage."""

    stage: int
    step: Step


def play(schedule: Schedule, durations: Durations | None = None) -> Timetable:
    """Run every step as early as it can; raises ScheduleError where stages wait for each other without end."""
    player = _Player(schedule, durations or Durations())
    player.run()
    return Timetable(schedule, player.ran)


class _Player:
    """What ran so far, and which stage waits for which step of another."""

    def __init__(self, schedule: Schedule, durations: Durations) -> None:
        self.schedule, self.times, self.send = schedule, durations.of(schedule), durations.send
        self.ran: list[list[Ran]] = [[] for _ in schedule.stages]
        self.ends: dict[At, float] = {}
        self.waits: dict[At, int] = {}

    def run(self) -> None:
        """Let each stage go as far as it can, and again whenever what it waits for is done."""
        ready = deque(range(len(self.ran)))
        while ready:
            stage = ready.popleft()
            while at := self.next(stage):
                needed = self.needs(at)
                missing = next((each for each in needed if each not in self.ends), None)
                if missing:
                    self.waits[missing] = stage
                    break
                self.do(at, needed)
                if at in self.waits:
                    ready.append(self.waits.pop(at))
        if self.waits:
            raise ScheduleError(self.circle())

    def next(self, stage: int) -> At | None:
        """Return what a stage does next."""
        steps, done = self.schedule.stages[stage], len(self.ran[stage])
        return At(stage, steps[done]) if done < len(steps) else None

    def needs(self, at: At) -> list[At]:
        """Return the steps whose results a step takes: of its own stage, and of a neighbour."""
        stage, (kind, micro_batch, chunk) = at
        if kind == WEIGHT:
            return [At(stage, Step(BACKWARD, micro_batch, chunk))]
        stages, own = len(self.ran), [At(stage, Step(FORWARD, micro_batch, chunk))] if kind == BACKWARD else []
        piece = chunk * stages + stage + (1 if kind == BACKWARD else -1)  # pieces of the model in their order
        if not 0 <= piece < stages * self.schedule.chunks:
            return own
        return [*own, At(piece % stages, Step(kind, micro_batch, piece // stages))]

    def do(self, at: At, needed: list[At]) -> None:
        """Run a step as soon as its stage is free and everything is there."""
        free = self.ran[at.stage][-1].end if self.ran[at.stage] else 0.0
        arrived = [self.ends[each] + (self.send if each.stage != at.stage else 0) for each in needed]
        start = max(free, *arrived, 0.0)
        self.ends[at] = start + self.times[at.step.kind]
        self.ran[at.stage].append(Ran(at.step, start, self.ends[at]))

    def circle(self) -> str:
        """Say which stages wait for each other, from the lowest that is stuck."""
        needs = {stage: missing for missing, stage in self.waits.items()}
        told: dict[int, str] = {}
        stage = min(needs)
        while stage not in told:
            step, other = self.schedule.stages[stage][len(self.ran[stage])], needs[stage]
            behind = self.schedule.stages[other.stage][len(self.ran[other.stage])]
            told[stage] = f"stage {stage} cannot run {step}: it needs {other.step} of stage {other.stage}"
            told[stage] += f", which comes after {behind}" if behind != other.step else ""
            stage = other.stage
        return "; ".join(told.values()) + ". They wait for each other without end."
