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
