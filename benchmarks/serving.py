"""How many requests a second the serving simulation plays, on one core, from drawing them to the percentiles.

    python -m benchmarks.serving [requests]

Lognormal prompts and answers of 500 and 200 tokens on average, 64 slots, three quarters of full load unless said.
Seconds of CPU time, the best of some rounds. Bar: 50,000 requests/s.
"""

from __future__ import annotations

import sys

from benchmarks._shared import cpu_seconds, row, save, show
from gpt4lab.simulate.pipeline.play import play
from gpt4lab.simulate.pipeline.schedules import build
from gpt4lab.simulate.serving.batching import Rules
from gpt4lab.simulate.serving.pace import Linear
from gpt4lab.simulate.serving.served import serve
from gpt4lab.simulate.serving.workload import LogNormal, Poisson, Workload

BAR = 50_000
REQUESTS = 10_000
PACE = Linear(fixed_s=0.02, sequence_s=1e-4, prompt_s=2e-5, context_s=1e-8)
CASES = {
    "continuous batching": (Poisson(8), Rules()),
    "continuous, chunks, full cache, overload": (Poisson(20), Rules(chunk_tokens=128, cache_tokens=12_000)),
    "static batching, overload": (Poisson(8), Rules("static")),
}


def workload(requests: int, case: str = "continuous batching") -> Workload:
    """Requests of a case, not drawn yet."""
    return Workload(requests, CASES[case][0], LogNormal(500), LogNormal(200))


def name(requests: int, case: str = "continuous batching") -> str:
    """What a row says that it measures."""
    return f"serving simulation of {requests:,} requests: {case}"


def main(requests: int = REQUESTS) -> int:
    """Measure, print, write; the exit status says whether the bars hold."""
    rows = []
    for case, (_, rules) in CASES.items():
        asked = workload(requests, case)
        rate = requests / cpu_seconds(lambda a=asked, r=rules: serve(a.draw(1), PACE, r).summary(), rounds=25)
        rows.append(row(name(requests, case), rate, "requests/s", BAR, least=True))
    seconds = cpu_seconds(lambda: play(build("1f1b", 15, 35)))
    rows.append(row("pipeline simulation of 15 stages, 35 micro-batches", seconds * 1e3, "ms"))
    show(rows)
    return save("serving", {"rows": rows}, "numpy")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
