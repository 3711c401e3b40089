"""One training run on many ranks beside the same run on one: losses as rows, bytes and memory as checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from gpt4lab.checks.check import Check, Checks
from gpt4lab.distributed.job import VALUE_BYTES, DemoReport, Job
from gpt4lab.distributed.measure import Call, Traffic
from gpt4lab.toys.core.transformer import build_model

#: One optimiser step on a batch of tokens and targets: the loss, or None on a rank that does not see it.
TrainStep = Callable[[Tensor, Tensor], "float | None"]


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over all tokens, in nats."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def adam(parameters: Iterable[nn.Parameter], job: Job) -> torch.optim.Optimizer:
    """The optimiser of every demo; the toys' Muon needs whole matrices, which a rank may not have."""
    return torch.optim.AdamW(parameters, lr=job.lr, weight_decay=0.0)


def plain_step(model: nn.Module, optimizer: torch.optim.Optimizer) -> TrainStep:
    """Forward, backward, update; `model` maps tokens to logits, and may talk to other ranks meanwhile."""

    def step(tokens: Tensor, targets: Tensor) -> float:
        loss = cross_entropy(model(tokens), targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return step


def compare(demo: str, job: Job, step: TrainStep, formula: dict[str, float], notes: Iterable[str] = ()) -> DemoReport:
    """Train on all ranks, then on one.

    formula: bytes that all ranks send in a step, by kind of collective.
    """
    losses, traffic = _train(job, step)
    counted = gather((traffic.calls, traffic.wire_bytes))
    alone = _train_alone(job) if dist.get_rank() == 0 else losses
    rows = [
        {"step": i, "one_process": one, "distributed": many, "difference": many - one}
        for i, (one, many) in enumerate(zip(alone, losses, strict=True))
    ]
    return DemoReport(demo, dist.get_world_size(), rows, traffic_checks(counted, formula), notes=list(notes))


def traffic_checks(counted: list[tuple[list[Call], float | None]], formula: dict[str, float]) -> Checks:
    """Bytes sent by kind of collective and of all; last what the operating system saw of them, where it counts.

    counted: calls and bytes on the wire of each rank.
    """
    every = [call for calls, _ in counted for call in calls]
    kinds = sorted({call.kind for call in every} | set(formula))
    sent = [_sent(kind, [call for call in every if call.kind == kind], formula, len(counted)) for kind in kinds]
    total = _sent("all", every, {"all": sum(formula.values())}, len(counted))
    wires = [wire for _, wire in counted if wire is not None]
    seen = [Check("bytes written", total.found, sum(wires), "byte", "the operating system", "all")] if wires else []
    return Checks((*sent, total, *seen))


def with_memory(report: DemoReport, *mine: Check) -> DemoReport:
    """The report with what each rank holds; all ranks must ask together."""
    return replace(report, checks=Checks((*report.checks, *(check for held in gather(mine) for check in held))))


def memory_check(what: str, held_bytes: float, formula_bytes: float) -> Check:
    """What this rank holds, beside the formula."""
    return Check(what, formula_bytes, held_bytes, "byte", name=f"rank {dist.get_rank()}")


def gather(mine: Any) -> list[Any]:
    """The object of each rank, on every rank."""
    everyone: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, mine)
    return everyone


def local_parameters(module: nn.Module) -> int:
    """Parameters that this rank really has: of a DTensor only its own part."""
    return sum(local(p).numel() for p in module.parameters())


def weight_bytes(module: nn.Module) -> int:
    """The same in bytes."""
    return local_parameters(module) * VALUE_BYTES


def local(tensor: Tensor) -> Tensor:
    """A rank's own part of a tensor."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _train(job: Job, step: TrainStep) -> tuple[list[float], Traffic]:
    """Losses, averaged over the ranks that have one, and the traffic of the last step."""
    losses: list[float] = []
    traffic = Traffic()
    for i in range(job.steps):
        batch = job.batch(i)
        if i == job.steps - 1:
            with traffic:
                loss = step(*batch)
        else:
            loss = step(*batch)
        seen = [value for value in gather(loss) if value is not None]
        losses.append(sum(seen) / len(seen))
    return losses, traffic


def _train_alone(job: Job) -> list[float]:
    model = build_model(job.model, job.seed)
    step = plain_step(model, adam(model.parameters(), job))
    return [step(*job.batch(i)) or 0.0 for i in range(job.steps)]


def _sent(kind: str, calls: list[Call], formula: dict[str, float], ranks: int) -> Check:
    what = f"bytes sent in {len(calls) / ranks:g} calls"
    return Check(what, formula.get(kind, 0.0), sum(call.sent_bytes for call in calls), "byte", name=kind)
