"""Repeated text: what a fourth or sixteenth reading is worth, if the bytes trained on stay as many.

Models take the same number of steps; only how much different text these contain differs. Each is set beside one that
reads the same text once and stops: with these fresh models `law` turns a held-out loss into fresh bytes. Prose and code
are read apart: a model of one is never asked about the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from attrs import frozen
from torch import Tensor

from gpt4lab.rows import Row
from gpt4lab.toys.core.background import timed
from gpt4lab.toys.core.corpus import DOMAINS, Batch, Corpus, Sampler
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import bits, evaluate, require_whole, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, build_model, count_parameters

CONTEXT, ROWS = 128, 128  # bytes of a window; windows that a loss is measured on
CHECKPOINTS = 4  # held-out losses along each curve


@frozen
class Repetition(Study):
    """Models of each text, width and seed on fresh text; and for each e of `epochs` on 1/e of it, e times, and once.

    tokens: bytes trained on, unique_bytes: of different text. train_bpb: on text it has read; held_out_bpb: on text of
    the same kind that it has not. The curve has that loss on the way, with the learning rate still high. A step reads
    `batch` windows of 128 bytes. ValueError for numbers below 1, for a kind that is none of `DOMAINS`, for more text
    than the corpus has, and for less than a window.
    """

    name = "repetition"
    columns = columns(
        "text, d_model 1, seed 1, epochs x, tokens token, params param, unique_bytes byte, held_out_bpb bit/byte, "
        "train_bpb bit/byte, cpu_s s",
        curve=columns("tokens token, held_out_bpb bit/byte"),
    )
    recorded: ClassVar = {"epochs": (2, 4, 8, 16, 64), "seeds": 3, "widths": (16, 32, 64)}  # ten minutes of one core
    fixed: ClassVar = {"context": CONTEXT}

    corpus: Corpus
    epochs: Sequence[int] = (4, 16, 64)
    seeds: int = 1
    steps: int = 160
    batch: int = 8
    widths: Sequence[int] = (32,)
    texts: Sequence[str] = DOMAINS

    def cases(self) -> list[Row]:
        """By kind of text, width, seed, readings and bytes read."""
        self._check()
        kinds = [(1, self.steps), *((e, self.steps) for e in self.epochs)]
        kinds += [(1, self.steps // e) for e in self.epochs if e > 1]
        return [
            {"text": text, "d_model": width, "seed": seed, "epochs": epochs, "tokens": steps * self.batch * CONTEXT}
            for text in self.texts
            for width in self.widths
            for seed in range(self.seeds)
            for epochs, steps in kinds
        ]

    def length(self, case: Row) -> int:
        """What reads its bytes."""
        return case["tokens"] // (self.batch * CONTEXT)

    def train(self, case: Row) -> Trained:
        """A row with the loss; one found."""
        steps, seed, curve, kind = self.length(case), case["seed"], [], case["text"]
        text = unique_text(self.corpus, kind, steps * self.batch / case["epochs"], seed)
        model, row, every = build_model(_config(case["d_model"]), seed), {}, math.ceil(steps / CHECKPOINTS)
        for step, row in enumerate(timed(training_rows(model, readings(text, self.batch), steps, seed)), 1):
            if step % every == 0 or step == steps:
                held_out = evaluate(model, self.corpus, len(DOMAINS) * ROWS, CONTEXT)[kind]
                curve.append({"tokens": row["tokens"], "held_out_bpb": round(held_out, 4)})
            yield {"loss": row["loss"]}
        read = bits(model, _batch(text, torch.arange(len(text))[:ROWS])).mean().item()
        last = {**curve[-1], "train_bpb": round(read, 4), "cpu_s": round(row["cpu_s"], 2), "curve": curve}
        yield Found([{"params": count_parameters(model).total, "unique_bytes": len(text) * CONTEXT, **last}])

    def _check(self) -> None:
        require_whole(seeds=self.seeds, steps=self.steps, batch=self.batch)
        windows = self.steps * self.batch
        if not {*self.texts} <= {*DOMAINS}:
            raise ValueError(f"texts must be {' or '.join(DOMAINS)}, not {', '.join(self.texts)}")
        most = min((len(self.corpus.train[domain]) - 1) // CONTEXT for domain in DOMAINS)
        if windows > most:
            raise ValueError(f"steps x batch must be at most {most:,}, the windows of this corpus, not {windows:,}")
        for width in self.widths:
            require_whole(width=width)
            _config(width)
        for e in self.epochs:
            require_whole(epochs=e)
            if e > self.steps:
                raise ValueError(f"epochs must be at most steps, not {e} with {self.steps}")


def unique_text(corpus: Corpus, kind: str, windows: float, seed: int) -> Tensor:
    """About so many windows of a kind of text, random ones: (windows, CONTEXT + 1). Fewer are the first of more."""
    generator = torch.Generator().manual_seed(seed)
    cut = corpus.train[kind].unfold(0, CONTEXT + 1, CONTEXT)
    return cut[torch.randperm(len(cut), generator=generator)[: max(1, round(windows))]].long()


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


def _config(width: int) -> ToyConfig:
    return ToyConfig(d_model=width, d_ff=4 * width)


def _batch(text: Tensor, rows: Tensor) -> Batch:
    return Batch(text[rows, :-1], text[rows, 1:], torch.zeros_like(rows))
