"""Tensor parallelism (Shoeybi 2019): each rank computes some heads and some of the feed-forward's columns.

The toy's own modules run unchanged; only their weights are DTensors, cut over the ranks of a mesh. Around each module
stands the pair of operators that the Megatron paper calls f and g: going in, nothing happens forward and gradients are
summed backward; coming out, results are summed forward and nothing happens backward. That makes four all-reduces a
layer, as the formula says.
"""

from __future__ import annotations

from typing import Any

import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.func import functional_call

from gpt4lab.distributed.compare import TrainStep, adam, compare, cross_entropy, memory_check, weight_bytes, with_memory
from gpt4lab.distributed.job import FORMULA_BYTES, VALUE_BYTES, DemoReport, Job
from gpt4lab.formulas import layer, traffic
from gpt4lab.toys.core.transformer import Block, ToyConfig, Transformer, build_model

#: Along which dimension a weight is cut; what is not here (a router, a lone key-value head) is copied to every rank.
CUTS = {"query.weight": 0, "key.weight": 0, "value.weight": 0, "out.weight": 1, "w_in": 2, "w_out": 1}
KEY_VALUE = ("key.weight", "value.weight")


class Split(nn.Module):
    """A module of the toy with its weights cut over `mesh`, between f and g.

    A copied weight sees only this rank's share of the work, so its gradient is a part of a sum: `finish` adds it up.
    """

    def __init__(self, module: nn.Module, mesh: DeviceMesh, copied: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.module, self.mesh = module, mesh
        for name, p in list(module.named_parameters()):
            cut = CUTS.get(name) if name not in copied else None
            place = Replicate() if cut is None else Shard(cut)
            part = distribute_tensor(p.data, mesh, [place], src_data_rank=None)  # every rank has the same whole
            owner, _, leaf = name.rpartition(".")
            setattr(module.get_submodule(owner), leaf, nn.Parameter(part))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) to (B, T, C), the same on every rank."""
        x = DTensor.from_local(x, self.mesh, [Replicate()]).to_local(grad_placements=[Partial()])  # f
        weights = {name: _own_part(p) for name, p in self.module.named_parameters()}
        y: Any = functional_call(self.module, weights, (x,))  # (B, T, C), a part of a sum
        return DTensor.from_local(y, self.mesh, [Partial()]).redistribute(placements=[Replicate()]).to_local()  # g


def split_blocks(blocks: nn.ModuleList, config: ToyConfig, mesh: DeviceMesh) -> None:
    """Cut attention and feed-forward of every block, in place; a key-value head cannot be cut, so one is copied."""
    shared = config.n_kv_heads % mesh.size() != 0
    for block in blocks:
        assert isinstance(block, Block)
        block.attention = Split(block.attention, mesh, KEY_VALUE if shared else ())  # pyright: ignore
        block.feed_forward = Split(block.feed_forward, mesh)


def finish(model: nn.Module) -> None:
    """After backward: sum the gradients of copied weights."""
    for p in model.parameters():
        if isinstance(p.grad, DTensor) and p.grad.placements != p.placements:  # pyright: ignore
            p.grad = p.grad.redistribute(placements=p.placements)  # pyright: ignore


def demo(job: Job) -> DemoReport:
    """Every rank sees the whole batch; embedding and head are not cut."""
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    model = build_model(job.model, job.seed)
    split_blocks(model.blocks, job.model, mesh)
    report = compare("tensor", job, train_step(model, job), formula(job, mesh.size()))
    predicted = VALUE_BYTES * parameters(job.model, mesh.size())
    return with_memory(report, memory_check("weights", weight_bytes(model), predicted))


def formula(job: Job, t: int) -> dict[str, float]:
    """Bytes that t ranks send in a step: all-reduces of activations, and of the gradients of copied weights."""
    m = job.model
    layer_bytes = traffic.tensor_bytes(job.rows, job.context, m.d_model, t, 0) * VALUE_BYTES / FORMULA_BYTES
    return {"all-reduce": t * m.n_layers * (layer_bytes + 2 * traffic.ring_share(t) * VALUE_BYTES * copied(m, t))}


def copied(m: ToyConfig, t: int) -> int:
    """Weights of a layer that every tensor-parallel rank has whole."""
    key_value = 2 * m.d_model * m.head_width * m.n_kv_heads if m.n_kv_heads % t else 0
    return key_value + (m.d_model * m.n_experts if m.n_experts > 1 else 0)


def layer_parameters(m: ToyConfig, t: int) -> float:
    """Weights of a layer on one of t ranks, by the formulas of `formulas.layer`; the router is on each of them."""
    attention = layer.attention_weights(m.d_model, m.n_heads, m.n_kv_heads, m.head_width, t)
    router = m.d_model * m.n_experts if m.n_experts > 1 else 0
    return float(attention + m.n_experts * layer.feed_forward_weights(m.d_model, m.d_ff, 0) / t + router)


def parameters(m: ToyConfig, t: int) -> float:
    """Weights of the model on one of t ranks; embedding and head are whole."""
    return m.n_layers * layer_parameters(m, t) + 2 * m.vocabulary * m.d_model


def train_step(model: Transformer, job: Job) -> TrainStep:
    """Forward, backward, sums for copied weights, update."""
    optimizer = adam(model.parameters(), job)

    def step(tokens: Tensor, targets: Tensor) -> float:
        loss = cross_entropy(model(tokens), targets)
        loss.backward()
        finish(model)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return step


def _own_part(p: nn.Parameter) -> Tensor:
    assert isinstance(p, DTensor)
    return p.to_local(grad_placements=[Partial() if place.is_replicate() else place for place in p.placements])
