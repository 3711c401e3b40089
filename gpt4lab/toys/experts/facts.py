"""Facts: the task that suits experts best. A table of random (a, b) -> value pairs, learned by heart by one layer.

Nothing generalises here, so the loss measures capacity alone; at equal active FLOP capacity grows with the number of
experts. It shows what experts can give, not what they give on text.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpt4lab.rows import Row
from gpt4lab.toys.core.background import BackgroundRun, Work
from gpt4lab.toys.core.moe import FeedForward, MoE
from gpt4lab.toys.core.optim import Optimizer
from gpt4lab.toys.core.transformer import RMSNorm

KEYS, VALUES = 128, 64  # KEYS^2 = 16,384 facts; guessing costs ln 64 = 4.16 nats
EXPERT_WIDTH, TOP_K, WIDTH = 16, 2, 32
BALANCE_WEIGHT = 0.01


class FactModel(nn.Module):
    """Two embedded keys, one feed-forward layer, a head. (n, 2) keys to (n, VALUES) logits."""

    def __init__(self, experts: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(2 * KEYS, WIDTH)
        dense = FeedForward(WIDTH, TOP_K * EXPERT_WIDTH)
        self.feed_forward = MoE(WIDTH, EXPERT_WIDTH, experts, TOP_K) if experts > 1 else dense
        self.norm = RMSNorm()
        self.head = nn.Linear(WIDTH, VALUES, bias=False)

    def forward(self, keys: Tensor) -> Tensor:
        """The second key has its own half of the embedding table."""
        x = self.embedding(keys + torch.tensor([0, KEYS])).sum(1)  # (n, WIDTH)
        return self.head(self.norm(x + self.feed_forward(self.norm(x))))


def learn_facts(
    experts: Sequence[int] = (1, 4, 16, 64, 128),
    steps: int = 500,
    batch: int = 1024,
    seed: int = 0,
    name: str = "facts",
) -> BackgroundRun[list[Row]]:
    """Learn the table with each number of experts, in the background. The result is one row a finished training.

    Rows of the result: experts, seed, nats (over all facts), known (share of the facts answered right), parameters,
    active, cpu_s. All have the same active width.
    """
    result: list[Row] = []
    return BackgroundRun(_all_rows(experts, result, steps, batch, seed), result, len(experts) * steps, name).start()


def facts(seed: int) -> tuple[Tensor, Tensor]:
    """All keys (KEYS^2, 2) and their random values (KEYS^2,)."""
    generator = torch.Generator().manual_seed(seed)
    keys = torch.cartesian_prod(torch.arange(KEYS), torch.arange(KEYS))
    return keys, torch.randint(VALUES, (len(keys),), generator=generator)


def _all_rows(experts: Sequence[int], result: list[Row], steps: int, batch: int, seed: int) -> Work:
    keys, values = facts(seed)
    for e in experts:
        model, begin = _model(e, seed), time.thread_time()
        for loss in _losses(model, keys, values, steps, batch, seed):
            yield {"experts": e, "loss": loss, "finished": len(result)}
        case = {"experts": e, "seed": seed, "cpu_s": time.thread_time() - begin}
        result.append({**case, **_score(model, keys, values), **_size(model, e)})


def _losses(model: FactModel, keys: Tensor, values: Tensor, steps: int, batch: int, seed: int) -> Iterator[float]:
    generator, optimizer = torch.Generator().manual_seed(seed), Optimizer(model)
    for step in range(steps):
        pick = torch.randint(len(keys), (batch,), generator=generator)
        loss = F.cross_entropy(model(keys[pick]), values[pick])
        balance = getattr(model.feed_forward, "balance", 0.0)
        (loss + BALANCE_WEIGHT * balance).backward()
        optimizer.step(scale=min(1.0, 2 * (1 - step / steps)))
        yield loss.item()


def _model(experts: int, seed: int) -> FactModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return FactModel(experts)


@torch.no_grad()
def _score(model: FactModel, keys: Tensor, values: Tensor) -> Row:
    logits = model(keys)
    right = (logits.argmax(1) == values).float().mean().item()
    return {"nats": F.cross_entropy(logits, values).item(), "guessing": math.log(VALUES), "known": right}


def _size(model: FactModel, experts: int) -> Row:
    total = sum(p.numel() for p in model.parameters())
    per_expert = 2 * WIDTH * EXPERT_WIDTH
    return {"parameters": total, "active": total - max(0, experts - TOP_K) * per_expert}
