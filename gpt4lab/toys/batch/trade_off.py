"""How many steps a toy needs to reach a loss, with small and with large batches.

The learning rate is constant: factor x base x sqrt(batch / 64), for SGD factor x base; of the factors tried, the
quickest counts, at each loss. `noise_scale` compares what comes out with the noise of the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

import torch
from attrs import frozen
from torch import nn

from gpt4lab.quantities.topics.batch import extra_steps
from gpt4lab.rows import Row
from gpt4lab.toys.core.corpus import Corpus
from gpt4lab.toys.core.optim import AdamW, Optimizer
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import bits, require_whole
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model

CONFIG = ToyConfig(d_model=32, n_layers=1, d_ff=128)
CONTEXT, ROWS = 32, 64  # bytes of a sequence; sequences of the batch for which the base rates are
LEVELS = (4.8, 4.6, 4.4, 4.2, 4.0, 3.8, 3.6)  # held-out bits per byte whose steps are counted


class SGD:
    """Steps against the gradient, without momentum."""

    def __init__(self, model: nn.Module, lr: float) -> None:
        self.parameters, self.lr = list(model.parameters()), lr

    @torch.no_grad()
    def step(self) -> None:
        """One step of size lr."""
        for p in self.parameters:
            if p.grad is not None:
                p.sub_(p.grad, alpha=self.lr)


def adamw(model: Transformer, lr: float) -> AdamW:
    """AdamW on every parameter."""
    return AdamW(list(model.parameters()), lr)


def muon(model: Transformer, lr: float) -> Optimizer:
    """Muon as in all toys: embedding and head by AdamW at a tenth of the rate."""
    return Optimizer(model, lr, lr / 10)


#: Each optimizer, its learning rate at a batch of 64, and the power of the batch with which the rate grows. Beyond
#: B_simple the best rate of SGD hardly grows any more (McCandlish 2018), and its batches here are beyond.
OPTIMIZERS: Mapping[str, tuple[Callable[[Transformer, float], SGD | AdamW | Optimizer], float, float]] = {
    "sgd": (SGD, 0.5, 0.0),
    "adamw": (adamw, 0.024, 0.5),
    "muon": (muon, 0.12, 0.5),
}


@frozen
class BatchSweep(Study):
    """Each batch and factor, with each seed: the steps until each of `LEVELS` is reached, a row as it is reached.

    batch: sequences. bpb: the level, held out.
    """

    name = "trade-off"
    columns = columns("optimizer, seed 1, batch sequence, factor x, bpb bit/byte, steps step, tokens token")

    corpus: Corpus
    optimizer: str = "adamw"
    batches: Sequence[int] = (8, 32, 128)
    factors: Sequence[float] = (1.0,)
    seeds: int = 1

    def cases(self) -> list[Row]:
        """By seed, batch and factor."""
        check(self.optimizer, self.batches, self.factors, seeds=self.seeds)
        grid = product(range(self.seeds), self.batches, self.factors)
        return [{"optimizer": self.optimizer, "seed": s, "batch": batch, "factor": factor} for s, batch, factor in grid]

    def length(self, case: Row) -> int:
        """By the law that is tested, generously, to spend no time on what small batches need."""
        return round(60 * extra_steps(case["batch"], 48))

    def train(self, case: Row) -> Trained:
        """A row with loss and case_step, and with held-out `bpb` whenever the steps have grown by a tenth."""
        model, generator = build_model(CONFIG, case["seed"]), torch.Generator().manual_seed(case["seed"])
        step = optimizer_for(case["optimizer"], model, case["batch"], case["factor"]).step
        held_out = self.corpus.batch(ROWS, CONTEXT, torch.Generator().manual_seed(0), "held-out")
        look, left = 1, list(LEVELS)
        for i in range(1, self.length(case) + 1):
            batch = self.corpus.batch(case["batch"], CONTEXT, generator)
            model.zero_grad()
            loss = model.loss(batch.tokens, batch.targets).tokens
            loss.backward()
            step()
            row = {"loss": loss.item(), "case_step": i}
            if i >= look:
                look, row["bpb"] = max(i + 1, round(1.1 * i)), bits(model, held_out).mean().item()
            yield row
            while left and row.get("bpb", math.inf) <= left[0]:
                yield Found([{"bpb": left.pop(0), "steps": i, "tokens": i * case["batch"] * CONTEXT}])


def best(results: Iterable[Row]) -> list[Row]:
    """The quickest factor for each optimizer, seed, loss and batch."""
    found: dict[tuple[str, int, float, int], Row] = {}
    for row in sorted(results, key=lambda row: -row["steps"]):
        found[row["optimizer"], row["seed"], -row["bpb"], row["batch"]] = row
    return [found[key] for key in sorted(found)]


def optimizer_for(name: str, model: Transformer, batch: int, factor: float) -> SGD | AdamW | Optimizer:
    """An optimizer by name, its learning rate made for this batch."""
    make, base, growth = OPTIMIZERS[name]
    return make(model, factor * base * (batch / ROWS) ** growth)


def check(optimizer: str, batches: Sequence[int], factors: Sequence[float], **counts: int) -> None:
    """ValueError that names the first of these that cannot be."""
    require_whole(**counts)
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, not {optimizer!r}")
    for batch in batches:
        require_whole(batch=batch)
        if batch % 2:
            raise ValueError(f"batch must be even (prose and code take turns), not {batch} sequences")
    for factor in factors:
        if not 0 < factor < math.inf:
            raise ValueError(f"factor must be a positive number, not {factor}")
