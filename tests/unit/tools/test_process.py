"""No program that book.py runs outlives it, whichever signal ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

#: A program, and one that it starts; both wait for ever.
CHILD = """
import os, subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), grandchild.pid, flush=True)
time.sleep(600)
"""
# Tests that run in the background, or under nohup, are deaf to these signals, and what they start would be.
LISTENING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + CHILD
PARENT = """
import os, sys
from pathlib import Path
from tools import process
process.GRACE_S = 0.2
process.end_with_us()
getattr(process, sys.argv[1])([sys.executable, "-c", sys.argv[2]], Path.cwd(), dict(os.environ))
"""


def started(way: str, child: str, before: str = LISTENING) -> tuple[subprocess.Popen[str], list[int]]:
    """A parent that runs a child, and the child's and grandchild's process ids."""
    parent = subprocess.Popen(
        [sys.executable, "-c", before + PARENT, way, child], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    return parent, [int(word) for word in parent.stdout.readline().split()]


def ends(pid: int) -> bool:
    """Whether a process ends, soon."""
    for _ in range(600):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("child", [CHILD, STUBBORN], ids=["willing", "stubborn"])
@pytest.mark.parametrize("way", ["run", "work"])
def test_a_signal_ends_the_child_too(way: str, child: str, number: signal.Signals) -> None:
    parent, (pid, grandchild) = started(way, child)
    parent.send_signal(number)
    assert parent.wait() == 128 + number
    assert ends(pid)
    if way == "work":
        assert ends(grandchild)
    else:  # a program in the foreground ends its own children: JupyterLab its kernels
        os.kill(grandchild, signal.SIGKILL)


def test_an_interrupt_ends_a_setup_and_all_that_it_started() -> None:
    parent, pids = started("work", CHILD)
    parent.send_signal(signal.SIGINT)
    assert parent.wait() != 0
    assert all(map(ends, pids))


def test_an_interrupt_is_the_business_of_a_program_in_the_foreground() -> None:
    parent, (pid, grandchild) = started("run", CHILD)
    parent.send_signal(signal.SIGINT)
    os.kill(grandchild, signal.SIGKILL)
    os.kill(pid, signal.SIGTERM)
    assert parent.wait() == 0, "it waited until the child had ended"


def test_nohup_stays_in_force() -> None:
    parent, (pid, grandchild) = started("run", CHILD, "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n")
    parent.send_signal(signal.SIGHUP)
    os.kill(grandchild, signal.SIGKILL)
    os.kill(pid, signal.SIGTERM)
    assert parent.wait() == 0
