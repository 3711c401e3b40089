"""A crew of worker processes that a notebook keeps while it asks for one demo after the other.

    with Workers(2) as crew:
        report = crew.run("tensor", ToyConfig(n_layers=4), steps=4)

Where the system has it, a fork server imports torch once; each worker is then a copy of it and starts in a fraction of
a second. A function that was defined in a notebook's cell cannot be sent to a worker, hence demos by name. The workers
find each other through a file and talk over the loopback interface: no fixed port, nothing reachable from outside.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from gpt4lab.distributed.job import DENSE, MIXTURE, DemoReport, Job, check, known
from gpt4lab.distributed.worker import PRELOAD, quiet, serve
from gpt4lab.models.rules import LayoutError
from gpt4lab.toys.core.transformer import ToyConfig

MOST = 8  # ranks: each is a process with its own torch, about 200 MB
START_S = 120.0
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def prepare(demo: str, ranks: int, model: ToyConfig | None = None, **options: Any) -> Job:
    """The job of a demo; without a model it is a small dense one, or one with experts where these are the subject.

    Raises
    ------
    LayoutError : if the layout cannot exist, or there is no such demo or option.
    """
    for name in options:
        known(name, Job.__dataclass_fields__, "option")
    job = Job(model=model or (MIXTURE if demo == "experts" else DENSE), **options)
    check(demo, job, ranks)
    return job


class WorkerLost(RuntimeError):
    """A worker ended, hung or failed; the rest of the crew has been stopped. Enter a new `Workers`."""


class Workers:
    """`ranks` processes that form one torch.distributed group. Use it in `with`, or call `close`."""

    def __init__(self, ranks: int = 2, timeout_s: float = 60.0) -> None:
        if not 2 <= ranks <= MOST:
            raise LayoutError(f"{ranks} ranks: give 2 to {MOST}.")
        self.ranks, self.timeout_s = ranks, timeout_s
        self._folder = tempfile.mkdtemp(prefix="gpt4lab-")
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []
        self._end = weakref.finalize(self, _end, self._processes, self._pipes, self._folder)
        with _environment(), _no_script():
            self._start()
        self._collect("the start", START_S)

    def run(self, demo: str, model: ToyConfig | None = None, **options: Any) -> DemoReport:
        """Run one demo on all workers; `options` are the fields of `job.Job`.

        Raises
        ------
        LayoutError : before anything runs, if the layout cannot exist.
        WorkerLost : if a worker dies, fails, or does not answer in `timeout_s`; no process is left behind.
        """
        return self.begin(demo, prepare(demo, self.ranks, model, **options))()

    def begin(self, demo: str, job: Job) -> Callable[[], DemoReport]:
        """Start a demo; calling what is returned waits for its report. In between you may `kill` a worker."""
        self._require_open()
        for rank, pipe in enumerate(self._pipes):
            try:
                pipe.send((demo, job))
            except OSError:
                self._lose(f"Worker {rank} has ended before {demo!r} began.", rank)
        return lambda: self._collect(repr(demo), self.timeout_s)[0]

    def kill(self, rank: int) -> None:
        """End one worker at once, as a broken machine would."""
        self._require_open()
        self._processes[rank].kill()

    @property
    def pids(self) -> list[int]:
        """The workers' process ids; empty when the crew is closed."""
        return [process.pid or 0 for process in self._processes]

    def close(self) -> None:
        """End all workers. A closed crew stays closed."""
        self._end()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def _start(self) -> None:
        context = multiprocessing.get_context(METHOD)
        context.set_forkserver_preload([PRELOAD])
        for rank in range(self.ranks):
            ours, theirs = context.Pipe()
            args = (theirs, rank, self.ranks, self._folder)
            process = context.Process(target=serve, args=args, name=f"worker {rank}", daemon=True)  # pyright: ignore
            process.start()
            theirs.close()  # so that the pipe breaks when the worker ends
            self._processes.append(process)
            self._pipes.append(ours)

    def _collect(self, task: str, timeout_s: float) -> list[Any]:
        """One answer from each worker. If waiting is interrupted, nobody knows what the workers do: they are ended."""
        answers: dict[int, Any] = {}
        end = time.monotonic() + timeout_s
        try:
            while len(answers) < self.ranks:
                self._receive(answers, task, end)
        except KeyboardInterrupt:
            self.close()
            raise
        return [answers[rank] for rank in range(self.ranks)]

    def _receive(self, answers: dict[int, Any], task: str, end: float) -> None:
        """Take what has arrived; a pipe that breaks tells that its worker is gone."""
        waiting = {pipe: rank for rank, pipe in enumerate(self._pipes) if rank not in answers}
        arrived = connection.wait(list(waiting), timeout=max(0.0, end - time.monotonic()))
        if not arrived:
            self._lose(f"No answer to {task} from worker {sorted(waiting.values())} in time.")
        for pipe in arrived:
            rank = waiting[pipe]  # pyright: ignore
            try:
                kind, answer = pipe.recv()  # pyright: ignore
            except (EOFError, OSError):
                self._lose(f"Worker {rank} ended during {task} ({self._how(rank)}).", rank)
            if kind == "failed":
                self._blame(rank, task, answer)
            answers[rank] = answer

    def _blame(self, rank: int, task: str, answer: str) -> NoReturn:
        """A worker fails when another one has gone: wait a moment to see whether that was the cause."""
        sentinels = {process.sentinel: other for other, process in enumerate(self._processes)}
        for ended in connection.wait(list(sentinels), timeout=1.0):
            other = sentinels[ended]  # pyright: ignore
            self._lose(f"Worker {other} ended during {task} ({self._how(other)}).", other)
        self._lose(f"Worker {rank} failed in {task}:\n{answer}")

    def _how(self, rank: int) -> str:
        """Why a process ended, in words."""
        process = self._processes[rank]
        process.join(5)
        code = process.exitcode
        return f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit status {code}"

    def _lose(self, message: str, rank: int = -1) -> NoReturn:
        """Stop everybody and tell; `rank` is the worker whose last words help."""
        log = Path(self._folder, f"log{rank}")
        words = log.read_text(errors="replace")[-2000:].strip() if log.exists() else ""
        self.close()
        raise WorkerLost(
            "\n".join([message, "The other workers were stopped.", *(["Its last words:", words] if words else [])])
        )

    def _require_open(self) -> None:
        if not self._end.alive:
            raise WorkerLost("This crew is closed; enter a new `Workers`.")


@contextmanager
def _environment() -> Iterator[None]:
    """Start processes in the workers' environment, and leave this process's own as it was."""
    wanted = quiet()
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def _no_script() -> Iterator[None]:
    """Start processes without the script that runs: a worker would run it anew, and begin a crew of its own."""
    script, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _end(processes: list[BaseProcess], pipes: list[Connection], folder: str) -> None:
    for pipe in pipes:
        pipe.close()
    for process in processes:
        process.kill()
    for process in processes:
        process.join(5)
    processes.clear()
    shutil.rmtree(folder, ignore_errors=True)
