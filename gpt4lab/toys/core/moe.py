"""Feed-forward layers: one network for all tokens, or a mixture of experts of which each token sees `top_k`.

The mixture sorts the (token, expert) assignments by expert, runs each expert on its own contiguous slice, and puts the
rows back. Indexing the stacked weights inside a loop under autograd would allocate a full `[experts, ...]` gradient per
expert; `ExpertMLP` therefore writes its own backward pass. Shapes: n tokens, k = top_k, E experts, d model width,
f width of one expert.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SMALL_JOB = 2**19  # rows x weights of an average expert; below it, one grouped call beats a loop (measured)


@dataclass(frozen=True)
class Routing:
    """What a mixture layer decided in one forward pass; detached from the graph.

    experts (n, k): the experts of each token, best first. weights (n, k): their shares of its output, 0 where dropped.
    probabilities (n, E): the router's softmax. kept (n, k): False where an expert was already full.
    """

    experts: Tensor
    weights: Tensor
    probabilities: Tensor
    kept: Tensor

    @property
    def load(self) -> Tensor:
        """Assignments per expert, (E,), before any were dropped: they sum to n k."""
        return torch.bincount(self.experts.flatten(), minlength=self.probabilities.shape[1])

    @property
    def dropped(self) -> int:
        """Assignments that found their expert full."""
        return int((~self.kept).sum())


class FeedForward(nn.Module):
    """The dense layer: w_out relu(w_in x)^2 for every token. It is `ExpertMLP` with a single expert."""

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.w_in, self.w_out = _expert_weights(1, d_model, d_ff)

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) to (..., d)."""
        rows = x.flatten(0, -2)  # (n, d)
        return expert_mlp(rows, self.w_in, self.w_out, [len(rows)]).view_as(x)


class MoE(nn.Module):
    """Mixture of experts with a softmax router that sends each token to its `top_k` best experts.

    capacity_factor: an expert takes at most capacity_factor n k / E assignments of a batch, first come first served;
    those beyond are dropped (their share of the output is 0; the toy still computes them). None: nothing is dropped.
    noise: standard deviation added to the router's logits while training.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        n_experts: int,
        top_k: int = 2,
        capacity_factor: float | None = None,
        noise: float = 0.0,
    ) -> None:
        super().__init__()
        self.top_k, self.capacity_factor, self.noise = top_k, capacity_factor, noise
        self.router = nn.Linear(d_model, n_experts, bias=False)
        self.w_in, self.w_out = _expert_weights(n_experts, d_model, d_ff)
        self.generator = torch.Generator()  # of the router's noise: a run seeds it
        self.routing: Routing | None = None
        self.balance = torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) to (..., d); `routing` and `balance` tell afterwards what was decided."""
        rows = x.flatten(0, -2)  # (n, d)
        probabilities = F.softmax(self._logits(rows), dim=-1)  # (n, E)
        experts = _best(probabilities.detach(), self.top_k)  # (n, k)
        order, inverse, counts = _sort_by_expert(experts, probabilities.shape[1])
        kept = self._kept(experts, order, inverse, counts)  # (n, k)
        weights = self._shares(probabilities, experts) * kept  # (n, k)
        self._record(probabilities, experts, weights, kept, counts)
        sorted_rows = Gather.apply(rows, order, inverse, self.top_k)  # (n k, d)
        y = self.run_experts(sorted_rows, counts)
        y = Gather.apply(y, inverse, order, 1).view(len(rows), self.top_k, -1)  # (n, k, d)
        return _weighted_sum(y, weights).view_as(x)

    def run_experts(self, rows: Tensor, counts: Tensor) -> Tensor:
        """Rows (n k, d) sorted by expert, counts (E,) of each, to their outputs. Experts elsewhere: override this."""
        return expert_mlp(rows, self.w_in, self.w_out, _ends(counts, len(rows)))

    def _logits(self, rows: Tensor) -> Tensor:
        logits = self.router(rows)
        if not (self.training and self.noise):
            return logits
        return logits + self.noise * torch.randn(logits.shape, generator=self.generator)

    def _shares(self, probabilities: Tensor, experts: Tensor) -> Tensor:
        """The chosen experts' probabilities, made to sum to 1; a single one keeps its own, or no router learns."""
        chosen = probabilities.gather(1, experts)
        return chosen if self.top_k == 1 else chosen / chosen.sum(-1, keepdim=True)

    def _kept(self, experts: Tensor, order: Tensor, inverse: Tensor, counts: Tensor) -> Tensor:
        if self.capacity_factor is None:
            return torch.ones_like(experts, dtype=torch.bool)
        capacity = math.ceil(self.capacity_factor * experts.numel() / len(counts))
        starts = counts.cumsum(0) - counts  # (E,)
        place = torch.arange(len(order)) - starts[experts.flatten()[order]]  # (n k,) in the expert's queue
        return (place < capacity)[inverse].view_as(experts)

    def _record(self, probabilities: Tensor, experts: Tensor, weights: Tensor, kept: Tensor, counts: Tensor) -> None:
        """Keep the decisions for whoever wants to look, and the balance loss of Switch: E sum_i f_i P_i, 1 if even."""
        share = counts / experts.numel()  # f, (E,)
        self.balance = len(counts) * (share * probabilities.mean(0)).sum()
        self.routing = Routing(experts, weights.detach(), probabilities.detach(), kept)


