"""Muon for the matrices inside the blocks, AdamW for everything else.

Muon (Jordan 2024) replaces a matrix's momentum by the nearest orthogonal matrix, found with a few Newton-Schulz steps.
It reaches a given loss in far fewer steps than AdamW on these toys. `torch.optim.Muon` takes 2-D matrices only; here the
stacked weights of experts, (E, rows, columns), are orthogonalised as one batch.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan's quintic: singular values go to about 0.7 ... 1.2 in 5 steps
MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):
    """Steps of size lr along the orthogonalised Nesterov momentum of each matrix."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float = 0.02) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:  # pyright: ignore
        for group in self.param_groups:
            for parameters in _by_shape(group["params"]):
                updates = orthogonalise(torch.cat([self._momentum(p) for p in parameters]))
                for p, update in zip(parameters, updates.split([_as_batch(p).shape[0] for p in parameters])):
                    p.sub_(update.view_as(p), alpha=group["lr"] * math.sqrt(max(1.0, p.shape[-2] / p.shape[-1])))

    def _momentum(self, p: nn.Parameter) -> Tensor:
        state = self.state[p]
        average = state.setdefault("momentum", torch.zeros_like(p)).lerp_(p.grad, 1 - MOMENTUM)
        return _as_batch(p.grad.lerp(average, MOMENTUM))


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


def make_optimizers(model: nn.Module, lr: float = 0.03, adam_lr: float = 0.003) -> list[torch.optim.Optimizer]:
    """Muon for blocks' matrices, AdamW for embedding, head, router and gains."""
    matrices, others = [], []
    for name, p in model.named_parameters():
        (matrices if _is_matrix(name, p) else others).append(p)
    adam = torch.optim.AdamW(others, lr=adam_lr, betas=(0.9, 0.95), weight_decay=0.0, foreach=True)
    return [Muon(matrices, lr), adam] if matrices else [adam]


def _is_matrix(name: str, p: nn.Parameter) -> bool:
    return p.ndim >= 2 and not any(word in name for word in ("embedding", "head", "router"))


def _as_batch(p: Tensor) -> Tensor:
    return p if p.ndim == 3 else p[None]


def _by_shape(parameters: list[nn.Parameter]) -> list[list[nn.Parameter]]:
    """Parameters with a gradient whose matrices have one shape, so that they go through Newton-Schulz together."""
    groups: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
    for p in parameters:
        if p.grad is not None:
            groups[p.shape[-2:]].append(p)
    return list(groups.values())
