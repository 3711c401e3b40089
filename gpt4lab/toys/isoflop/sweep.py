"""A small Chinchilla: each budget of compute goes into small models that read much and large ones that read little.

The held-out loss says which size was best (Hoffmann 2022, approach 2); `exponents` fits how that size grows.

A budget is C = 6 N D FLOP, N being the parameters that multiply a token; what attention does on top is in the rows.
Shapes are one family: two layers, one head, a feed-forward network four times as wide. The batch is the same at every
size, and the learning rate falls over the second half of each run's own tokens. The grid runs through joblib: processes
of this machine, or whatever backend was chosen around the call. The recorded run is made anew with

    python -m gpt4lab.toys.isoflop.sweep
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import torch

from gpt4lab.quantities.topics.flop import per_token, scores_over_weights, scores_per_token
from gpt4lab.quantities.topics.scaling import tokens_of
from gpt4lab.rows import Row
from gpt4lab.toys.core.background import BackgroundRun, Work, timed
from gpt4lab.toys.core.corpus import Corpus, load_corpus
from gpt4lab.toys.core.training import evaluate, require_whole, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model, count_parameters
from gpt4lab.toys.experts.scaling import save_recorded

Grid = Mapping[float, Sequence[int]]  # FLOP of a budget -> widths of its models

LIVE: Grid = {1.5e9: (6, 8, 12), 6e9: (8, 12, 16, 24)}  # 15 to 20 s of processor time: two valleys, and no more
RECORDED: Grid = {
    5e9: (6, 8, 12, 16, 24),
    1e10: (8, 12, 16, 24, 32),
    2e10: (12, 16, 24, 32, 40),
    4e10: (16, 20, 24, 32, 48),
}
RECORDED_LRS, RECORDED_SEEDS = (0.015, 0.03), 3
RECORDED_BYTES = 1_200_000  # of each domain: no run reads its text twice
BATCH, CONTEXT = 16, 32
ADAM_LR = 0.02  # of embedding and head: at the usual 0.003 such short runs lose 0.3 to 0.5 bit, the shortest most
ORDER = ("seed", "flop", "width", "lr")


def sweep(
    corpus: Corpus,
    grid: Grid = LIVE,
    seeds: int = 1,
    lrs: Sequence[float] = (0.02,),
    jobs: int = 2,
    name: str = "isoflop",
) -> BackgroundRun[list[Row]]:
    """Train the grid, `jobs` models at a time, in the background. The result has one row a finished training, in order.

    Rows: flop (the budget), width, seed, lr, parameters (N), blocks (N without the head, as Kaplan counts), tokens (D),
    epochs, bpb (held out, bits per byte), attention (its FLOP over those of 6 N, causal half), cpu_s. A stop keeps what
    is finished. Under `with joblib.parallel_config("dask"):` the same call runs on the cluster of the current client.

    Raises
    ------
    ValueError : for a budget that is not a positive number or does not pay for one batch, and for no case, seed or job.
    """
    require_whole(seeds=seeds, jobs=jobs)
    cases = [
        {"flop": flop, "width": width, "seed": seed, "lr": _rate(lr), "steps": _steps(flop, width)}
        for seed in range(seeds)
        for flop in grid
        for width in grid[flop]
        for lr in lrs
    ]
    if not cases:
        raise ValueError("the sweep has no case: grid and lrs must not be empty")
    cases.sort(key=lambda case: case["steps"], reverse=True)  # the longest first: else one goes on alone at the end
    result: list[Row] = []
    # Made here: the backend that joblib was told to use holds for the caller's thread, not for the run's.
    return BackgroundRun(_rows(_parallel(jobs), corpus, cases, result), result, len(cases), name).start()


def train_case(corpus: Corpus, case: Row) -> Row:
    """One training, in whatever process joblib puts it: the row is the same anywhere, but for its `cpu_s`."""
    torch.set_num_threads(1)
    model = build_model(config(case["width"]), case["seed"])
    data = corpus.sampler(BATCH, CONTEXT)
    rows = timed(training_rows(model, data, case["steps"], case["seed"], case["lr"], ADAM_LR))
    [last] = deque(rows, maxlen=1)
    epochs = last["tokens"] / sum(len(text) for text in corpus.train.values())
    bpb = evaluate(model, corpus, rows=1024, context=CONTEXT)["all"]
    rounded = {"epochs": round(epochs, 4), "bpb": round(bpb, 4), "cpu_s": round(last["cpu_s"], 2)}
    return {**case, **sizes(model), "tokens": last["tokens"], **rounded}


def config(width: int) -> ToyConfig:
    """The family: one shape, another width."""
    return ToyConfig(d_model=width, n_layers=2, n_heads=1, n_kv_heads=1, d_ff=4 * width)


def sizes(model: Transformer) -> Row:
    """N, N without the head, and what attention over the context adds to 6 N."""
    c, N = model.config, count_parameters(model).multiplied
    scores = scores_per_token(c.n_layers, CONTEXT, c.n_heads, c.head_width)
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


def _rows(parallel: Any, corpus: Corpus, cases: list[Row], result: list[Row]) -> Work:
    from joblib import delayed

    finished = parallel(delayed(train_case)(corpus, case) for case in cases)
    try:
        for row in finished:
            result.append(row)
            result.sort(key=lambda row: [row[key] for key in ORDER])  # whoever was ready first
            yield row
    finally:
        _close(finished)


def _close(finished: Any) -> None:
    """End the workers' trainings; joblib warns that a stop leaves work undone, which is what a stop is for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        if not isinstance(finished, list):
            finished.close()


def _parallel(jobs: int) -> Any:
    try:
        from joblib import Parallel
    except ImportError:
        raise RuntimeError("A sweep needs joblib, which is not installed here: pip install gpt4lab[live]") from None
    one_by_one: dict[str, Any] = {"n_jobs": jobs, "batch_size": 1}  # each training is told of when it ends
    try:
        return Parallel(**one_by_one, return_as="generator_unordered")
    except ValueError:  # a backend such as Ray's, which hands over everything at the end
        return Parallel(**one_by_one)


def record() -> None:
    """Make the recorded run of the book, in this process alone: about a quarter of an hour of one core."""
    corpus = load_corpus(RECORDED_BYTES)
    run = sweep(corpus, RECORDED, RECORDED_SEEDS, RECORDED_LRS, jobs=1)
    rows = run.on_update(lambda run: print(f"{run.progress:.0%}", run.history[-1:]), every_s=20).wait().result
    settings = {
        "batch": BATCH,
        "context": CONTEXT,
        "adam_lr": ADAM_LR,
        "bytes_per_domain": RECORDED_BYTES,
        "corpus": repr(corpus),
    }
    save_recorded("isoflop", "python -m gpt4lab.toys.isoflop.sweep", settings, rows)


if __name__ == "__main__":
    record()
