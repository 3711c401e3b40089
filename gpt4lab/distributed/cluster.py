"""A layout of thousands of GPUs, built for real on none: torch's fake process group, tensors on its meta device.

    stage_checks(config, RankGrid(tensor=8, pipeline=15, data=208))   # what one GPU of each pipeline stage holds
    tensor_traffic(config, RankGrid(), context=8192)                  # what a layer sends, counted by torch

This process claims to be one rank of 24,960; groups, meshes and DTensors are made as on that rank, so what a weight's
part on this GPU is comes from torch, not from a division of ours. Nothing is computed and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor
from torch.testing._internal.distributed.fake_pg import FakeStore

from gpt4lab.checks.check import Check, Checks
from gpt4lab.distributed.compare import local_parameters, traffic_checks
from gpt4lab.distributed.job import FORMULA_BYTES, VALUE_BYTES, Row
from gpt4lab.distributed.measure import Traffic
from gpt4lab.distributed.tensor import copied, finish, layer_parameters, split_blocks
from gpt4lab.formulas import memory, traffic
from gpt4lab.models.rules import LayoutError
from gpt4lab.toys.core.transformer import ToyConfig
from gpt4lab.toys.counting.flop import meta_model

WIDTHS = (64, 80, 96, 112, 128, 160, 192, 256)  # head sizes in use


@dataclass(frozen=True)
class RankGrid:
    """Ranks in the order of Megatron-LM: tensor first, then data, then pipeline. `zero` is the ZeRO stage."""

    tensor: int = 8
    pipeline: int = 15
    data: int = 1
    zero: int = 1

    @property
    def gpus(self) -> int:
        """All ranks."""
        return self.tensor * self.pipeline * self.data

    def rank(self, stage: int) -> int:
        """The first rank of a stage, in the first replica."""
        return stage * self.data * self.tensor


@contextmanager
def pretend(cluster: RankGrid, rank: int = 0) -> Iterator[DeviceMesh]:
    """Be one rank of a cluster that does not exist; the mesh has dimensions pipeline, data and tensor."""
    shape = (cluster.pipeline, cluster.data, cluster.tensor)
    dist.init_process_group("fake", store=FakeStore(), rank=rank, world_size=cluster.gpus)
    try:
        yield init_device_mesh("cpu", shape, mesh_dim_names=("pipeline", "data", "tensor"))
    finally:
        dist.destroy_process_group()


def stage_checks(config: ToyConfig, cluster: RankGrid) -> Checks:
    """For each stage the parameters that one GPU holds, and its bytes of weights, gradients and optimiser state.

    Raises
    ------
    LayoutError : where heads or width do not divide over the tensor-parallel ranks.
    """
    check(config, cluster)
    return Checks(found for stage in range(cluster.pipeline) for found in _stage_checks(config, cluster, stage))


def tensor_traffic(config: ToyConfig, cluster: RankGrid, context: int) -> Checks:
    """Bytes that a GPU sends for one layer and one sequence, forward and backward, 16-bit values.

    Also counted are the gradients of what is copied: the router, and a key-value head that cannot be cut.
    """
    check(config, cluster)
    with pretend(cluster) as mesh:
        model = meta_model(replace(config, n_layers=1))
        split_blocks(model.blocks, config, mesh["tensor"])
        x = torch.empty(1, context, config.d_model, device="meta", requires_grad=True)
        with Traffic() as counted:
            model.blocks[0](x).sum().backward()
            finish(model)
    scale = FORMULA_BYTES / VALUE_BYTES  # the meta tensors are fp32
    calls = [
        call._replace(payload_bytes=call.payload_bytes * scale, sent_bytes=call.sent_bytes * scale)
        for call in counted.calls
    ]
    activations = traffic.tensor_bytes(1, context, config.d_model, cluster.tensor, 0)
    gradients = 2 * traffic.ring_share(cluster.tensor) * FORMULA_BYTES * copied(config, cluster.tensor)
    return traffic_checks([(calls, None)], {"all-reduce": activations + gradients})


def neighbours(cluster: RankGrid, rank: int) -> Row:
    """Where a rank stands, and the ranks with which it shares layers, replicas' gradients, and the pipeline."""
    with pretend(cluster, rank) as mesh:
        names = ("pipeline", "data", "tensor")
        place = {name: mesh[name].get_local_rank() for name in names}
        groups = {f"{name}_ranks": mesh[name].mesh.tolist() for name in names}
    return {"rank": rank, **place, **groups}


