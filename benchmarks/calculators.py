"""How fast the calculators start and answer: import, one full report, the audit of all claims.

    python -m benchmarks.calculators

Bars of the book: import 0.15 s, a report 0.1 ms, the audit 10 ms, single flips 0.5 s, joint ones 5 s, draws 1 s.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks._shared import cpu_seconds, row, save, show
from gpt4lab.claims import audit, ledger
from gpt4lab.claims.sensitivity import flips
from gpt4lab.quantities import QUANTITIES, values
from gpt4lab.scenario import load_scenario
from gpt4lab.verdict.joint import joint_flip
from gpt4lab.verdict.uncertain import sampled

REPORT = (
    "training.flop",
    "training.days",
    "training.cost",
    "training.implied_mfu",
    "cluster.replicas",
    "pipeline.micro_batches",
    "pipeline.bubble",
    "memory.states",
    "flop.with_context_per_token",
)


def main() -> int:
    """Measure, print, write; the exit status says whether the bars hold."""
    leak = load_scenario("leak")
    started = median(import_seconds("gpt4lab") for _ in range(7)) - median(import_seconds("sys") for _ in range(7))
    rows = [
        row("import gpt4lab", started, "s", 0.15),
        row("one training report", 1e3 * cpu_seconds(lambda: values(REPORT, leak), 2000, 5), "ms", 0.1),
        row("all quantities at once", 1e3 * cpu_seconds(lambda: values(tuple(QUANTITIES), leak), 200, 5), "ms"),
        row("audit of all claims", 1e3 * cpu_seconds(lambda: audit(leak), 20, 5), "ms", 10),
        row("the smallest single flip of every claim", cpu_seconds(lambda: every(flips, leak, 1), 1, 3), "s", 0.5),
        row("the smallest joint flip of every claim", cpu_seconds(lambda: every(joint_flip, leak), 1, 3), "s", 5),
        row("100,000 draws of the cost", cpu_seconds(lambda: sampled("training.cost", leak), 1, 3), "s", 1),
    ]
    show(rows)
    return save("calculators", {"rows": rows})


def every(search: Callable[..., Any], *more: Any) -> None:
    """One search for each claim of the ledger."""
    for claim in ledger().values():
        search(claim, *more)


def import_seconds(module: str) -> float:
    """Wall time of a new Python that imports one module."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
