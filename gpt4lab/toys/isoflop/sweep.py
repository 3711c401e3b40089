"""A small Chinchilla: each budget of compute goes into small models that read much and large ones that read little.

The held-out loss says which size was best (Hoffmann 2022, approach 2); `exponents` fits how that size grows.

A budget is C = 6 N D FLOP, N being the parameters that multiply a token; what attention does on top is in the rows.
Shapes are one family: two layers, one head, a feed-forward network four times as wide. The batch is the same at every
size, and the learning rate falls over the second half of each run's own tokens. The recorded run takes a quarter of an
hour of one core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import ClassVar

from attrs import frozen

from gpt4lab.quantities.topics.flop import per_token, scores_over_weights, scores_per_token
from gpt4lab.quantities.topics.scaling import tokens_of
from gpt4lab.rows import Row
from gpt4lab.toys.core.background import timed
from gpt4lab.toys.core.corpus import Corpus
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import evaluate, require_whole, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model, count_parameters

Grid = Mapping[float, Sequence[int]]  # FLOP of a budget -> widths of its models

LIVE: Grid = {1.5e9: (6, 8, 12), 6e9: (8, 12, 16, 24)}  # 15 to 20 s of processor time: two valleys, and no more
RECORDED: Grid = {
    5e9: (6, 8, 12, 16, 24),
    1e10: (8, 12, 16, 24, 32),
    2e10: (12, 16, 24, 32, 40),
    4e10: (16, 20, 24, 32, 48),
}
BATCH, CONTEXT = 16, 32
ADAM_LR = 0.02  # of embedding and head: at the usual 0.003 such short runs lose 0.3 to 0.5 bit, the shortest most


@frozen
class IsoFlop(Study):
    """Every size of each budget, with each seed and learning rate.

    flop: the budget. parameters: N; blocks: N without the head, as Kaplan counts. bpb is held out; attention: its FLOP
    over those of 6 N, causal half. ValueError for a budget that does not pay for one batch.
    """

    name = "isoflop"
    columns = columns(
        "flop FLOP, width 1, seed 1, lr 1, steps step, parameters param, blocks param, attention fraction, "
        "tokens token, epochs x, bpb bit/byte, cpu_s s"
    )
    # So many bytes that no run reads its text twice.
    recorded: ClassVar = {"grid": RECORDED, "seeds": 3, "lrs": (0.015, 0.03), "bytes_per_domain": 1_200_000}
    fixed: ClassVar = {"batch": BATCH, "context": CONTEXT, "adam_lr": ADAM_LR}

    corpus: Corpus
    grid: Grid = LIVE
    seeds: int = 1
    lrs: Sequence[float] = (0.02,)

    def cases(self) -> list[Row]:
        """By seed, budget, width and learning rate."""
        require_whole(seeds=self.seeds)
        return [
            {"flop": flop, "width": width, "seed": seed, "lr": _rate(lr), "steps": _steps(flop, width)}
            for seed in range(self.seeds)
            for flop in self.grid
            for width in self.grid[flop]
            for lr in self.lrs
        ]

    def train(self, case: Row) -> Trained:
        """A row with the loss; one found."""
        model, row = build_model(config(case["width"]), case["seed"]), {}
        data = self.corpus.sampler(BATCH, CONTEXT)
        for row in timed(training_rows(model, data, case["steps"], case["seed"], case["lr"], ADAM_LR)):
            yield {"loss": row["loss"]}
        epochs = row["tokens"] / sum(len(text) for text in self.corpus.train.values())
        bpb = evaluate(model, self.corpus, rows=1024, context=CONTEXT)["all"]
        rounded = {"epochs": round(epochs, 4), "bpb": round(bpb, 4), "cpu_s": round(row["cpu_s"], 2)}
        yield Found([{**sizes(model), "tokens": row["tokens"], **rounded}])


def config(width: int) -> ToyConfig:
    """The family: one shape, another width."""
    return ToyConfig(d_model=width, n_layers=2, n_heads=1, n_kv_heads=1, d_ff=4 * width)


def sizes(model: Transformer) -> Row:
    """N, N without the head, and what attention over the context adds to 6 N."""
    c, N = model.config, count_parameters(model).multiplied
    scores = scores_per_token(c.n_layers, CONTEXT / 2, c.n_heads, c.head_width, c.head_width)
    return {
        "parameters": N,
        "blocks": N - model.head.weight.numel(),
        "attention": scores_over_weights(scores, per_token(N)),
    }


def _steps(flop: float, width: int) -> int:
    """Steps that the budget pays for, to the nearest whole one."""
    if not (isfinite(flop) and flop > 0):
        raise ValueError(f"a budget must be a positive number of FLOP, not {flop}")
    N = count_parameters(build_model(config(width))).multiplied
    steps = round(tokens_of(flop, N) / (BATCH * CONTEXT))
    if steps < 1:
        raise ValueError(f"{flop:g} FLOP do not pay for one batch of {BATCH * CONTEXT} tokens at width {width}")
    return steps


def _rate(lr: float) -> float:
    if not (isfinite(lr) and lr > 0):
        raise ValueError(f"a learning rate must be a positive number, not {lr}")
    return lr
