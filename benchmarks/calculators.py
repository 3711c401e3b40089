"""How fast the calculators start and answer: import, one full report, the audit of all claims.

    python -m benchmarks.calculators

Prints a table and writes results/calculators.json. Bars of the book: import 0.15 s, a report 0.1 ms.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from gpt4lab.claims import audit
from gpt4lab.quantities import QUANTITIES, values
from gpt4lab.scenario import load_scenario

RESULTS = Path(__file__).parent / "results" / "calculators.json"
REPORT = (
    "training.flop", "training.days", "training.cost", "training.implied_mfu", "parallel.replicas",
    "parallel.micro_batches", "parallel.bubble", "memory.per_gpu_zero1", "flop.with_context_per_token",
)  # fmt: skip
BARS = {"import gpt4lab": 0.15, "one training report": 0.1}


def main() -> None:
    """Measure, print, write."""
    leak = load_scenario("leak")
    names = tuple(name for name in REPORT if name in QUANTITIES)
    started = median(import_seconds("gpt4lab") for _ in range(7)) - median(import_seconds("sys") for _ in range(7))
    found = {
        "import gpt4lab": (started, "s"),
        "one training report": (1e3 * seconds(lambda: values(names, leak), 2000), "ms"),
        "all quantities at once": (1e3 * seconds(lambda: values(tuple(QUANTITIES), leak), 200), "ms"),
        "audit of all claims": (1e3 * seconds(lambda: audit(leak), 20), "ms"),
    }
    rows = [{"what": what, "value": n, "unit": unit, "bar": BARS.get(what)} for what, (n, unit) in found.items()]
    for row in rows:
        print("{what:28}{value:10.4f} {unit:4} bar {bar}".format(**row))
    RESULTS.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def import_seconds(module: str) -> float:
    """Wall time of a new Python that imports one module."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


def seconds(call: Callable[[], object], times: int) -> float:
    """Mean time of one call, the best of five rounds."""
    call()
    return min(_round(call, times) for _ in range(5))


def _round(call: Callable[[], object], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


if __name__ == "__main__":
    main()
