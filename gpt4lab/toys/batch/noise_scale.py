"""The gradient noise scale of a toy, held against what larger batches really save.

McCandlish (2018) predicts the largest useful batch from one statistic, B_simple = tr(Sigma) / |G|^2: beyond it a batch
averages away noise that is already shorter than the gradient. `measure_noise` watches it along a training; `BatchSweep`
counts the steps to several losses with several batches; `trade_offs` fits (S/S_min - 1)(E/E_min - 1) = 1, and
`noise_checks` holds B_simple against the critical batch of the fit, E_min / S_min, at the same loss. A sample is a
sequence of 32 bytes.
The theory is plain SGD's; AdamW and Muon run as well. Recorded with three seeds: for AdamW the two agree within a
factor of two below 4.5 bits per byte, Muon's critical batch is two to six times B_simple, and SGD's batches are all
beyond its critical one, so that its fit is loose. Losses that take fewer than ten steps say little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import groupby
from typing import ClassVar

import torch
from attrs import frozen

from gpt4lab.checks.check import Check, Checks
from gpt4lab.formulas.noise import NoTradeOff, fit_trade_off, gradient_noise, gradient_signal
from gpt4lab.rows import Row
from gpt4lab.toys.batch.trade_off import CONFIG, CONTEXT, ROWS, BatchSweep, best, check, optimizer_for
from gpt4lab.toys.core.background import BackgroundRun, StepRows
from gpt4lab.toys.core.corpus import Batch, Corpus
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.transformer import Transformer, build_model
from gpt4lab.units import BITS_PER_NAT

MICRO = 8  # sequences of the small batch; the big one has ROWS
KEEP = 0.9  # of the moving averages, from step to step
WIDE = (8, 16, 32, 64, 128)
BATCHES = {"sgd": (4, 8, 16, 32, 64), "adamw": WIDE, "muon": WIDE}  # of the recorded run


def measure_noise(
    corpus: Corpus, optimizer: str = "adamw", steps: int = 120, seed: int = 0, name: str = "noise scale"
) -> BackgroundRun[Transformer]:
    """Train in the background with 64 sequences a step, taken in pieces of 8, and watch the noise scale.

    Rows of the history, all moving averages over about ten steps: bpb, signal |G|^2, noise tr(Sigma); of them b_simple
    in sequences and b_simple_tokens, None where the noise leaves no signal to see; and loss (nats), tokens.
    """
    check(optimizer, (ROWS,), (1.0,), steps=steps)
    model = build_model(CONFIG, seed)
    return BackgroundRun(noise_rows(model, optimizer, corpus, steps, seed), model, steps, name).start()


def noise_rows(model: Transformer, optimizer: str, corpus: Corpus, steps: int, seed: int) -> StepRows:
    """The rows of `measure_noise`, one a step; the model is trained meanwhile."""
    generator, step = torch.Generator().manual_seed(seed), optimizer_for(optimizer, model, ROWS, 1.0).step
    averages = torch.zeros(3)
    for i in range(1, steps + 1):
        loss, small, big = squared_norms(model, corpus.batch(ROWS, CONTEXT, generator))
        seen = (loss, gradient_signal(small, big, MICRO, ROWS), gradient_noise(small, big, MICRO, ROWS))
        averages = torch.tensor(seen).lerp(averages, min(KEEP, 1 - 1 / i))  # a plain mean at first
        step()
        nats, signal, noise = averages.tolist()
        scale = noise / signal if signal > 0 else None
        now = {"loss": loss, "bpb": nats * BITS_PER_NAT, "tokens": i * ROWS * CONTEXT, "signal": signal, "noise": noise}
        yield {**now, "b_simple": scale, "b_simple_tokens": scale and scale * CONTEXT}


def squared_norms(model: Transformer, batch: Batch, micro: int = MICRO) -> tuple[float, float, float]:
    """Loss in nats, mean |g|^2 over pieces of `micro` rows, and |g|^2 of the whole batch, whose gradient is left."""
    model.zero_grad()
    pieces = list(zip(batch.tokens.split(micro), batch.targets.split(micro), strict=True))
    parameters, losses, lengths = list(model.parameters()), [], []
    for tokens, targets in pieces:
        loss = model.loss(tokens, targets).tokens
        gradient = torch.autograd.grad(loss, parameters)
        losses.append(loss.item())
        lengths.append(_squared(gradient))
        for p, g in zip(parameters, gradient, strict=True):
            p.grad = g / len(pieces) if p.grad is None else p.grad + g / len(pieces)
    return sum(losses) / len(pieces), sum(lengths) / len(pieces), _squared(p.grad for p in parameters)


def trade_offs(results: Iterable[Row]) -> list[Row]:
    """What the steps of one optimiser trade for the batch, at each loss that every batch reached.

    Rows: optimizer, seed, bpb, s_min (steps), e_min and b_crit (sequences), r_squared. A loss at which the steps follow
    no trade-off is left out. ValueError if the results have fewer than three batches.
    """
    quickest, rows, case = best(results), [], ("optimizer", "seed", "bpb")
    batches = {row["batch"] for row in quickest}
    for key, group in groupby(quickest, key=lambda row: tuple(row[name] for name in case)):
        found = list(group)
        if len(found) == len(batches):
            with suppress(NoTradeOff):
                rows.append({**dict(zip(case, key, strict=True)), **_fitted(found)})
    return rows


def noise_checks(results: Iterable[Row], noise: Sequence[Row]) -> Checks:
    """The noise scale as prediction of the critical batch, at each loss that the trainings of both reached.

    Both of one optimiser: the result of `BatchSweep`, and the history of `measure_noise`.
    """
    found = [(row, next((there for there in noise if there["bpb"] <= row["bpb"]), None)) for row in trade_offs(results)]
    return Checks(_noise_check(row, there["b_simple"]) for row, there in found if there and there["b_simple"])


def _noise_check(row: Row, b_simple: float) -> Check:
    name = f"{row['optimizer']}, seed {row['seed']}, {row['bpb']:g} bits a byte"
    return Check("critical batch", b_simple, row["b_crit"], "sequence", name=name)


@frozen
class CriticalBatch(Study):
    """For each optimizer and seed the trade-off of steps and batch, and the noise scale along one training.

    trade_off: with the quickest factor. noise: at every fifth step. The recorded grid is small: with one seed, factors
    of 1.4 and 2 were sometimes quicker still.
    """

    name = "batch"
    columns = columns(
        "optimizer, seed 1",
        trade_off=BatchSweep.columns,
        noise=columns("step step, bpb bit/byte, signal 1, noise 1, b_simple sequence"),
    )
    # Six minutes of one core.
    recorded: ClassVar = {
        "batches": {"sgd": (4, 8, 16, 32, 64), "adamw": WIDE, "muon": WIDE},
        "factors": (0.5, 1.0),
        "seeds": 3,
    }
    fixed: ClassVar = {"config": asdict(CONFIG)}

    corpus: Corpus
    batches: Mapping[str, Sequence[int]]
    factors: Sequence[float] = (1.0,)
    seeds: int = 1
    noise_steps: int = 120

    def cases(self) -> list[Row]:
        """By optimizer and seed."""
        return [{"optimizer": optimizer, "seed": seed} for optimizer in self.batches for seed in range(self.seeds)]

    def train(self, case: Row) -> Trained:
        """All trainings of one optimizer and seed, in one step."""
        optimizer, seed = case["optimizer"], case["seed"]
        sweep = BatchSweep(self.corpus, optimizer, self.batches[optimizer], self.factors, seed + 1)
        steps = [row for one in sweep.cases() if one["seed"] == seed for row in sweep.found(one)]
        noise = noise_rows(build_model(CONFIG, seed), optimizer, self.corpus, self.noise_steps, seed)
        short = [_short({"step": i, **row}) for i, row in enumerate(noise, 1) if i % 5 == 0]
        yield Found([{"trade_off": best(steps), "noise": short}])
        yield {}


def _fitted(group: Sequence[Row]) -> Row:
    fit = fit_trade_off([row["batch"] for row in group], [row["steps"] for row in group])
    return {"s_min": fit.S_min, "e_min": fit.E_min, "b_crit": fit.B_crit, "r_squared": fit.r_squared}


def _squared(tensors: Iterable[torch.Tensor | None]) -> float:
    return sum(t.square().sum().item() for t in tensors if t is not None)


def _short(row: Row) -> Row:
    kept = ("step", "bpb", "signal", "noise", "b_simple")
    return {key: row[key] and float(f"{row[key]:.4g}") for key in kept}
