"""Programs that book.py runs: none of them outlives it, however it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

GRACE_S = 20.0  # JupyterLab needs some seconds to end its kernels


def end_with_us() -> None:
    """Let the signals that end book.py unwind it, so that its child is ended too; nohup's choice stays in force."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda ended_by, _: sys.exit(128 + ended_by))


def run(command: Sequence[str], cwd: Path, env: dict[str, str]) -> int:
    """Run a program to its end in the foreground; Ctrl-C is the program's business, not ours."""
    process = subprocess.Popen(command, cwd=cwd, env=env)
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
    finally:
        _end(process)


def work(command: Sequence[str], cwd: Path, env: dict[str, str], *, quiet: bool = False) -> tuple[int, str]:
    """Run a program and all that it starts; its exit status and, if `quiet`, what it would have said of errors.

    It is a group of its own, to be ended as a whole, and inherits what was made inheritable: the lock of the set-up.
    """
    group: dict[str, Any] = {} if os.name == "nt" else {"process_group": 0, "close_fds": False}
    pipe = subprocess.PIPE if quiet else None
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stderr=pipe, text=True, errors="replace", **group
    )
    try:
        _, words = process.communicate()
        return process.returncode, words or ""
    finally:
        _end(process, group=bool(group))


def _end(process: subprocess.Popen[Any], *, group: bool = False) -> None:
    """Ask a program that still runs to end, and make it after a while, or when we are asked again."""
    if process.poll() is not None:
        return
    try:
        _send(process, signal.SIGTERM, group)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    finally:
        _send(process, getattr(signal, "SIGKILL", signal.SIGTERM), group)
        process.wait()


def _send(process: subprocess.Popen[Any], number: int, group: bool) -> None:
    with suppress(OSError):  # it has ended by itself
        os.killpg(process.pid, number) if group else process.send_signal(number)
