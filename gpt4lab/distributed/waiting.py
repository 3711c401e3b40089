"""The bubble of a pipeline, measured: torch's schedules and real messages, but the stages only wait.

A stage's work is replaced by sleeping for a known time, so ranks do not compete for cores and four stages can be
watched on a laptop with two. Forward, backward of the input and backward of the weight each take `work_s` for one
micro-batch on a whole stage. What is measured besides the bubble are messages and the schedule's own bookkeeping.
"""

from __future__ import annotations

import time
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gpt4lab.quantities import pipeline as formulas

from .compare import gather
from .job import SCHEDULES, Job, Report
from .pipeline import Pipeline, held_formula

WIDTH = 8  # values in a message: next to nothing
THIRDS = 3  # forward, input gradient, weight gradient


class Rest(torch.autograd.Function):
    """The identity, whose gradient takes `seconds`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, seconds: float) -> Tensor:
        """x itself."""
        ctx.seconds = seconds
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """After a while."""
        time.sleep(ctx.seconds)
        return grad, None


class Sleeper(nn.Module):
    """A stage whose three kinds of work take `seconds` each; two branches, so that zero bubble can part them."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.weight = seconds, nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """(b, WIDTH) to (b, WIDTH)."""
        time.sleep(self.seconds)
        weight: Any = Rest.apply(self.weight, self.seconds)
        x = x if x.requires_grad else x.detach().requires_grad_()  # the first stage has the same work as the others
        rested: Any = Rest.apply(x, self.seconds)
        return rested * weight


def demo(job: Job) -> Report:
    """Two rounds to warm up, then the fastest of `steps`: what disturbs a step only makes it longer."""
    ranks, chunks = dist.get_world_size(), SCHEDULES[job.schedule][1]
    stages: list[nn.Module] = [Sleeper(job.work_s / chunks) for _ in range(ranks * chunks)]
    line = Pipeline(stages, job.schedule, job.micro_batches, loss=lambda y, target: (y - target).square().mean())
    wall_s = min(_round(line, job) for _ in range(job.steps + 2))
    work_s = THIRDS * job.work_s * job.micro_batches
    expected = formula(job.schedule, ranks, job.micro_batches)
    held = held_formula(job.schedule, ranks, job.micro_batches)
    row = {
        "schedule": job.schedule, "stages": ranks, "micro_batches": job.micro_batches, "step_s": wall_s,
        "work_s": work_s, "bubble": 1 - work_s / wall_s, "formula": expected,
        "held": gather(line.held)[0], "held_formula": held,
    }  # fmt: skip
    return Report("waiting", ranks, waiting=[row])


def formula(schedule: str, p: int, m: int) -> float | None:
    """The share of a step in which a stage waits; None for ZB-V, which `quantities.pipeline` does not know."""
    if schedule not in formulas.SCHEDULES:
        return None
    overhead = formulas.bubble_overhead(p, m, SCHEDULES[schedule][1])
    left = formulas.zero_bubble_share(0) if schedule == "zero-bubble" else 1
    return float(left * overhead / (1 + left * overhead))


def _round(line: Pipeline, job: Job) -> float:
    """Seconds of one step, from a common start to the last rank's end."""
    batch = torch.ones(job.micro_batches, WIDTH)
    dist.barrier()
    start = time.perf_counter()
    line.run(batch, batch)
    dist.barrier()
    return time.perf_counter() - start
