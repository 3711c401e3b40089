"""The serving simulation beside sched-sim, a simulator of serving schedulers in Python, on the same requests.

    python3 book.py bench serving_peer

It is given the same pace: its class of step times is replaced, as its constructor allows, everything else is its own.
It plays every step, the book a stretch of equal steps at once. Two customs differ and are evened out: it counts a
step's own tokens out of the context that is read, and the token that a prompt brings out of the answer; so answers
have two tokens at least. That both give the same times for every request is checked before any clock is started.
Left out of the comparison: its other schedulers, since its chunks count answers too and it evicts by another rule.
"""

from __future__ import annotations

import sys

import numpy as np
from attrs import evolve
from sched_sim.core.event_engine import Simulator
from sched_sim.core.request import Request
from sched_sim.hardware.latency_model import RooflineLatencyModel
from sched_sim.hardware.profile import HardwareProfile
from sched_sim.schedulers.factory import create_scheduler

from benchmarks import serving
from benchmarks._shared import cpu_seconds, row, save, show
from gpt4lab.simulate.serving.batching import Rules
from gpt4lab.simulate.serving.pace import step_s
from gpt4lab.simulate.serving.served import Served, serve
from gpt4lab.simulate.serving.workload import Requests

EQUAL_S = 1e-6
ENDLESS = HardwareProfile(vram_gb=1e3)  # no request ever waits for cache, as in the book's case


class Pace(RooflineLatencyModel):
    """The book's step times under the peer's names."""

    def compute_mixed_step_time(self, prompt_tokens: int, sequences: int, context: int) -> float:
        """Seconds of a step that carries both."""
        return step_s(serving.PACE, sequences, prompt_tokens, context + sequences)

    def compute_prefill_step_time(self, prompt_tokens: int) -> float:
        """Seconds of a step of prompts alone."""
        return self.compute_mixed_step_time(prompt_tokens, 0, 0)

    def compute_decode_step_time(self, sequences: int, context: int) -> float:
        """Seconds of a step of answers alone."""
        return self.compute_mixed_step_time(0, sequences, context)


def drawn(requests: int) -> Requests:
    """The requests of the book's first case."""
    asked = serving.workload(requests).draw(1)
    return evolve(asked, output=np.maximum(asked.output, 2))


def book(requests: int) -> Served:
    """Play them here, percentiles included."""
    served = serve(drawn(requests), serving.PACE, Rules())
    served.summary()
    return served


def peer(requests: int) -> list[Request]:
    """Play them there, percentiles included."""
    scheduler = create_scheduler("fcfs", ENDLESS, max_batch_size=Rules().slots)
    scheduler.latency_model = Pace(ENDLESS)
    simulator = Simulator(ENDLESS, scheduler)
    asked = drawn(requests)
    columns = (column.tolist() for column in (asked.arrival_s, asked.prompt, asked.output - 1))
    simulator.submit_workload(
        [
            Request(request_id=str(i), arrived_at=at, prompt_tokens=prompt, output_tokens=output)
            for i, (at, prompt, output) in enumerate(zip(*columns, strict=True))
        ]
    )
    simulator.run()
    return simulator.all_requests


def difference_s(requests: int) -> float:
    """The largest difference in the time of a first or of a last token, over all requests."""
    ours, theirs = book(requests), peer(requests)
    first = np.array([request.first_token_at for request in theirs]) - ours.log.first_s
    last = np.array([request.completed_at for request in theirs]) - ours.finished_s
    return float(max(abs(first).max(), abs(last).max()))


def main(requests: int = serving.REQUESTS) -> None:
    """Check, measure, print, write."""
    off = difference_s(requests // 10)
    if not off < EQUAL_S:
        sys.exit(f"The two simulations differ by {off:g} s: their speeds cannot be compared.")
    ours = requests / cpu_seconds(lambda: book(requests))
    theirs = requests / cpu_seconds(lambda: peer(requests), rounds=1)  # half a minute is long enough
    rows = [row(serving.name(requests), theirs, "requests/s")]
    show(rows)
    print(f"book, on the same: {ours:,.0f} requests/s; largest difference of a time: {off:g} s")
    save("serving_peer", {"peer": "sched-sim", "rows": rows, "book": ours, "difference_s": off}, "sched-sim")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
