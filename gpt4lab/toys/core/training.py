"""Work that runs in the background while the reader watches: a `Run`, and the training loop that fills it.

A run drives a generator which yields one row of numbers per step, so stopping is simply not asking for the next row:
the model and the curve so far stay. Nothing here draws; a panel listens with `on_update`.
"""

from __future__ import annotations

import atexit
import math
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from gpt4lab.toys.core.corpus import DOMAINS, Batch, Corpus, Sampler
from gpt4lab.toys.core.optim import Optimizer
from gpt4lab.toys.core.transformer import Transformer, snapshot

Row = dict[str, Any]
Rows = Generator[Row, None, None]
Result = TypeVar("Result")
BITS = 1 / math.log(2)  # bits per nat

_runs: dict[str, Run[Any]] = {}


class Run(Generic[Result]):
    """Work in a background thread. `history` has one row per step; `result` is valid at any time, also when stopped.

    state: "running", "done", "stopped" (by `stop`, by an interrupt, or by a later run of the same name) or "failed"
    (then `error` holds the exception).
    """

    def __init__(self, rows: Rows, result: Result, steps: int, name: str = "") -> None:
        self.name, self.result, self.steps = name, result, steps
        self.history: list[Row] = []
        self.error: Exception | None = None
        self.callback_error: Exception | None = None
        self.state = "running"
        self.elapsed_s = 0.0
        self._rows, self._stop = rows, threading.Event()
        self._callbacks: list[_Callback] = []
        self._thread = threading.Thread(target=self._work, name=f"run {name}", daemon=True)

    @property
    def progress(self) -> float:
        """Share of the steps that are done, 0 to 1."""
        return len(self.history) / self.steps

    @property
    def seconds_left(self) -> float | None:
        """Time to the end at the speed so far; None before the first step."""
        return self.elapsed_s * (1 / self.progress - 1) if self.history else None

    def start(self) -> Run[Result]:
        """Begin, after stopping an earlier run of the same name."""
        if self.name:
            earlier = _runs.get(self.name)
            if earlier is not None:
                earlier.stop()
            _runs[self.name] = self
        torch.set_num_threads(1)  # small operations: a second thread costs more than it brings
        self._thread.start()
        return self

    def stop(self) -> None:
        """End after the current step and wait for it; what was reached is kept."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def wait(self, timeout_s: float | None = None) -> Run[Result]:
        """Wait for the end. An interrupt stops the run and keeps its result; an exception inside it is raised here."""
        try:
            self._thread.join(timeout_s)
        except KeyboardInterrupt:
            self.stop()
        if self.error is not None:
            raise self.error
        return self

    def on_update(self, callback: Callable[[Run[Result]], None], every_s: float = 0.1) -> Run[Result]:
        """Call back from the working thread, at most every `every_s` seconds and once at the end."""
        self._callbacks.append(_Callback(callback, every_s))
        if self.state != "running":
            callback(self)
        return self

    def _work(self) -> None:
        begin = time.monotonic()
        try:
            for row in self._rows:
                self.elapsed_s = time.monotonic() - begin
                self.history.append({"step": len(self.history) + 1, "elapsed_s": self.elapsed_s, **row})
                self._call_back(last=False)
                if self._stop.is_set():
                    break
            self.state = "stopped" if self._stop.is_set() else "done"
        except Exception as error:  # held for the reader: a thread's traceback would be lost
            self.error, self.state = error, "failed"
        self._rows.close()
        self._call_back(last=True)

    def _call_back(self, last: bool) -> None:
        for callback in self._callbacks:
            callback.call(self, last)

    def __repr__(self) -> str:
        loss = f", loss {self.history[-1]['loss']:.3f}" if self.history and "loss" in self.history[-1] else ""
        return f"<Run {self.name!r} {self.state}: {len(self.history)} of {self.steps} steps{loss}>"


class _Callback:
    """A listener with its own rate limit. If it raises, it is silenced and the run goes on; the error is kept."""

    def __init__(self, function: Callable[[Run[Any]], None], every_s: float) -> None:
        self.function, self.every_s = function, every_s
        self.last_s = -math.inf

    def call(self, run: Run[Any], last: bool) -> None:
        now = time.monotonic()
        if run.callback_error is not None or not (last or now - self.last_s >= self.every_s):
            return
        self.last_s = now
        try:
            self.function(run)
        except Exception as error:
            run.callback_error = error


def train(
    model: Transformer, data: Sampler, steps: int = 300, seed: int = 0, name: str = "", lr: float = 0.03
) -> Run[Transformer]:
    """Train in the background. The same model, data and seed give the same curve on the same machine.

    data: from `Corpus.sampler(rows, context)`. Rows of the history: loss in nats, balance (1 is even), tokens seen,
    dropped (share of the assignments), load (for each mixture layer the share of each expert).
    """
    return Run(training_rows(model, data, steps, seed, lr), model, steps, name).start()


def training_rows(
    model: Transformer, data: Sampler, steps: int, seed: int = 0, lr: float = 0.03, adam_lr: float = 0.003
) -> Rows:
    """The training loop; each `next` is one step. Muon and AdamW, learning rate falling over the second half."""
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


def timed(rows: Rows) -> Rows:
    """The same rows with `cpu_s`: the processor time spent so far on making them, not on what happens in between."""
    spent, begin = 0.0, time.thread_time()
    for row in rows:
        spent += time.thread_time() - begin
        yield {**row, "cpu_s": spent}
        begin = time.thread_time()


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
    return BITS * nn.functional.cross_entropy(logits.transpose(1, 2), batch.targets, reduction="none")


@atexit.register
def stop_all() -> None:
    """Stop every named run; a thread inside torch must not outlive the interpreter."""
    for run in _runs.values():
        run.stop()


def _routed(model: Transformer) -> Row:
    """Share of the assignments that were dropped, and the experts' shares of them in each mixture layer."""
    routings = model.routings()
    dropped = sum(r.dropped for r in routings) / max(1, sum(r.experts.numel() for r in routings))
    return {"dropped": dropped, "load": [(r.load / r.experts.numel()).tolist() for r in routings]}
