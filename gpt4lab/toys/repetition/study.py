"""Repeated text: what a fourth or sixteenth reading is worth, if the bytes trained on stay as many.

Models take the same number of steps; only how much different text these contain differs. Each is set beside one that
reads the same text once and stops: with these fresh models `repetition_law` turns a held-out loss into fresh bytes.

    python -m gpt4lab.toys.repetition.study

makes the recorded run of the book.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gpt4lab.rows import Row
from gpt4lab.toys.core.background import BackgroundRun, Work, timed
from gpt4lab.toys.core.corpus import DOMAINS, Batch, Corpus, Sampler, load_corpus
from gpt4lab.toys.core.training import bits, evaluate, require_whole, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, build_model
from gpt4lab.toys.experts.scaling import save_recorded

CONTEXT, ROWS = 128, 128  # bytes of a window; windows that a loss is measured on
CHECKPOINTS = 4  # held-out losses along each curve
RECORDED = {"epochs": (2, 4, 8, 16, 64), "seeds": 3, "steps": 160, "batch": 8}
RECORDED_WIDTHS = (16, 32, 64)


class Case(NamedTuple):
    """One training: `epochs` readings of its text."""

    seed: int
    epochs: int
    steps: int


def repetition(
    corpus: Corpus,
    epochs: Sequence[int] = (4, 16, 64),
    seeds: int = 1,
    steps: int = 160,
    batch: int = 8,
    width: int = 32,
    name: str = "repetition",
) -> BackgroundRun[list[Row]]:
    """Train on fresh text, and for each e of `epochs` on 1/e of it: e times, and by another model once.

    In the background, seed by seed; the result is one row a finished training: d_model, seed, epochs, unique_bytes,
    tokens (bytes trained on), train_bpb (on text it has read), held_out_bpb, cpu_s, and the curve: tokens and held-out
    bpb on the way, with the learning rate still high. A step reads `batch` windows of 128 bytes. ValueError for
    numbers below 1, for more text than the corpus has, and for less than a window of each domain.
    """
    _check(corpus, epochs, seeds, steps, batch)
    require_whole(width=width)
    config = ToyConfig(d_model=width, d_ff=4 * width)
    kinds = [(1, steps), *((e, steps) for e in epochs), *((1, steps // e) for e in epochs if e > 1)]
    cases = [Case(seed, *kind) for seed in range(seeds) for kind in kinds]
    result: list[Row] = []
    rows = (row for case in cases for row in _case_rows(corpus, config, case, batch, result))
    return BackgroundRun(rows, result, sum(case.steps for case in cases), name).start()


def unique_text(corpus: Corpus, windows: float, seed: int) -> Tensor:
    """About so many windows, random ones, half of each domain: (windows, CONTEXT + 1). Fewer are the first of more."""
    generator, each = torch.Generator().manual_seed(seed), max(1, round(windows / len(DOMAINS)))
    cut = [corpus.train[domain].unfold(0, CONTEXT + 1, CONTEXT) for domain in DOMAINS]
    chosen = [text[torch.randperm(len(text), generator=generator)[:each]] for text in cut]
    return torch.stack(chosen, dim=1).flatten(0, 1).long()


def readings(text: Tensor, batch: int) -> Sampler:
    """Batches of one reading of the text after another, each in a new order."""
    left = torch.empty(0, dtype=torch.long)

    def read(generator: torch.Generator) -> Batch:
        nonlocal left
        while len(left) < batch:
            left = torch.cat([left, torch.randperm(len(text), generator=generator)])
        now, left = left[:batch], left[batch:]
        return _batch(text, now)

    return read


def record() -> None:
    """Make the recorded run of the book: about five minutes on one core."""
    corpus, results = load_corpus(), []
    for width in RECORDED_WIDTHS:
        run = repetition(corpus, **RECORDED, width=width)
        results += run.on_update(lambda run: print(run.progress, run.history[-1]), every_s=20).wait().result
    settings = {**RECORDED, "widths": RECORDED_WIDTHS, "context": CONTEXT, "corpus": repr(corpus)}
    save_recorded("repetition", "python -m gpt4lab.toys.repetition.study", settings, results)


def _check(corpus: Corpus, epochs: Sequence[int], seeds: int, steps: int, batch: int) -> None:
    require_whole(seeds=seeds, steps=steps, batch=batch)
    windows = steps * batch
    most = len(DOMAINS) * min((len(corpus.train[domain]) - 1) // CONTEXT for domain in DOMAINS)
    if windows > most:
        raise ValueError(f"steps x batch must be at most {most:,}, the windows of this corpus, not {windows:,}")
    for e in epochs:
        require_whole(epochs=e)
        if e > min(steps, windows // len(DOMAINS)):
            raise ValueError(f"epochs must be at most steps and steps x batch / {len(DOMAINS)}, not {e} with {steps}")


def _case_rows(corpus: Corpus, config: ToyConfig, case: Case, batch: int, result: list[Row]) -> Work:
    """One training; at its last step the result gets its row."""
    text, model = unique_text(corpus, case.steps * batch / case.epochs, case.seed), build_model(config, case.seed)
    about = {"d_model": config.d_model, "seed": case.seed, "epochs": case.epochs}
    every, curve = math.ceil(case.steps / CHECKPOINTS), []
    for step, row in enumerate(timed(training_rows(model, readings(text, batch), case.steps, case.seed)), 1):
        if step % every == 0 or step == case.steps:
            held_out = evaluate(model, corpus, ROWS, CONTEXT)["all"]
            curve.append({"tokens": row["tokens"], "held_out_bpb": round(held_out, 4)})
        if step == case.steps:
            read = bits(model, _batch(text, torch.arange(len(text))[:ROWS])).mean().item()
            last = {**curve[-1], "train_bpb": round(read, 4), "cpu_s": round(row["cpu_s"], 2), "curve": curve}
            result.append({**about, "unique_bytes": len(text) * CONTEXT, **last})
        yield {**about, "loss": row["loss"], "finished": len(result)}


def _batch(text: Tensor, rows: Tensor) -> Batch:
    return Batch(text[rows, :-1], text[rows, 1:], rows % len(DOMAINS))


if __name__ == "__main__":
    record()
