"""Expert parallelism: each rank has some of the experts, and tokens travel to theirs and back (Lepikhin 2020).

Ranks are replicas too: each has its own rows of the batch, and whatever is not an expert is copied. A token goes out to
its experts and comes back in forward, its gradient does the same in backward: four all-to-alls a layer.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed._functional_collectives import all_to_all_single_autograd

from gpt4lab.distributed.compare import (
    TrainStep,
    adam,
    compare,
    cross_entropy,
    gather,
    memory_check,
    weight_bytes,
    with_memory,
)
from gpt4lab.distributed.job import FORMULA_BYTES, VALUE_BYTES, DemoReport, Job
from gpt4lab.distributed.replicas import gradients_formula, own_rows
from gpt4lab.formulas import traffic
from gpt4lab.toys.core.moe import MoE, expert_mlp
from gpt4lab.toys.core.transformer import Transformer, build_model, count_parameters


class SpreadMoE(MoE):
    """The toy's mixture layer with its experts spread over all ranks: rank r has the r-th part of them."""

    def __init__(self, layer: MoE) -> None:
        rank, ranks = dist.get_rank(), dist.get_world_size()
        experts, d_model, d_ff = layer.w_in.shape
        super().__init__(d_model, d_ff, experts // ranks, layer.top_k)
        self.router = layer.router
        self.w_in = nn.Parameter(layer.w_in.detach().chunk(ranks)[rank].clone())
        self.w_out = nn.Parameter(layer.w_out.detach().chunk(ranks)[rank].clone())

    def run_experts(self, rows: Tensor, counts: Tensor) -> Tensor:
        """Rows sorted by expert, so by rank: to their ranks, through the experts there, and home again."""
        sent = counts.view(dist.get_world_size(), -1)  # (ranks, experts of a rank)
        received = torch.empty_like(sent)  # (ranks, our experts): from whom, for which expert
        dist.all_to_all_single(received, sent)
        there, here = sent.sum(1).tolist(), received.sum(1).tolist()
        visitors = _travel(rows, here, there)  # sorted by rank, then by expert
        experts = torch.arange(len(self.w_in)).repeat(len(received)).repeat_interleave(received.flatten())
        order = experts.argsort(stable=True)
        y = expert_mlp(visitors[order], self.w_in, self.w_out, received.sum(0).cumsum(0).tolist())
        return _travel(y[order.argsort()], there, here)


def demo(job: Job) -> DemoReport:
    """Experts spread, the rest copied."""
    model = build_model(job.model, job.seed)
    shared = count_parameters(model).total - _expert_weights(job)
    for block in model.blocks:
        block.feed_forward = SpreadMoE(block.feed_forward)  # pyright: ignore
    step = own_rows(_step(model, job), job)
    report = compare("experts", job, step, formula(job, shared, dist.get_world_size()))
    report.notes.append(_stayed(model))
    predicted = VALUE_BYTES * (shared + _expert_weights(job) / dist.get_world_size())
    return with_memory(report, memory_check("weights", weight_bytes(model), predicted))


def formula(job: Job, shared: float, e: int) -> dict[str, float]:
    """Bytes that e ranks send in a step, if the experts get equal shares of the tokens."""
    m = job.model
    out_and_back = traffic.expert_bytes(job.rows, job.context, m.d_model, m.top_k, 1, 0) * traffic.ring_share(e)
    return {
        "all-to-all": m.n_layers * out_and_back * VALUE_BYTES / FORMULA_BYTES,
        "all-reduce": e * gradients_formula(shared, e, 0),
    }


def _travel(rows: Tensor, expected: list[int], leaving: list[int]) -> Tensor:
    """All-to-all of rows; the gradient takes the way back."""
    assert dist.group.WORLD is not None
    return all_to_all_single_autograd(rows, expected, leaving, dist.group.WORLD)


def _step(model: Transformer, job: Job) -> TrainStep:
    optimizer = adam(model.parameters(), job)
    spread = {p for layer in model.mixtures for p in (layer.w_in, layer.w_out)}
    shared = [p for p in model.parameters() if p not in spread]

    def step(tokens: Tensor, targets: Tensor) -> float:
        loss = cross_entropy(model(tokens), targets)
        (loss / dist.get_world_size()).backward()  # the batch's mean is the mean of the ranks' means
        _sum_gradients(shared)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return step


def _sum_gradients(parameters: list[nn.Parameter]) -> None:
    """One all-reduce; an expert's gradient is whole already, because its tokens came to it."""
    grads = [p.grad for p in parameters if p.grad is not None]
    together = torch.cat([grad.flatten() for grad in grads])
    dist.all_reduce(together)
    for grad, part in zip(grads, together.split([grad.numel() for grad in grads]), strict=True):
        grad.copy_(part.view_as(grad))


def _expert_weights(job: Job) -> int:
    m = job.model
    return m.n_layers * m.n_experts * 2 * m.d_model * m.d_ff


def _stayed(model: Transformer) -> str:
    """How far the routing is from the even one of the formula."""
    rank, ranks = dist.get_rank(), dist.get_world_size()
    owner = torch.cat([r.experts.flatten() * ranks // r.probabilities.shape[1] for r in model.routings()])
    shares = gather((owner == rank).float().mean().item())
    return f"{sum(shares) / ranks:.1%} of the assignments stayed on their rank; the formula assumes {1 / ranks:.1%}."
