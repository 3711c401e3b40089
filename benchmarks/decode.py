"""How fast the model of answering answers, and how far off it is from what was measured.

    python -m benchmarks.decode [configurations]

Seconds of CPU time, the best of some rounds. Bars: a report in 0.1 ms, a million ways to serve a second on one core,
the static rows of TensorRT-LLM within 8% in the mean. The README has the errors of all other tables.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks._shared import cpu_seconds, draws, error, row, save, show
from gpt4lab.checks.check import when_moved
from gpt4lab.checks.decode import static_rows
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.report import PassReport, decode
from gpt4lab.models.inputs import chip, measured_efficiency, network_of

CHOICES = {
    "tensor": [1, 2, 4, 8, 16],
    "pipeline": [1, 2, 4, 8, 16],
    "expert": [1, 2, 4, 8],
    "context": [128, 1024, 8192],
    "batch": [1, 8, 64, 512, 4096],
    "weight_bytes": [0.5, 1, 2],
    "kv_bytes": [1, 2],
    "cache_by_batch": [0, 1],
    "eight_bit": [0, 1],
    "overlap": [0, 0.5, 1],
}
MODEL, H100 = network_of("mixtral-8x7b"), chip("h100-sxm-80gb", usd_per_hour=2.0)
STATIC = "TensorRT-LLM 0.6.1, static batches"
MEAN = 0.08  # bar of the error


def answer(report: PassReport) -> tuple[object, ...]:
    """What a search looks at: time, floor, throughput, memory, dollars."""
    return report.time_s, report.floor_s, report.tokens_per_s, report.memory_bytes.total, report.fits, report.usd_per_1k


def speed(n: int) -> list[dict[str, Any]]:
    """Measure one report and a sweep."""
    one, many = Deployment(tensor=2, batch=64), [Deployment(**chunk) for chunk in draws(CHOICES, n)]
    scalar = cpu_seconds(lambda: answer(decode(MODEL, one, H100)), 1000)
    sweep = n / cpu_seconds(lambda: [answer(decode(MODEL, chunk, H100)) for chunk in many], rounds=3)
    return [
        row("decode step in closed form, one report", scalar * 1e3, "ms", 0.1),
        row(f"decode step, sweep of {n:,} ways to serve", sweep, "configurations/s", 1e6, least=True),
    ]


def main(n: int = 1_000_000) -> int:
    """Measure, print, write; the exit status says whether the bars hold."""
    fast, far = speed(n), error(STATIC, static_rows(), MEAN)
    show(fast)
    moved = when_moved(static_rows, measured_efficiency())
    return save("decode", {"rows": fast, "errors": [far], "mean_error_at_minus_and_plus_20_percent": moved}, "numpy")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
