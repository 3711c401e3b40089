"""Data parallelism: each rank has its own rows of the batch, and more or less of the weights.

data: whole replicas; gradients are all-reduced (torch's DDP). zero1: the same, but each rank keeps the optimiser's
state of some parameters only, updates these and broadcasts them (ZeroRedundancyOptimizer). fsdp: weights, gradients and
state are cut over the ranks, weights are gathered when they are needed (FSDP2's `fully_shard`; ZeRO-3 by idea).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.distributed.tensor import DTensor, Shard
from torch.nn.parallel import DistributedDataParallel

from gpt4lab.checks.check import Check
from gpt4lab.distributed import tensor
from gpt4lab.distributed.compare import (
    TrainStep,
    adam,
    compare,
    local,
    memory_check,
    plain_step,
    weight_bytes,
    with_memory,
)
from gpt4lab.distributed.job import FORMULA_BYTES, VALUE_BYTES, DemoReport, Job
from gpt4lab.formulas import memory, traffic
from gpt4lab.toys.core.transformer import Transformer, build_model, count_parameters

STATE_BYTES = 8  # fp32 mean and variance; the 12 of mixed precision count an fp32 weight, which here is the weight
ALL_REDUCED = (
    "torch's ZeRO-1 all-reduces the gradients, although a rank needs only its part of the sum: the scheme of the paper "
    "scatters them, which is half the bytes."
)
GLOO_SCATTER = "gloo implements reduce-scatter with an all-reduce: on its wire it costs twice what a ring needs."


def data(job: Job) -> DemoReport:
    """Whole replicas."""
    model = DistributedDataParallel(build_model(job.model, job.seed))
    step = own_rows(plain_step(model, adam(model.parameters(), job)), job)
    report = compare("data", job, step, _formula(job, 0, "", "all-reduce"))
    return with_memory(report, memory_check("weights", weight_bytes(model), VALUE_BYTES * _parameters(job)))


def zero1(job: Job) -> DemoReport:
    """Whole replicas, optimiser state cut."""
    model = DistributedDataParallel(build_model(job.model, job.seed))
    optimizer = ZeroRedundancyOptimizer(model.parameters(), torch.optim.AdamW, lr=job.lr, weight_decay=0.0)
    step = own_rows(plain_step(model, optimizer), job)
    report = compare("zero1", job, step, _formula(job, 1, "broadcast", "all-reduce"), [ALL_REDUCED])
    return with_memory(report, _state_check(optimizer.optim, job, zero=1))  # pyright: ignore


def fsdp(job: Job) -> DemoReport:
    """Everything cut, one unit a block and one for embedding and head."""
    model = build_model(job.model, job.seed)
    shard(model, init_device_mesh("cpu", (_ranks(),)), job.reshard)
    optimizer = adam(model.parameters(), job)
    formula = _formula(job, _zero(job), "all-gather", "reduce-scatter")
    report = compare("fsdp", job, own_rows(plain_step(model, optimizer), job), formula, [GLOO_SCATTER])
    held = memory_check("weights", weight_bytes(model), VALUE_BYTES * _parameters(job) / _ranks())
    return with_memory(report, held, _state_check(optimizer, job, zero=3))


def tensor_fsdp(job: Job) -> DemoReport:
    """Two ways at once on four ranks: pairs share each layer, and the two pairs share out their weights."""
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "tensor"))
    model = build_model(job.model, job.seed)
    tensor.split_blocks(model.blocks, job.model, mesh["tensor"])
    shard(model, mesh["data"], job.reshard)
    step = own_rows(tensor.train_step(model, job), job, mesh["data"])
    report = compare("tensor+fsdp", job, step, _both(job), [GLOO_SCATTER])
    held = VALUE_BYTES * tensor.parameters(job.model, 2) / 2
    return with_memory(report, memory_check("weights", weight_bytes(model), held))


def shard(model: Transformer, mesh: DeviceMesh, reshard: bool) -> None:
    """FSDP2 on every block, then on the rest, in place."""
    for unit in (*model.blocks, model):
        fully_shard(unit, mesh=mesh, reshard_after_forward=reshard, shard_placement_fn=_placement(mesh.size()))


def own_rows(step: TrainStep, job: Job, mesh: DeviceMesh | None = None) -> TrainStep:
    """The step on this replica's rows of the batch."""
    rank, ranks = (mesh.get_local_rank(), mesh.size()) if mesh else (dist.get_rank(), _ranks())
    mine = slice(rank * job.rows // ranks, (rank + 1) * job.rows // ranks)
    return lambda tokens, targets: step(tokens[mine], targets[mine])


def _placement(ranks: int) -> Any:
    """Cut a weight along its longest dimension that divides, behind what tensor parallelism has cut already."""

    def place(p: nn.Parameter) -> Shard:
        taken = {s.dim for s in p.placements if isinstance(s, Shard)} if isinstance(p, DTensor) else set()
        free = [d for d, size in enumerate(p.shape) if size % ranks == 0 and d not in taken]
        return Shard(max(free, key=lambda d: p.shape[d]))

    return place


def _ranks() -> int:
    return dist.get_world_size()


def _parameters(job: Job) -> int:
    return count_parameters(build_model(job.model, job.seed)).total


def weights_formula(parameters: float, d: int, zero: int) -> float:
    """Bytes of weights that each of d replicas sends in a step of one micro-batch."""
    return traffic.data_bytes(parameters, d, 1, 0, zero) * VALUE_BYTES / FORMULA_BYTES


def gradients_formula(parameters: float, d: int, zero: int) -> float:
    """Bytes of gradients that each of d replicas sends in a step of one micro-batch."""
    both = traffic.data_bytes(parameters, d, 1, FORMULA_BYTES, zero) * VALUE_BYTES / FORMULA_BYTES
    return both - weights_formula(parameters, d, zero)


def _formula(job: Job, zero: int, gather: str, scatter: str) -> dict[str, float]:
    """Bytes of all replicas, by the collectives that move weights and gradients."""
    d, parameters = _ranks(), _parameters(job)
    weights, gradients = weights_formula(parameters, d, zero), gradients_formula(parameters, d, zero)
    return {gather: d * weights, scatter: d * gradients} if weights else {scatter: d * gradients}


def _both(job: Job) -> dict[str, float]:
    """Two pairs that share layers, each on half of the rows; a rank's part of the weights has one replica."""
    zero, half = _zero(job), tensor.parameters(job.model, 2)
    pair = tensor.formula(replace(job, rows=job.rows // 2), 2)
    data = {"all-gather": 4 * weights_formula(half, 2, zero), "reduce-scatter": 4 * gradients_formula(half, 2, zero)}
    return {"all-reduce": 2 * pair["all-reduce"], **data}


def _zero(job: Job) -> int:
    """The ZeRO stage whose traffic FSDP has: weights that stay after forward are gathered once, as in stage 2."""
    return 3 if job.reshard else 2


def _state_check(optimizer: torch.optim.Optimizer, job: Job, zero: int) -> Check:
    """Mean and variance that this rank keeps."""
    state = [value for kept in optimizer.state.values() for value in kept.values() if isinstance(value, Tensor)]
    held = sum(local(value).nbytes for value in state if value.ndim)
    predicted = memory.optimiser_bytes(_parameters(job), _ranks(), zero) * STATE_BYTES / 12
    return memory_check("optimiser", held, float(predicted))