class Gather(torch.autograd.Function):
    """k copies of each row of x, in another order; going back is a gather too, faster than autograd's scatter."""

    @staticmethod
    def forward(ctx, x: Tensor, order: Tensor, inverse: Tensor, k: int) -> Tensor:  # pyright: ignore
        """(n, d) to (n k, d)."""
        ctx.save_for_backward(inverse)
        ctx.k = k
        return x.index_select(0, order // k)

    @staticmethod
    def backward(ctx, grad: Tensor):  # pyright: ignore
        """The copies' gradients, summed."""
        copies = grad.index_select(0, ctx.saved_tensors[0])
        return copies if ctx.k == 1 else copies.view(-1, ctx.k, grad.shape[1]).sum(1), None, None, None


class ExpertMLP(torch.autograd.Function):
    """y = relu(x w_in[e])^2 w_out[e] for the rows of each expert e in turn: its activations stay in the cache.

    x (rows, d) sorted by expert, w_in (E, d, f), w_out (E, f, d), ends: where each expert's rows end.
    """

    @staticmethod
    def forward(ctx, x: Tensor, w_in: Tensor, w_out: Tensor, ends: list[int]) -> Tensor:  # pyright: ignore
        """(rows, d) to (rows, d)."""
        h, y = x.new_empty(len(x), w_in.shape[2]), torch.empty_like(x)
        for e, rows in enumerate(_slices(ends)):
            torch.mm(x[rows], w_in[e], out=h[rows]).relu_()
            torch.mm(h[rows].square(), w_out[e], out=y[rows])
        ctx.save_for_backward(x, w_in, w_out, h)
        ctx.ends = ends
        return y

    @staticmethod
    def backward(ctx, dy: Tensor):  # pyright: ignore
        """Each expert's gradients go straight into its slice of the stack."""
        x, w_in, w_out, h = ctx.saved_tensors
        dx, dw_in, dw_out = torch.empty_like(x), torch.empty_like(w_in), torch.empty_like(w_out)
        for e, rows in enumerate(_slices(ctx.ends)):
            torch.mm(h[rows].square().t(), dy[rows], out=dw_out[e])
            dh = torch.mm(dy[rows], w_out[e].t()).mul_(h[rows]).mul_(2)  # d relu(z)^2 = 2 relu(z) dz
            torch.mm(x[rows].t(), dh, out=dw_in[e])
            torch.mm(dh, w_in[e].t(), out=dx[rows])
        return dx, dw_in, dw_out, None


def expert_mlp(x: Tensor, w_in: Tensor, w_out: Tensor, ends: list[int]) -> Tensor:
    """Rows sorted by expert through their experts: small experts in one grouped call, larger ones in turn."""
    if len(ends) > 1 and len(x) * w_in[0].numel() < SMALL_JOB * len(ends) and not x.is_meta:
        return grouped_mlp(x, w_in, w_out, ends)
    return ExpertMLP.apply(x, w_in, w_out, ends)  # pyright: ignore


def grouped_mlp(x: Tensor, w_in: Tensor, w_out: Tensor, ends: list[int]) -> Tensor:
    """The same function in two calls of `F.grouped_mm`."""
    offsets = torch.tensor(ends, dtype=torch.int32, device=x.device)
    hidden = F.relu(F.grouped_mm(x, w_in, offs=offsets)).square()
    return F.grouped_mm(hidden, w_out, offs=offsets)


def naive_mlp(x: Tensor, w_in: Tensor, w_out: Tensor, ends: list[int]) -> Tensor:
    """The same function as one writes it first; the reference for tests and for the benchmark."""
    parts = [F.relu(x[rows] @ w_in[e]).square() @ w_out[e] for e, rows in enumerate(_slices(ends))]
    return torch.cat(parts)


def _expert_weights(n_experts: int, d_model: int, d_ff: int) -> tuple[nn.Parameter, nn.Parameter]:
    w_in = torch.randn(n_experts, d_model, d_ff) / math.sqrt(d_model)
    w_out = torch.randn(n_experts, d_ff, d_model) / math.sqrt(d_ff)
    return nn.Parameter(w_in), nn.Parameter(w_out * 0.3)  # a small output: blocks start close to the identity


def _best(probabilities: Tensor, k: int) -> Tensor:
    """The k largest of each row, best first, (n, k). For small k, k times argmax is faster than topk on a CPU."""
    left, best = probabilities.clone(), []
    for _ in range(k):
        best.append(left.argmax(-1, keepdim=True))
        left.scatter_(1, best[-1], -1.0)
    return torch.cat(best, dim=1)


def _sort_by_expert(experts: Tensor, n_experts: int) -> tuple[Tensor, Tensor, Tensor]:
    """The assignments' order by expert, the inverse of that order, both (n k,), and the load (E,)."""
    flat = experts.flatten()
    order = flat.argsort(stable=True)
    inverse = torch.empty_like(order)
    inverse[order] = torch.arange(len(order), device=order.device)
    counts = torch.zeros(n_experts, dtype=torch.long, device=flat.device)
    return order, inverse, counts.scatter_add(0, flat, torch.ones_like(flat))


def _ends(counts: Tensor, rows: int) -> list[int]:
    if counts.is_meta:  # no values there: assume even load, which has the same FLOP
        return [rows * (e + 1) // len(counts) for e in range(len(counts))]
    return counts.cumsum(0).tolist()


def _slices(ends: list[int]) -> list[slice]:
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _weighted_sum(y: Tensor, weights: Tensor) -> Tensor:
    """sum_k weights[:, k] y[:, k], (n, d)."""
    first, *others = zip(y.unbind(1), weights[..., None].unbind(1), strict=True)
    total = first[0] * first[1]
    for rows, share in others:
        total = torch.addcmul(total, rows, share)
    return total
