"""The training loop of the toys, what a trained model is measured by, and how a training runs in the background."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gpt4lab.rows import Row
from gpt4lab.toys.core.background import BackgroundRun, StepRows
from gpt4lab.toys.core.corpus import DOMAINS, Batch, Corpus, Sampler
from gpt4lab.toys.core.optim import Optimizer
from gpt4lab.toys.core.transformer import Transformer, snapshot
from gpt4lab.units import BITS_PER_NAT


def train(
    model: Transformer, data: Sampler, steps: int = 300, seed: int = 0, name: str = "", lr: float = 0.03
) -> BackgroundRun[Transformer]:
    """Train in the background. The same model, data and seed give the same curve on the same machine.

    data: from `Corpus.sampler(rows, context)`. Rows of the history: loss in nats, balance (1 is even), tokens seen,
    dropped (share of the assignments), load (for each mixture layer the share of each expert).
    """
    return BackgroundRun(training_rows(model, data, steps, seed, lr), model, steps, name).start()


def training_rows(
    model: Transformer, data: Sampler, steps: int, seed: int = 0, lr: float = 0.03, adam_lr: float = 0.003
) -> StepRows:
    """The training loop; each `next` is one step. Muon and AdamW, learning rate falling over the second half."""
    torch.set_num_threads(1)  # as a background run does: a second thread in a cell costs tenfold on a busy machine
    generator, tokens = torch.Generator().manual_seed(seed), 0
    for i, layer in enumerate(model.mixtures):
        layer.generator.manual_seed(seed + i)
    optimizer = Optimizer(model, lr, adam_lr)
    model.train()
    for step in range(steps):
        batch = data(generator)
        loss = model.loss(batch.tokens, batch.targets)
        (loss.tokens + model.config.balance_weight * loss.balance).backward()
        optimizer.step(scale=min(1.0, 2 * (1 - step / steps)))
        tokens += batch.targets.numel()
        yield {"loss": loss.tokens.item(), "balance": loss.balance.item(), "tokens": tokens, **_routed(model)}


def require_whole(**values: int) -> None:
    """ValueError that names the first value which is not a whole number of at least 1."""
    for name, value in values.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {value}")


def evaluate(model: Transformer, corpus: Corpus, rows: int = 64, context: int = 128, seed: int = 0) -> dict[str, float]:
    """Bits per byte on held-out text: of each domain and of both ("all")."""
    batch = corpus.batch(rows, context, torch.Generator().manual_seed(seed), "held-out")
    found = bits(model, batch).mean(1)  # (rows,)
    by_domain = {domain: found[batch.domains == i].mean().item() for i, domain in enumerate(DOMAINS)}
    return {"all": found.mean().item(), **by_domain}


@torch.no_grad()
def bits(model: Transformer, batch: Batch) -> Tensor:
    """Bits that each byte of a batch costs a model, (batch, time); its training is not disturbed."""
    logits = snapshot(model)(batch.tokens)  # (batch, time, V)
    return BITS_PER_NAT * nn.functional.cross_entropy(logits.transpose(1, 2), batch.targets, reduction="none")


def _routed(model: Transformer) -> Row:
    """Share of the assignments that were dropped, and the experts' shares of them in each mixture layer."""
    routings = model.routings()
    dropped = sum(r.dropped for r in routings) / max(1, sum(r.experts.numel() for r in routings))
    return {"dropped": dropped, "load": [(r.load / r.experts.numel()).tolist() for r in routings]}
