"""How fast the training-step model answers, and how far off it is from Megatron-LM 2021, Table 1.

One report, and a sweep over a million layouts through the same function.

    python -m benchmarks.sweep [configurations]

The bars are those of the book: a report in 0.1 ms, a million
configurations a second on one core (NumPy's element-wise work uses one), and for Table 1, with one file of the
hardware, an error below 3% in the mean and below 7% in every row.
"""

from __future__ import annotations

import sys

import attrs

from benchmarks._shared import cpu_seconds, draws, error, row, save, show
from gpt4lab.checks import step as check
from gpt4lab.models.inputs import Network, machine
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import StepReport, step

REPORT, SWEEP = "training step in closed form, one report", "training step, sweep of {:,} layouts"
TABLE_1 = "Megatron-LM 2021, Table 1"
CONFIGURATIONS = 1_000_000
MEAN, LARGEST = 0.03, 0.07  # bars of the error
CHOICES = {
    "tensor": [1, 2, 4, 8],
    "pipeline": [1, 2, 3, 4, 6, 8, 12, 16],
    "data": [8, 16, 32, 64],
    "expert": [1, 2, 4, 8],
    "micro_batch": [1, 2, 4],
    "interleave": [1, 2],
    "schedule": [0, 1, 2, 3],
    "zero": [0, 1, 2, 3],
    "recompute": [0, 1, 2],
    "sequence_parallel": [0, 1],
    "fused_attention": [0, 1],
    "overlap": [0, 1],
}
MODEL = Network(layers=96, d_model=12288, heads=96, experts=16, top_k=2)
ONE = Layout(tensor=8, pipeline=12, data=4, batch=1536)
A100 = machine("a100-sxm-80gb", usd_per_hour=1.0)


def answer(report: StepReport) -> tuple[object, ...]:
    """What a layout search looks at: time, bubble, traffic, memory, MFU, dollars."""
    sent = attrs.astuple(report.sent_bytes, recurse=False)
    return report.time_s, report.bubble, *sent, report.memory_bytes.total, report.fits, report.mfu, report.usd


def main(n: int = CONFIGURATIONS) -> int:
    """Measure, print, write; the exit status says whether the bars hold."""
    many = [Layout(batch=1536.0, **chunk) for chunk in draws(CHOICES, n)]
    scalar = cpu_seconds(lambda: answer(step(MODEL, ONE, A100)), 1000)
    sweep = n / cpu_seconds(lambda: [answer(step(MODEL, chunk, A100)) for chunk in many], rounds=5)
    rows = [row(REPORT, scalar * 1e3, "ms", 0.1), row(SWEEP.format(n), sweep, "configurations/s", 1e6, least=True)]
    show(rows)
    far = error(TABLE_1, check.megatron_validation(), MEAN, LARGEST)
    return save("sweep", {"rows": rows, "errors": [far]}, "numpy")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