def spread(layers: int, stages: int) -> list[int]:
    """Layers of each stage, as even as can be; the first stages, which also embed, get fewer."""
    few = stages - layers % stages
    return [layers // stages + (stage >= few) for stage in range(stages)]


def check(config: ToyConfig, cluster: RankGrid) -> None:
    """Refuse a layout that cannot exist.

    Raises
    ------
    LayoutError : with head counts that would divide, where there are some.
    """
    t, heads = cluster.tensor, config.n_heads
    if heads % t:
        raise LayoutError(f"{heads} heads do not divide over {t} tensor-parallel ranks. {_alternatives(config, t)}")
    if config.d_ff % t:
        raise LayoutError(f"an expert width of {config.d_ff} does not divide over {t} tensor-parallel ranks.")
    if cluster.pipeline > config.n_layers:
        raise LayoutError(f"{config.n_layers} layers are fewer than {cluster.pipeline} stages.")


def _alternatives(config: ToyConfig, t: int) -> str:
    counts = [config.d_model // width for width in WIDTHS if config.d_model % (width * t) == 0]
    text = ", ".join(f"{n} of {config.d_model // n}" for n in counts)
    return f"With a width of {config.d_model}, these would: {text}." if counts else "No usual head size would."


def _stage_checks(config: ToyConfig, cluster: RankGrid, stage: int) -> Iterator[Check]:
    layers = spread(config.n_layers, cluster.pipeline)[stage]
    with pretend(cluster, cluster.rank(stage)) as mesh:
        counted = local_parameters(_stage(config, cluster, stage, mesh["tensor"]))
        held = _held(counted, cluster.zero, mesh["data"])
    predicted = layers * layer_parameters(config, cluster.tensor) + _ends(cluster, stage) * _table(config, cluster)
    name = f"stage {stage}, {layers} layers"
    yield Check("parameters", predicted, counted, "param", name=name)
    for what, formula in _predicted(predicted, cluster).items():
        yield Check(what, formula, held[what], "byte", name=name)


def _stage(config: ToyConfig, cluster: RankGrid, stage: int, mesh: DeviceMesh) -> nn.Module:
    """The part of a stage on this rank: layers, embedding and head cut over the tensor-parallel ranks."""
    layers = spread(config.n_layers, cluster.pipeline)[stage]
    model = meta_model(replace(config, n_layers=layers))
    split_blocks(model.blocks, config, mesh)
    tables = [model.embedding] * (stage == 0) + [model.head] * (stage == cluster.pipeline - 1)
    for table in tables:
        cut = distribute_tensor(table.weight.data, mesh, [Shard(0)], src_data_rank=None)
        table.weight = nn.Parameter(cut)
    return nn.ModuleList([model.blocks, *tables])


def _held(parameters: int, zero: int, mesh: DeviceMesh) -> dict[str, int]:
    """Bytes by part in mixed precision; ZeRO cuts the flat list of all values over the replicas."""
    flat = distribute_tensor(torch.empty(parameters, device="meta"), mesh, [Shard(0)], src_data_rank=None)
    whole, part = parameters, flat.to_local().numel()
    return {
        "weights": 2 * (part if zero >= 3 else whole),
        "gradients": 2 * (part if zero >= 2 else whole),
        "optimiser": 12 * (part if zero >= 1 else whole),
    }


def _predicted(P: float, cluster: RankGrid) -> dict[str, float]:
    """The same bytes by the formulas of `formulas.memory`."""
    N_d, zero = cluster.data, cluster.zero
    return {
        "weights": float(memory.weight_bytes(P, N_d, zero)),
        "gradients": float(memory.gradient_bytes(P, N_d, zero, 2)),
        "optimiser": float(memory.optimiser_bytes(P, N_d, zero)),
    }


def _ends(cluster: RankGrid, stage: int) -> int:
    """Tables of the vocabulary in a stage."""
    return (stage == 0) + (stage == cluster.pipeline - 1)


def _table(m: ToyConfig, cluster: RankGrid) -> float:
    return m.vocabulary * m.d_model / cluster.tensor
