"""All demos by name, and how a rank runs one: the same in a notebook's worker and under torchrun."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch
import torch._dynamo  # the first optimiser would import it, which takes two seconds

from gpt4lab.distributed import experts, pipeline, replicas, tensor, waiting
from gpt4lab.distributed.job import DemoReport, Job

DEMOS: dict[str, Callable[[Job], DemoReport]] = {
    "tensor": tensor.demo,
    "pipeline": pipeline.demo,
    "data": replicas.data,
    "zero1": replicas.zero1,
    "fsdp": replicas.fsdp,
    "tensor+fsdp": replicas.tensor_fsdp,
    "experts": experts.demo,
    "waiting": waiting.demo,
    "hand": waiting.by_hand,
}


def perform(demo: str, job: Job) -> DemoReport:
    """Run a demo in this process as one rank of the group; all ranks must do so together."""
    torch.set_num_threads(1)  # the ranks share the machine's cores
    start = time.perf_counter()
    report = DEMOS[demo](job)
    return replace(report, seconds=time.perf_counter() - start)
