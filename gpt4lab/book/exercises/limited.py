"""A process that runs code which may loop, crash, or ask for all memory, without harm to the one that asks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from tempfile import TemporaryFile
from typing import Any

import attrs

CPU_S, WALL_S, MEMORY_MB, OUTPUT_BYTES = 1, 6, 512, 1 << 18
#: Of the process, (soft, hard); threads and further processes count as NPROC.
LIMITS = {
    "RLIMIT_CPU": (CPU_S, CPU_S + 1),
    "RLIMIT_AS": (MEMORY_MB << 20, MEMORY_MB << 20),
    "RLIMIT_FSIZE": (OUTPUT_BYTES, OUTPUT_BYTES),
    "RLIMIT_NOFILE": (16, 16),
    "RLIMIT_NPROC": (0, 0),
    "RLIMIT_CORE": (0, 0),
}
KEPT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # of the environment: what Python may need to start
#: How a process ends that the system stops.
OUT_OF_TIME = [-getattr(signal, name) for name in ("SIGXCPU", "SIGKILL") if hasattr(signal, name)]
WORKER = files("gpt4lab.book.exercises").joinpath("worker.py").read_text("utf-8")


@attrs.frozen
class Ending:
    """A record for each case that came to an end, in order; whether it was stopped; whether no case is missing."""

    found: list[dict[str, Any]]
    timed: bool
    ended: bool


def possible() -> bool:
    """Whether there are processes: not in a browser's Python."""
    return sys.platform not in ("emscripten", "wasi")


def run(source: str, name: str, cases: Sequence[Sequence[Any]]) -> Ending:
    """Run a function of some source on each case. The caller waits at most WALL_S seconds."""
    job = json.dumps({"source": source, "name": name, "cases": cases, "limits": LIMITS}).encode()
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    command = [sys.executable, "-I", "-S", "-c", WORKER]
    with TemporaryFile() as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=os.path.abspath(os.sep),
            start_new_session=True,
        )
        late = _await(process, job)
        out.seek(0)
        found = _records(out.read(OUTPUT_BYTES))[: len(cases)]
    return Ending(found, timed=late or process.returncode in OUT_OF_TIME, ended=len(found) == len(cases))


def _await(process: subprocess.Popen[bytes], job: bytes) -> bool:
    """Wait for the end; whether it had to be stopped. Nothing of it is left, also where the reader interrupts."""
    try:
        process.communicate(job, timeout=WALL_S)
    except subprocess.TimeoutExpired:
        return True
    finally:
        _stop(process)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
        process.wait()


def _records(raw: bytes) -> list[dict[str, Any]]:
    """Lines of JSON objects; what is none ends them."""
    records: list[dict[str, Any]] = []
    for line in raw.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            break
        if not isinstance(record, dict):
            break
        records.append(record)
    return records
