"""Muon for the matrices inside the blocks, AdamW for everything else.

Muon (Jordan 2024) replaces a matrix's momentum by the nearest orthogonal matrix, found with a few Newton-Schulz
steps. It reaches a given loss in far fewer steps than AdamW on these toys. `torch.optim.Muon` takes 2-D matrices only;
here the stacked weights of experts, (E, rows, columns), are orthogonalised as one batch. Both are written out, also
because the first optimizer from `torch.optim` in a process imports torch's compiler, which takes two seconds.
"""

from __future__ import annotations

import math
from collections import defaultdict

import torch
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan's quintic: singular values go to about 0.7 ... 1.2 in 5 steps
MOMENTUM = 0.95
BETAS = (0.9, 0.95)  # of AdamW


class Muon:
    """Steps of size lr along the orthogonalised Nesterov momentum of each matrix."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        self.groups, self.lr = _by_shape(parameters), lr
        self.momentum = {p: torch.zeros_like(p) for p in parameters}

    @torch.no_grad()
    def step(self, scale: float = 1.0) -> None:
        """One step of size scale x lr."""
        for parameters in self.groups:
            updates = orthogonalise(torch.cat([self._direction(p) for p in parameters]))
            sizes = [len(_as_batch(p)) for p in parameters]
            for p, update in zip(parameters, updates.split(sizes), strict=True):
                p.sub_(update.view_as(p), alpha=scale * self.lr * math.sqrt(max(1.0, p.shape[-2] / p.shape[-1])))

    def _direction(self, p: nn.Parameter) -> Tensor:
        grad = p.grad if p.grad is not None else torch.zeros_like(p)
        return _as_batch(grad.lerp(self.momentum[p].lerp_(grad, 1 - MOMENTUM), MOMENTUM))


class AdamW:
    """Adam (Kingma 2014) without weight decay."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        self.parameters, self.lr, self.steps = parameters, lr, 0
        self.moments = {p: (torch.zeros_like(p), torch.zeros_like(p)) for p in parameters}

    @torch.no_grad()
    def step(self, scale: float = 1.0) -> None:
        """One step of size scale x lr."""
        self.steps += 1
        b1, b2 = BETAS
        for p, (mean, square) in self.moments.items():
            grad = p.grad if p.grad is not None else torch.zeros_like(p)
            mean.lerp_(grad, 1 - b1)
            square.lerp_(grad.square(), 1 - b2)
            root = (square / (1 - b2**self.steps)).sqrt_().add_(1e-8)
            p.addcdiv_(mean, root, value=-scale * self.lr / (1 - b1**self.steps))


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """Newton-Schulz on a batch (batch, rows, columns): every singular value becomes about 1."""
    a, b, c = NEWTON_SCHULZ
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT  # (batch, rows, rows), rows <= columns
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Optimizer:
    """Muon for the blocks' matrices; AdamW for embedding, head and routers."""

    def __init__(self, model: nn.Module, lr: float = 0.03, adam_lr: float = 0.003) -> None:
        named = dict(model.named_parameters())
        matrices = {name for name, p in named.items() if _is_matrix(name, p)}
        self.model = model
        self.muon = Muon([named[name] for name in named if name in matrices], lr)
        self.adam = AdamW([named[name] for name in named if name not in matrices], adam_lr)

    def step(self, scale: float = 1.0) -> None:
        """Update every parameter and clear the gradients."""
        self.muon.step(scale)
        self.adam.step(scale)
        self.model.zero_grad()


def _is_matrix(name: str, p: nn.Parameter) -> bool:
    return p.ndim >= 2 and not any(word in name for word in ("embedding", "head", "router"))


def _as_batch(p: Tensor) -> Tensor:
    return p if p.ndim == 3 else p[None]


def _by_shape(parameters: list[nn.Parameter]) -> list[list[nn.Parameter]]:
    """Parameters whose matrices have one shape go through Newton-Schulz together."""
    groups: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
    for p in parameters:
        groups[p.shape[-2:]].append(p)
    return list(groups.values())
