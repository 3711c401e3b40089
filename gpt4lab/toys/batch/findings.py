"""What trainings say of noise scale and critical batch, those of `foretold` and the recorded ones. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from statistics import mean

from gpt4lab.checks.check import Check, Checks
from gpt4lab.formulas.noise import NoTradeOff, TradeOff, fit_trade_off, foretold_steps
from gpt4lab.rows import Row
from gpt4lab.toys.core.recordings import load_recorded

SEEDS = 3
BYTES = 32  # of a sequence of the toy, each a token
LEVELS = (4.4, 4.2, 4.0, 3.8)
NAMES = {"adamw": "AdamW", "muon": "Muon", "sgd": "SGD"}


# --- foretold and counted


def watched(results: Sequence[Row]) -> list[Row]:
    """The trainings whose noise was watched."""
    return [row for row in results if row["kind"] == "noise"]


def noise_scale(rows: Sequence[Row]) -> float:
    """The mean of the noise over the mean of the signal: a mean of the ratios would be too large."""
    return mean(row["noise"] for row in rows) / mean(row["signal"] for row in rows)


def foretold(rows: Sequence[Row], batch: float) -> float:
    """Steps with a batch, by the watched trainings."""
    return foretold_steps(batch, noise_scale(rows), mean(row["steps"] for row in rows), rows[0]["batch"])


def counted(results: Sequence[Row]) -> dict[int, list[int]]:
    """batch -> the steps that each seed took; those of the watched trainings too."""
    found: dict[int, list[int]] = {}
    for row in results:
        found.setdefault(row["batch"], []).append(row["steps"])
    return dict(sorted(found.items()))


def foretold_checks(results: Sequence[Row]) -> Checks:
    """Steps with each batch, and the critical batch of a fit through all of them; none before all noise is known."""
    seen = watched(results)
    if len(seen) < SEEDS:
        return Checks()
    steps = {batch: mean(found) for batch, found in counted(results).items() if len(found) == SEEDS}
    checks = [
        Check("steps", foretold(seen, batch), found, "step", name=f"{batch} sequences")
        for batch, found in steps.items()
        if batch != seen[0]["batch"]
    ]
    fit = _trade_off(steps)
    return Checks([*checks, *([Check("critical batch", noise_scale(seen), fit.B_crit, "sequence")] if fit else [])])


# --- recorded


@cache
def results() -> list[Row]:
    """By optimiser and seed: the steps to each loss with each batch, and the noise along one training."""
    return load_recorded("batch")["results"]


def fitted(run: Row, level: float) -> TradeOff | None:
    """The trade-off of one seed at a loss; None where its steps follow none."""
    return _trade_off({row["batch"]: row["steps"] for row in run["trade_off"] if row["bpb"] == level})


def _trade_off(steps: Mapping[int, float]) -> TradeOff | None:
    with suppress(NoTradeOff, ValueError):
        return fit_trade_off(list(steps), list(steps.values()))
    return None


def noise_at(run: Row, level: float) -> float | None:
    """The noise scale of one seed as its training reached a loss, in sequences."""
    return next((row["b_simple"] for row in run["noise"] if row["bpb"] <= level), None)


def _both(optimizer: str, level: float) -> Iterator[tuple[float, float]]:
    for run in results():
        if run["optimizer"] == optimizer:
            fit, noise = fitted(run, level), noise_at(run, level)
            if fit and noise:
                yield noise, fit.B_crit


def noise_checks() -> Checks:
    """Noise scale against critical batch, means over the seeds, by optimiser and loss."""
    return Checks(
        Check(
            "critical batch",
            mean(noise),
            mean(critical),
            "sequence",
            "recorded, not on this machine",
            f"{name}, {level:g} bits a byte",
        )
        for optimizer, name in NAMES.items()
        for level in LEVELS
        if (both := list(_both(optimizer, level))) and len(both) == SEEDS
        for noise, critical in [tuple(zip(*both, strict=True))]
    )


@cache
def toy_point() -> dict[str, float]:
    """The toy's critical batch with AdamW at its deepest loss, in tokens, and the compute spent to get there."""
    runs = [run for run in results() if run["optimizer"] == "adamw"]
    fits = [fit for run in runs if (fit := fitted(run, LEVELS[-1]))]
    tokens = BYTES * mean(fit.E_min + fit.S_min * fit.B_crit for fit in fits)  # at the critical batch: twice the fewest
    return {"batch": BYTES * mean(fit.B_crit for fit in fits), "tokens": tokens, "flop": 6 * PARAMS * tokens}


#: Parameters that multiply in the toy: attention, feed-forward and head of one layer of width 32.
PARAMS = 4 * 32**2 + 2 * 32 * 128 + 32 * 128
