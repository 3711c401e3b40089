"""How fast the training-step model answers: one report, and a sweep over a million layouts through the same function.

    python benchmarks/sweep.py [configurations]

Prints a table and writes results/sweep.json. The bars are those of the book: a report in 0.1 ms, a million
configurations a second on one core (NumPy's element-wise work uses one).
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np

from gpt4lab.quantities.step import Layout, Shape, StepReport, machine, step

RESULTS = Path(__file__).parent / "results" / "sweep.json"
CHUNK = 8192  # 64 KB an array: the few that are alive at a time stay in the core's cache
CHOICES = {
    "tensor": [1, 2, 4, 8], "pipeline": [1, 2, 3, 4, 6, 8, 12, 16], "data": [8, 16, 32, 64], "expert": [1, 2, 4, 8],
    "micro_batch": [1, 2, 4], "interleave": [1, 2], "schedule": [0, 1, 2, 3], "zero": [0, 1, 2, 3],
    "recompute": [0, 1, 2], "sequence_parallel": [0, 1], "fused_attention": [0, 1], "overlap": [0, 1],
}  # fmt: skip
MODEL = Shape(layers=96, d_model=12288, heads=96, experts=16, top_k=2)
A100 = machine("a100-sxm-80gb", usd_per_hour=1.0)


def layouts(n: int, seed: int = 0) -> list[Layout]:
    """Return n random layouts in chunks, every choice of every dimension mixed with every other."""
    draw = np.random.default_rng(seed)
    sizes = [CHUNK] * (n // CHUNK) + [n % CHUNK] * (n % CHUNK > 0)
    columns = ({name: draw.choice(np.array(some, float), size) for name, some in CHOICES.items()} for size in sizes)
    return [Layout(batch=1536.0, **chunk) for chunk in columns]


def answer(report: StepReport) -> tuple[object, ...]:
    """What a layout search looks at: time, bubble, traffic, memory, MFU, dollars."""
    sent = attrs.astuple(report.sent_bytes, recurse=False)
    return report.time_s, report.bubble, *sent, report.memory_bytes.total, report.fits, report.mfu, report.usd


def best(run: Callable[[], object], repeat: int) -> float:
    """Return the shortest of some runs, in seconds: the others were disturbed."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main(n: int = 1_000_000) -> None:
    """Measure, print, write."""
    one, many, calls = Layout(tensor=8, pipeline=12, data=4, batch=1536), layouts(n), 1000
    scalar = best(lambda: [answer(step(MODEL, one, A100)) for _ in range(calls)], 7) / calls
    sweep = n / best(lambda: [answer(step(MODEL, chunk, A100)) for chunk in many], 5)
    rows = [
        {
            "what": "training step in closed form, one report",
            "value": scalar * 1e3,
            "unit": "ms",
            "bar": 0.1,
            "met": scalar <= 1e-4,
        },
        {
            "what": f"training step, sweep of {n:,} layouts",
            "value": sweep,
            "unit": "configurations/s",
            "bar": 1e6,
            "met": sweep >= 1e6,
        },
    ]
    for row in rows:
        print(f"{row['what']:<28} {row['value']:>14,.3f} {row['unit']:<18} bar {row['bar']:>11,g}  met: {row['met']}")
    versions = {"python": platform.python_version(), "numpy": np.__version__, "machine": platform.machine()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"rows": rows, **versions}, indent=1) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
