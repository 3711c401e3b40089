"""Facts: the task that suits experts best. A table of random (a, b) -> value pairs, learned by heart by one layer.

Nothing generalises here, so the loss measures capacity alone; at equal active FLOP capacity grows with the number of
experts. It shows what experts can give, not what they give on text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from attrs import frozen
from torch import Tensor, nn

from gpt4lab.rows import Row
from gpt4lab.toys.core.background import StepRows, timed
from gpt4lab.toys.core.moe import FeedForward, MoE
from gpt4lab.toys.core.optim import Optimizer
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.transformer import RMSNorm, seeded

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


@frozen
class Facts(Study):
    """The table learned with each number of experts; all have the same active width.

    nats: over all facts; guessing: what that costs who knows none; known: share of the facts answered right.
    """

    name = "facts"
    columns = columns(
        "experts expert, seed 1, cpu_s s, nats nat, guessing nat, known fraction, parameters param, active param"
    )

    experts: Sequence[int] = (1, 4, 16, 64, 128)
    steps: int = 500
    batch: int = 1024
    seed: int = 0

    def cases(self) -> list[Row]:
        """By number of experts."""
        return [{"experts": e, "seed": self.seed} for e in self.experts]

    def train(self, case: Row) -> Trained:
        """A row with the loss in nats; one found."""
        with seeded(self.seed):
            model = FactModel(case["experts"])
        table, row = facts(self.seed), {}
        for row in timed(self._losses(model, *table)):
            yield {"loss": row["loss"]}
        yield Found([{"cpu_s": row["cpu_s"], **_score(model, *table), **_size(model, case["experts"])}])

    def _losses(self, model: FactModel, keys: Tensor, values: Tensor) -> StepRows:
        generator, optimizer = torch.Generator().manual_seed(self.seed), Optimizer(model)
        for step in range(self.steps):
            pick = torch.randint(len(keys), (self.batch,), generator=generator)
            loss = F.cross_entropy(model(keys[pick]), values[pick])
            balance = getattr(model.feed_forward, "balance", 0.0)
            (loss + BALANCE_WEIGHT * balance).backward()
            optimizer.step(scale=min(1.0, 2 * (1 - step / self.steps)))
            yield {"loss": loss.item()}


def facts(seed: int) -> tuple[Tensor, Tensor]:
    """All keys (KEYS^2, 2) and their random values (KEYS^2,)."""
    generator = torch.Generator().manual_seed(seed)
    keys = torch.cartesian_prod(torch.arange(KEYS), torch.arange(KEYS))
    return keys, torch.randint(VALUES, (len(keys),), generator=generator)


@torch.no_grad()
def _score(model: FactModel, keys: Tensor, values: Tensor) -> Row:
    logits = model(keys)
    right = (logits.argmax(1) == values).float().mean().item()
    return {"nats": F.cross_entropy(logits, values).item(), "guessing": math.log(VALUES), "known": right}


def _size(model: FactModel, experts: int) -> Row:
    total = sum(p.numel() for p in model.parameters())
    per_expert = 2 * WIDTH * EXPERT_WIDTH
    return {"parameters": total, "active": total - max(0, experts - TOP_K) * per_expert}
