"""How fast the calculators start and answer: import, one full report, the audit of all claims.

    python -m benchmarks.calculators

Bars of the book: import 0.15 s, a report 0.1 ms.
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks._shared import cpu_seconds, row, save, show
from gpt4lab.claims import audit
from gpt4lab.quantities import QUANTITIES, values
from gpt4lab.scenario import load_scenario

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
        row("audit of all claims", 1e3 * cpu_seconds(lambda: audit(leak), 20, 5), "ms"),
    ]
    show(rows)
    return save("calculators", {"rows": rows})


def import_seconds(module: str) -> float:
    """Wall time of a new Python that imports one module."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
