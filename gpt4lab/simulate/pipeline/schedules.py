"""The order in which the stages of a pipeline work: four schedules built in, and those that a reader writes.

Stages, micro-batches and chunks count from 0. With chunks, a stage holds several pieces of the model: piece c of stage
s comes after piece c of stage s - 1, and piece c of stage 0 after piece c - 1 of the last stage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, pairwise, product
from typing import Any, NamedTuple

from attrs import Factory, field, frozen

from gpt4lab.formulas.pipeline import SCHEDULES
from gpt4lab.scenario.rules import LayoutError, check, rules_for
from gpt4lab.units import quoted

FORWARD, BACKWARD, WEIGHT = KINDS = "FBW"


MOST = 100_000  # of stages, micro-batches or chunks
_ROUNDS = rules_for({"p": "stages", "m": "micro_batches", "v": "chunks"})


class ScheduleError(ValueError):
    """A schedule that no pipeline can run: names the stage and the step."""


class Step(NamedTuple):
    """One piece of work: F forward, B backward, W the gradients of the weights."""

    kind: str
    micro_batch: int
    chunk: int = 0

    def __str__(self) -> str:
        return f"{self.kind}{self.micro_batch}" + (f".{self.chunk}" if self.chunk else "")


def _tuples(stages: Iterable[Iterable[Sequence]]) -> tuple[tuple[Step, ...], ...]:
    return tuple(tuple(Step(*step) for step in steps) for steps in stages)


def _found(rule: Callable[[list[Step]], Any]) -> Any:
    """A field that is read off all steps together."""
    return field(init=False, default=Factory(lambda schedule: rule(list(chain(*schedule.stages))), takes_self=True))


@frozen
class Schedule:
    """The steps of each stage, in order. If no stage has a W, a B does the work of both.

    Raises ScheduleError where a step is unknown, missing, there twice, or before one that it needs on its own stage.
    """

    stages: tuple[tuple[Step, ...], ...] = field(converter=_tuples)
    kinds: str = _found(lambda steps: KINDS if any(step.kind == WEIGHT for step in steps) else "FB")
    micro_batches: int = _found(lambda steps: 1 + max((step.micro_batch for step in steps), default=-1))
    chunks: int = _found(lambda steps: 1 + max((step.chunk for step in steps), default=-1))

    def __attrs_post_init__(self) -> None:
        if not self.micro_batches:
            raise ScheduleError("a schedule needs a stage with a step, such as F0.")
        for stage, steps in enumerate(self.stages):
            _check_known(stage, steps)
            self._check_order(stage, {step: place for place, step in enumerate(steps)})

    def _check_order(self, stage: int, place: dict[Step, int]) -> None:
        for chunk, micro_batch in product(range(self.chunks), range(self.micro_batches)):
            work = [Step(kind, micro_batch, chunk) for kind in self.kinds]
            for step in work:
                if step not in place:
                    raise ScheduleError(f"stage {stage} never runs {step}; every stage has to.")
            for earlier, later in pairwise(work):
                if place[later] < place[earlier]:
                    raise ScheduleError(f"stage {stage} runs {later} before {earlier}, which it needs.")

    def __str__(self) -> str:
        return "\n".join(" ".join(map(str, steps)) for steps in self.stages)


def _check_known(stage: int, steps: Sequence[Step]) -> None:
    seen: set[Step] = set()
    for step in steps:
        if step.kind not in tuple(KINDS) or min(step.micro_batch, step.chunk) < 0:
            raise ScheduleError(f"stage {stage}: {step} is no step; F, B or W, with numbers from 0.")
        if step in seen:
            raise ScheduleError(f"stage {stage} runs {step} twice.")
        seen.add(step)


def parse(text: str) -> Schedule:
    """Return the schedule that a text describes: a line a stage, steps such as F0, B3, W3, or F0.1 for chunk 1."""
    lines = [line.split() for line in text.strip().splitlines()]
    return Schedule([[_step(word, stage) for word in line] for stage, line in enumerate(lines)])


def _step(word: str, stage: int) -> Step:
    found = re.fullmatch(r"([FBW])(\d+)(?:\.(\d+))?", word)
    if not found:
        raise ScheduleError(f"stage {stage}: {word!r} is no step; write F3, B3 or W3, or F3.1 for chunk 1.")
    return Step(found[1], int(found[2]), int(found[3] or 0))


def build(name: str, stages: int, micro_batches: int, chunks: int = 1) -> Schedule:
    """Return one of the built-in `SCHEDULES`; chunks are for "interleaved", which with one chunk is 1F1B.

    Raises ScheduleError for an unknown name, a number below 1, or micro-batches that cannot be interleaved.
    """
    if name not in SCHEDULES:
        raise ScheduleError(f"{quoted(name)} is not one of: {', '.join(SCHEDULES)}.")
    for word, number in (("stages", stages), ("micro_batches", micro_batches), ("chunks", chunks)):
        if not isinstance(number, int) or not 1 <= number <= MOST:
            raise ScheduleError(
                f"{word} = {quoted(number)} is out of range; allowed: whole numbers from 1 to {MOST:,}."
            )
    if chunks > 1:
        _check_chunks(name, stages, micro_batches, chunks)
        return Schedule([_interleaved(stages, stage, micro_batches, chunks) for stage in range(stages)])
    order = {"gpipe": _gpipe, "zero-bubble": _zero_bubble}.get(name, _one_f_one_b)
    return Schedule([order(stages, stage, micro_batches) for stage in range(stages)])


def _check_chunks(name: str, p: int, m: int, v: int) -> None:
    if name != "interleaved":
        raise ScheduleError(f"chunks = {v} is out of range; allowed with {name}: 1. More need interleaved.")
    try:
        check(_ROUNDS, {"stages": p, "micro_batches": m, "chunks": v}.__getitem__)
    except LayoutError as refused:
        raise ScheduleError(str(refused)) from None


def _gpipe(p: int, stage: int, m: int) -> list[Step]:
    """All forward, then all backward, the last first (Huang 2018)."""
    return _all(FORWARD, m) + _all(BACKWARD, m)[::-1]


def _one_f_one_b(p: int, stage: int, m: int) -> list[Step]:
    """As many forward as there are stages behind, then one forward, one backward in turn (Narayanan 2019)."""
    return _in_turn(_all(FORWARD, m), _all(BACKWARD, m), warm_up=p - stage - 1)


def _zero_bubble(p: int, stage: int, m: int) -> list[Step]:
    """1F1B whose W come as many micro-batches later as there are stages in front: ZB-H1 (Qi 2023)."""
    steps: list[Step] = []
    for step in _one_f_one_b(p, stage, m):
        due = step.kind == BACKWARD and step.micro_batch >= stage
        steps += [step, Step(WEIGHT, step.micro_batch - stage)] if due else [step]
    return steps + _all(WEIGHT, m)[max(m - stage, 0) :]


def _interleaved(p: int, stage: int, m: int, v: int) -> list[Step]:
    """1F1B over v chunks: p micro-batches on one chunk, the same on the next, then the next p (Narayanan 2021)."""
    turns = [(turn * p + i, chunk) for turn in range(m // p) for chunk in range(v) for i in range(p)]
    forward = [Step(FORWARD, micro_batch, chunk) for micro_batch, chunk in turns]
    backward = [Step(BACKWARD, micro_batch, v - 1 - chunk) for micro_batch, chunk in turns]
    return _in_turn(forward, backward, warm_up=2 * (p - stage - 1) + (v - 1) * p)


def _all(kind: str, m: int) -> list[Step]:
    return [Step(kind, micro_batch) for micro_batch in range(m)]


def _in_turn(forward: list[Step], backward: list[Step], warm_up: int) -> list[Step]:
    """Some forward steps first, then forward and backward in turn."""
    steps = forward[:warm_up]
    for i, step in enumerate(backward):
        steps += [*forward[warm_up + i : warm_up + i + 1], step]
    return steps
