"""The bubble of a pipeline, measured: torch's schedules and real messages, but the stages only wait.

A stage's work is replaced by sleeping for a known time, so ranks do not compete for cores and four stages can be
watched on a laptop with two. Forward, backward of the input and backward of the weight each take `work_s` for one
micro-batch on a whole stage. A sleeper wakes late on a busy machine, so the time really slept counts as work. What is
measured besides the bubble are messages and the schedule's own book-keeping.
"""

from __future__ import annotations

import time
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gpt4lab.checks.check import Check, Checks
from gpt4lab.distributed.compare import gather
from gpt4lab.distributed.job import SCHEDULES, DemoReport, Job
from gpt4lab.distributed.pipeline import Pipeline, held_formula
from gpt4lab.formulas import pipeline as formulas
from gpt4lab.models.board import HandMade, Placed

WIDTH = 8  # values in a message: next to nothing
THIRDS = 3  # forward, input gradient, weight gradient


class Sleeper(nn.Module):
    """A stage whose three kinds of work take `seconds` each; two branches, so that zero bubble can part them."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.slept_s, self.weight = seconds, 0.0, nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """(b, WIDTH) to (b, WIDTH)."""
        self.work()
        weight: Any = Rest.apply(self.weight, self)
        x = x if x.requires_grad else x.detach().requires_grad_()  # the first stage has the same work as the others
        rested: Any = Rest.apply(x, self)
        return rested * weight

    def work(self) -> None:
        """Sleep, and note for how long."""
        start = time.perf_counter()
        time.sleep(self.seconds)
        self.slept_s += time.perf_counter() - start


class Rest(torch.autograd.Function):
    """The identity; its gradient is work of a stage."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, stage: Sleeper) -> Tensor:
        """x itself."""
        ctx.stage = stage
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """After a while."""
        ctx.stage.work()
        return grad, None


def demo(job: Job) -> DemoReport:
    """The fastest of `steps`, behind one to warm up: what disturbs a step only makes it longer."""
    ranks, chunks = dist.get_world_size(), SCHEDULES[job.schedule][1]
    stages = [Sleeper(job.work_s / chunks) for _ in range(ranks * chunks)]
    line = Pipeline(list(stages), job.schedule, job.micro_batches, loss=lambda y, target: (y - target).square().mean())
    rounds = [_round(line, stages, job) for _ in range(job.steps + 1)]
    step_s, work_s = min(_mean_over_ranks(rounds))
    bubble, held = 1 - work_s / step_s, gather(line.held)[0]
    row = {
        "schedule": job.schedule,
        "stages": ranks,
        "micro_batches": job.micro_batches,
        "step_s": step_s,
        "work_s": work_s,
        "ideal_work_s": THIRDS * job.work_s * job.micro_batches,
        "bubble": bubble,
        "held": held,
    }
    case = (job.schedule, ranks, job.micro_batches)
    known = (("bubble", formula(*case), bubble, "fraction"), ("micro-batches held", held_formula(*case), held, "1"))
    checks = Checks(
        Check(what, predicted, found, unit, name=job.schedule)
        for what, predicted, found, unit in known
        if predicted is not None
    )
    return DemoReport("waiting", ranks, waiting=[row], checks=checks)


def formula(schedule: str, p: int, m: int) -> float | None:
    """The share of a step in which a stage waits; None for ZB-V, which `formulas.pipeline` does not know."""
    if schedule not in formulas.SCHEDULES:
        return None
    overhead = formulas.bubble_overhead(p, m, SCHEDULES[schedule][1])
    left = formulas.zero_bubble_share(0) if schedule == "zero-bubble" else 1
    return float(left * overhead / (1 + left * overhead))


def _mean_over_ranks(rounds: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Seconds and work of each round, averaged over the ranks."""
    everyone = gather(rounds)
    return [
        (sum(step for step, _ in same) / len(same), sum(work for _, work in same) / len(same))
        for same in zip(*everyone, strict=True)
    ]


def _round(line: Pipeline, stages: list[Sleeper], job: Job) -> tuple[float, float]:
    """Seconds of one step, from a common start to the last rank's end, and those that this rank slept."""
    batch, slept = torch.ones(job.micro_batches, WIDTH), sum(stage.slept_s for stage in stages)
    dist.barrier()
    start = time.perf_counter()
    line.run(batch, batch)
    dist.barrier()
    return time.perf_counter() - start, sum(stage.slept_s for stage in stages) - slept


# --- a schedule that was drawn by hand --------------------------------------------------------------------------------

AHEAD = {"F": 1, "B": -1}  # a forward pass goes to the stage behind, its gradients come back


def by_hand(job: Job) -> DemoReport:
    """A schedule that was drawn by hand: each process is a stage and runs its blocks, each when what it needs is there.

    An empty slot is not waited for, so it may take less than its slots; and more by what messages and late sleepers
    cost.
    """
    board = HandMade(dist.get_world_size(), job.micro_batches, job.blocks)
    mine = [block for block in board.placed if block.stage == dist.get_rank() + 1]
    rounds = [_played(mine, board.stages, job.work_s) for _ in range(job.steps + 1)]
    seconds = min(max(same) for same in zip(*gather(rounds), strict=True))
    waited = 1 - len(mine) * job.work_s / seconds
    name, waits = f"{board.early} slots without needless gaps", 1 - len(mine) / board.early
    checks = Checks([
        Check("seconds of a step", board.early * job.work_s, seconds, "s", name=name),
        Check("share that a stage waits", waits, waited, "fraction", name=name),
    ])  # fmt: skip
    return DemoReport("hand", board.stages, checks=checks)


def _played(mine: list[Placed], stages: int, work_s: float) -> float:
    """Seconds from a common start until all are done."""
    dist.barrier()
    start, sent = time.perf_counter(), list[Any]()
    for block in mine:
        _receive(block, stages)
        time.sleep(work_s)
        sent += _send(block, stages)
    for message in sent:
        message.wait()
    dist.barrier()
    return time.perf_counter() - start


def _receive(block: Placed, stages: int) -> None:
    """Wait for what a block takes from another stage, if it does."""
    there = block.stage - AHEAD.get(block.kind, 0)
    if block.kind in AHEAD and 1 <= there <= stages:
        dist.recv(torch.empty(WIDTH), there - 1, tag=_tag(block))


def _send(block: Placed, stages: int) -> list[Any]:
    """Hand on what it made; the next block does not wait until that has arrived."""
    there = block.stage + AHEAD.get(block.kind, 0)
    if block.kind not in AHEAD or not 1 <= there <= stages:
        return []
    return [dist.isend(torch.ones(WIDTH), there - 1, tag=_tag(block))]


def _tag(block: Placed) -> int:
    return 2 * block.micro_batch + (block.kind == "B")
