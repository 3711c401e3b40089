"""Work that runs in the background while the reader watches: a `BackgroundRun` drives a generator.

The generator yields one row of numbers per step, so stopping is simply not asking for the next row: the model and the
curve so far stay. Nothing here draws; a panel listens with `on_update`.
"""

from __future__ import annotations

import atexit
import math
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Generic, Self, TypeVar

import torch

from gpt4lab.rows import Row

StepRows = Generator[Row, None, None]  # one row a step
Result = TypeVar("Result")

_runs: dict[str, BackgroundRun[Any]] = {}


class RunFailed(ValueError):
    """A run whose loss is no number any more, or whose thread was ended from within."""


class BackgroundRun(Generic[Result]):
    """Work in a background thread. `history` has one row per step; `result` is valid at any time, also when stopped.

    state: "running", "done", "stopped" (by `stop`, by an interrupt, or by a later run of the same name) or "failed"
    (then `error` holds the exception).
    """

    def __init__(self, rows: StepRows, result: Result, steps: int, name: str = "") -> None:
        if steps < 1:
            raise ValueError(f"steps must be at least 1, not {steps}: a run goes somewhere")
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

    def start(self) -> Self:
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

    def wait(self, timeout_s: float | None = None) -> Self:
        """Wait for the end. An interrupt stops the run and keeps its result; an exception inside it is raised here."""
        try:
            self._thread.join(timeout_s)
        except KeyboardInterrupt:
            self.stop()
        if self.error is not None:
            raise self.error
        return self

    def on_update(self, callback: Callable[[BackgroundRun[Any]], None], every_s: float = 0.1) -> Self:
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
                _demand_a_loss(self.history[-1])
                self._call_back(last=False)
                if self._stop.is_set():
                    break
            self.state = "stopped" if self._stop.is_set() else "done"
        except Exception as error:  # held for the reader: a thread's traceback would be lost
            self.error, self.state = error, "failed"
        except BaseException as end:  # a SystemExit ends this thread, not the run's way of being watched
            self.error, self.state = RunFailed(f"The run was ended from within: {end!r}."), "failed"
        with suppress(Exception):  # what matters has been said
            self._rows.close()
        self._call_back(last=True)

    def _call_back(self, last: bool) -> None:
        for callback in self._callbacks:
            callback.call(self, last)

    def __repr__(self) -> str:
        loss = f", loss {self.history[-1]['loss']:.3f}" if self.history and "loss" in self.history[-1] else ""
        return f"<BackgroundRun {self.name!r} {self.state}: {len(self.history)} of {self.steps} steps{loss}>"


def _demand_a_loss(row: Row) -> None:
    if not math.isfinite(row.get("loss", 0)):
        raise RunFailed(f"The loss is {row['loss']} after {row['step']} steps: the run has left the numbers.")


class _Callback:
    """A listener with its own rate limit. If it raises, it is silenced and the run goes on; the error is kept."""

    def __init__(self, function: Callable[[BackgroundRun[Any]], None], every_s: float) -> None:
        self.function, self.every_s = function, every_s
        self.last_s = -math.inf

    def call(self, run: BackgroundRun[Any], last: bool) -> None:
        now = time.monotonic()
        if run.callback_error is not None or not (last or now - self.last_s >= self.every_s):
            return
        self.last_s = now
        try:
            self.function(run)
        except Exception as error:
            run.callback_error = error


def timed(rows: StepRows) -> StepRows:
    """The same rows with `cpu_s`: the processor time spent so far on making them, not on what happens in between."""
    spent, begin = 0.0, time.thread_time()
    for row in rows:
        spent += time.thread_time() - begin
        yield {**row, "cpu_s": spent}
        begin = time.thread_time()


@atexit.register
def stop_all() -> None:
    """Stop every named run; a thread inside torch must not outlive the interpreter."""
    for run in _runs.values():
        run.stop()
