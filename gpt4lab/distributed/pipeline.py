"""Pipeline parallelism: each rank has some layers, and micro-batches travel from rank to rank and back.

The schedules are torch's own: GPipe, 1F1B, interleaved 1F1B, zero bubble (ZB-H1; backward is cut into gradients of
inputs and of weights) and ZB-V. Zero bubble pays in the toy: one operator of its feed-forward computes both gradients
at once, so what is put off is computed twice. `waiting` shows the bubble without such effects.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.pipelining import PipelineStage
from torch.distributed.pipelining.schedules import PipelineScheduleMulti, get_schedule_class

from gpt4lab.checks.check import Check
from gpt4lab.distributed.compare import TrainStep, adam, compare, cross_entropy, memory_check, weight_bytes, with_memory
from gpt4lab.distributed.job import FORMULA_BYTES, SCHEDULES, VALUE_BYTES, DemoReport, Job
from gpt4lab.distributed.tensor import layer_parameters
from gpt4lab.formulas import traffic
from gpt4lab.formulas.pipeline import SCHEDULES as NAMES
from gpt4lab.formulas.pipeline import in_flight
from gpt4lab.toys.core.transformer import Transformer, build_model


class Part(nn.Module):
    """Some layers of the toy; the first part also has the embedding, the last the head."""

    def __init__(self, model: Transformer, index: int, parts: int) -> None:
        super().__init__()
        size = len(model.blocks) // parts
        self.embedding = model.embedding if index == 0 else nn.Identity()
        self.blocks = nn.Sequential(*model.blocks[index * size : (index + 1) * size])
        self.head = nn.Sequential(model.norm, model.head) if index == parts - 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (b, T) or activations (b, T, C) to activations or logits (b, T, V)."""
        return self.head(self.blocks(self.embedding(x)))


class Watched(PipelineStage):
    """A stage that remembers how many micro-batches its rank held at most between their forward and their backward."""

    stages: list[Watched]  # all of this rank
    most = 0

    def forward_one_chunk(self, *args: Any, **kwargs: Any) -> Any:
        """Look after each forward pass."""
        out = super().forward_one_chunk(*args, **kwargs)
        self.most = max(self.most, sum(len(stage.fwd_cache) for stage in self.stages))
        return out


class Pipeline:
    """The stages of this rank under one of torch's schedules; `modules` are all parts of the model, in order."""

    def __init__(self, modules: list[nn.Module], schedule: str, micro_batches: int, loss: Any = cross_entropy) -> None:
        name, chunks = SCHEDULES[schedule]
        mine = places(schedule, dist.get_rank(), dist.get_world_size())
        device = torch.device("cpu")
        self.module = nn.ModuleList(modules[i] for i in mine)
        self.stages = [Watched(modules[i], i, len(modules), device) for i in mine]
        for stage in self.stages:
            stage.stages = self.stages
        kind = get_schedule_class(name)
        many = issubclass(kind, PipelineScheduleMulti)
        self.schedule: Any = kind(self.stages if many else self.stages[0], micro_batches, loss_fn=loss)  # pyright: ignore
        self.first, self.last = 0 in mine, len(modules) - 1 in mine
        self.chunks = chunks

    def run(self, x: Tensor, target: Tensor) -> float | None:
        """Forward and backward of all micro-batches; the mean loss on the rank that has the last stage."""
        losses: list[Tensor] = []
        self.schedule.step(*((x,) if self.first else ()), **({"target": target, "losses": losses} if self.last else {}))
        return sum(loss.item() for loss in losses) / len(losses) if self.last else None

    @property
    def held(self) -> float:
        """Micro-batches that this rank held at most; one that has passed a single chunk of it counts as a part."""
        return max(stage.most for stage in self.stages) / self.chunks


def places(schedule: str, rank: int, ranks: int) -> list[int]:
    """The stages of a rank: round after round, or in a V, where the first rank also has the last stage."""
    chunks = SCHEDULES[schedule][1]
    if schedule == "zb-v":
        return [rank, 2 * ranks - 1 - rank]
    return [rank + ranks * chunk for chunk in range(chunks)]


def demo(job: Job) -> DemoReport:
    """The whole batch in micro-batches through all ranks."""
    ranks, chunks = dist.get_world_size(), SCHEDULES[job.schedule][1]
    model = build_model(job.model, job.seed)
    line = Pipeline([Part(model, i, ranks * chunks) for i in range(ranks * chunks)], job.schedule, job.micro_batches)
    report = compare("pipeline", job, _step(line, job), formula(job, ranks))
    return with_memory(report, _memory(line, job, ranks))


def formula(job: Job, p: int) -> dict[str, float]:
    """Bytes that p ranks send in a step: over each border forward and backward; a V turns round inside a rank."""
    chunks = SCHEDULES[job.schedule][1]
    borders = p * chunks - 1 - (job.schedule == "zb-v")
    passed = traffic.stage_bytes(job.rows, job.context, job.model.d_model, 1) * VALUE_BYTES / FORMULA_BYTES
    return {"send": 2 * borders * passed}


def held_formula(schedule: str, p: int, m: int) -> float | None:
    """Micro-batches that the first stage holds, where `formulas.pipeline` knows the schedule."""
    if schedule not in NAMES:
        return None
    return float(in_flight(p, m, SCHEDULES[schedule][1], NAMES.index(schedule)))


def _step(line: Pipeline, job: Job) -> TrainStep:
    optimizer = adam(line.module.parameters(), job)

    def step(tokens: Tensor, targets: Tensor) -> float | None:
        loss = line.run(tokens, targets)
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return step


def _memory(line: Pipeline, job: Job, p: int) -> Check:
    table = job.model.vocabulary * job.model.d_model
    predicted = layer_parameters(job.model, 1) * job.model.n_layers / p + (line.first + line.last) * table
    return memory_check("weights", weight_bytes(line.module), VALUE_BYTES * predicted)
