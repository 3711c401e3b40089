"""A schedule that was drawn by hand, played by real processes: a stage each, known work, and messages that are sent.

A process runs its blocks in their order, each as soon as what it needs has arrived; an empty slot is not waited for. So
a schedule may take less than its slots, and more by what messages and late sleepers cost.
"""

from __future__ import annotations

import time
from typing import Any

import torch
import torch.distributed as dist

from gpt4lab.checks.check import Check, Checks
from gpt4lab.distributed.compare import gather
from gpt4lab.distributed.job import DemoReport, Job
from gpt4lab.models.board import HandMade, Placed

WIDTH = 8  # values in a message: next to nothing
AHEAD = {"F": 1, "B": -1}  # a forward pass goes to the stage behind, its gradients come back


def demo(job: Job) -> DemoReport:
    """The fastest of `steps`, behind one to warm up: what disturbs a step only makes it longer."""
    board = HandMade(dist.get_world_size(), job.micro_batches, job.blocks)
    mine = [block for block in board.placed if block.stage == dist.get_rank() + 1]
    rounds = [_round(mine, board.stages, job.work_s) for _ in range(job.steps + 1)]
    seconds = min(max(same) for same in zip(*gather(rounds), strict=True))
    waited = 1 - len(mine) * job.work_s / seconds
    name, waits = f"{board.early} slots without needless gaps", 1 - len(mine) / board.early
    checks = Checks([
        Check("seconds of a step", board.early * job.work_s, seconds, "s", name=name),
        Check("share that a stage waits", waits, waited, "fraction", name=name),
    ])  # fmt: skip
    return DemoReport("hand", board.stages, checks=checks)


def _round(mine: list[Placed], stages: int, work_s: float) -> float:
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
