"""How many requests a second the serving simulation plays, on one core, from drawing them to the percentiles.

    python -m benchmarks.serving [requests]

Lognormal prompts and answers of 500 and 200 tokens on average, 64 slots, three quarters of full load unless said.
Seconds of CPU time, the best of some rounds: the machine may be busy with other things. Bar: 50,000 requests/s.
Prints a table and writes results/serving.json.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gpt4lab.simulate import pipeline
from gpt4lab.simulate.serving import Linear, LogNormal, Poisson, Rules, Workload, serve

RESULTS = Path(__file__).parent / "results" / "serving.json"
BAR = 50_000
ROUNDS = 7
PACE = Linear(fixed_s=0.02, sequence_s=1e-4, prompt_s=2e-5, context_s=1e-8)
CASES = {
    "continuous batching": (Poisson(8), Rules()),
    "continuous, chunks, full cache, overload": (Poisson(20), Rules(chunk_tokens=128, cache_tokens=12_000)),
    "static batching, overload": (Poisson(8), Rules("static")),
}


def cpu_seconds(call: Callable[[], object]) -> float:
    """CPU time of the quickest of some rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def main(requests: int = 10_000) -> None:
    """Measure, print, write."""
    rows = []
    for name, (arrivals, rules) in CASES.items():
        workload = Workload(requests, arrivals, LogNormal(500), LogNormal(200))
        rate = requests / cpu_seconds(lambda w=workload, r=rules: serve(w.draw(1), PACE, r).summary())
        what = f"serving simulation of {requests:,} requests: {name}"
        rows.append({"what": what, "value": rate, "unit": "requests/s", "bar": BAR, "met": rate >= BAR})
    seconds = cpu_seconds(lambda: pipeline.play(pipeline.build("1f1b", 15, 35)))
    what = "pipeline simulation of 15 stages, 35 micro-batches"
    rows.append({"what": what, "value": seconds * 1e3, "unit": "ms", "bar": None})
    for row in rows:
        print("{what:<86}{value:>12,.1f} {unit:<11} bar {bar}".format(**row))
    versions = {"python": platform.python_version(), "numpy": np.__version__, "machine": platform.machine()}
    RESULTS.write_text(json.dumps({"rows": rows, **versions}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
