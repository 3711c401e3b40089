"""The gradient noise scale of a toy, held against what larger batches really save.

McCandlish (2018) predicts the largest useful batch from one statistic, B_simple = tr(Sigma) / |G|^2: beyond it a batch
averages away noise that is already shorter than the gradient. `measure_noise` watches it along a training; `trade_off`
counts the steps to several losses with several batches; `trade_offs` fits (S/S_min - 1)(E/E_min - 1) = 1, and
`noise_checks` holds B_simple against the critical batch of the fit, E_min / S_min, at the same loss. A sample is a
sequence of 32 bytes.
The theory is plain SGD's; AdamW and Muon run as well. Recorded with three seeds: for AdamW the two agree within a
factor of two below 4.5 bits per byte, Muon's critical batch is two to six times B_simple, and SGD's batches are all
beyond its critical one, so that its fit is loose. Losses that take fewer than ten steps say little. Made anew with

    python -m gpt4lab.toys.batch.noise_scale
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import groupby
from typing import Any

import torch

from gpt4lab.checks.check import Check, Checks
from gpt4lab.formulas.noise import NoTradeOff, fit_trade_off, gradient_noise, gradient_signal
from gpt4lab.rows import Row
from gpt4lab.toys.batch.trade_off import CONFIG, CONTEXT, OPTIMIZERS, ROWS, best, check, optimizer_for, trade_off
from gpt4lab.toys.core.background import BackgroundRun, Work
from gpt4lab.toys.core.corpus import Batch, Corpus, load_corpus
from gpt4lab.toys.core.training import BITS
from gpt4lab.toys.core.transformer import Transformer, build_model
from gpt4lab.toys.experts.scaling import save_recorded

__all__ = ["OPTIMIZERS", "best", "measure_noise", "noise_checks", "squared_norms", "trade_off", "trade_offs"]

MICRO = 8  # sequences of the small batch; the big one has ROWS
KEEP = 0.9  # of the moving averages, from step to step
WIDE = (8, 16, 32, 64, 128)
SWEEPS: Mapping[str, Sequence[int]] = {"sgd": (4, 8, 16, 32, 64), "adamw": WIDE, "muon": WIDE}  # of the recorded run
FACTORS, SEEDS = (0.5, 1.0), 3  # a small grid: with one seed, 1.4 and 2 were sometimes quicker still


def measure_noise(
    corpus: Corpus, optimizer: str = "adamw", steps: int = 120, seed: int = 0, name: str = "noise scale"
) -> BackgroundRun[Transformer]:
    """Train in the background with 64 sequences a step, taken in pieces of 8, and watch the noise scale.

    Rows of the history, all moving averages over about ten steps: bpb, signal |G|^2, noise tr(Sigma); of them b_simple
    in sequences and b_simple_tokens, None where the noise leaves no signal to see; and loss (nats), tokens.
    """
    check(optimizer, (ROWS,), (1.0,), steps=steps)
    model = build_model(CONFIG, seed)
    return BackgroundRun(_noise_rows(model, optimizer, corpus, steps, seed), model, steps, name).start()


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

    Both of one optimiser: the result of `trade_off`, and the history of `measure_noise`.
    """
    found = [(row, next((there for there in noise if there["bpb"] <= row["bpb"]), None)) for row in trade_offs(results)]
    return Checks(_noise_check(row, there["b_simple"]) for row, there in found if there and there["b_simple"])


def _noise_check(row: Row, b_simple: float) -> Check:
    name = f"{row['optimizer']}, seed {row['seed']}, {row['bpb']:g} bits a byte"
    return Check("critical batch", b_simple, row["b_crit"], "sequence", name=name)


def record() -> None:
    """Make the recorded run of the book: about six minutes on one core."""
    corpus, results = load_corpus(), []
    for optimizer, batches in SWEEPS.items():
        found = best(_report(trade_off(corpus, optimizer, batches, FACTORS, SEEDS)).result)
        for seed in range(SEEDS):
            noise = _report(measure_noise(corpus, optimizer, seed=seed)).history[4::5]
            steps = [row for row in found if row["seed"] == seed]
            case = {"optimizer": optimizer, "seed": seed}
            results.append({**case, "trade_off": steps, "noise": [_short(row) for row in noise]})
    settings = {"batches": SWEEPS, "factors": FACTORS, "config": asdict(CONFIG), "corpus": repr(corpus)}
    save_recorded("batch", "python -m gpt4lab.toys.batch.noise_scale", settings, results)


def _fitted(group: Sequence[Row]) -> Row:
    fit = fit_trade_off([row["batch"] for row in group], [row["steps"] for row in group])
    return {"s_min": fit.S_min, "e_min": fit.E_min, "b_crit": fit.B_crit, "r_squared": fit.r_squared}


def _noise_rows(model: Transformer, optimizer: str, corpus: Corpus, steps: int, seed: int) -> Work:
    generator, step = torch.Generator().manual_seed(seed), optimizer_for(optimizer, model, ROWS, 1.0).step
    averages = torch.zeros(3)
    for i in range(1, steps + 1):
        loss, small, big = squared_norms(model, corpus.batch(ROWS, CONTEXT, generator))
        now = (loss, gradient_signal(small, big, MICRO, ROWS), gradient_noise(small, big, MICRO, ROWS))
        averages = torch.tensor(now).lerp(averages, min(KEEP, 1 - 1 / i))  # a plain mean at first
        step()
        nats, signal, noise = averages.tolist()
        scale = noise / signal if signal > 0 else None
        yield {
            "loss": loss,
            "bpb": nats * BITS,
            "tokens": i * ROWS * CONTEXT,
            "signal": signal,
            "noise": noise,
            "b_simple": scale,
            "b_simple_tokens": scale and scale * CONTEXT,
        }


def _squared(tensors: Iterable[torch.Tensor | None]) -> float:
    return sum(t.square().sum().item() for t in tensors if t is not None)


def _report(run: BackgroundRun[Any]) -> BackgroundRun[Any]:
    return run.on_update(lambda run: print(run.progress, run.history[-1], flush=True), every_s=20).wait()


def _short(row: Row) -> Row:
    kept = ("step", "bpb", "signal", "noise", "b_simple")
    return {key: row[key] and float(f"{row[key]:.4g}") for key in kept}


if __name__ == "__main__":
    record()
