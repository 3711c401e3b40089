"""Chapter 13: the same requests in the engine that really decodes and in the simulation, side by side.

The simulation gets the requests, the rules and four coefficients of what a pass costs, and nothing else of the engine.
Where the ratio is not 1, passes do not cost what a straight line says, or they did not cost the same all the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gpt4lab.checks.check import Check, Checks
from gpt4lab.rows import Row
from gpt4lab.toys.engine.served import p95

if TYPE_CHECKING:
    from gpt4lab.simulate.serving.served import Served
    from gpt4lab.toys.engine.engine import Request
    from gpt4lab.toys.engine.served import Answered

#: What is compared, and its unit.
MEASURES = {"tokens_per_s": "token/s", "latency_s_mean": "s", "latency_s_p95": "s", "slots_used": "fraction"}


def engine_checks(asked: Sequence[Request], served: Sequence[Answered], pace: Sequence[float]) -> Checks:
    """The figures of `MEASURES` that the simulation gives, against the engine's, for each scheduler.

    served: whole runs of these requests. pace: the coefficients of `simulate.serving.Linear`, in seconds, as
    `toys.engine.measured.fit` returns them.
    """
    return Checks(check for one in served for check in _engine_checks(one, figures(simulated(asked, one, pace))))


def _engine_checks(served: Answered, played: Row) -> Iterator[Check]:
    found = served.summary()
    for measure, unit in MEASURES.items():
        yield Check(measure, played[measure], found[measure], unit, name=served.rules.scheduler)


def simulated(asked: Sequence[Request], served: Answered, pace: Sequence[float]) -> Served:
    """Play what the engine was asked, under the same rules and on as many slots."""
    import numpy as np

    from gpt4lab.simulate.serving.batching import Rules
    from gpt4lab.simulate.serving.pace import Linear
    from gpt4lab.simulate.serving.served import serve
    from gpt4lab.simulate.serving.workload import Requests

    columns = [(request.arrival_s, len(request.prompt), request.output) for request in asked]
    rules = Rules(served.rules.scheduler, slots=served.slots, wait_s=served.rules.wait_s)
    return serve(Requests(*np.array(columns).T), Linear(*pace), rules)


def figures(played: Served) -> Row:
    """The figures of `MEASURES`, counted as the engine counts them."""
    latencies = (played.finished_s - played.asked.arrival_s).tolist()
    return {
        "tokens_per_s": played.tokens_per_s,
        "latency_s_mean": sum(latencies) / len(latencies),
        "latency_s_p95": p95(latencies),
        "slots_used": played.mean_batch / played.rules.slots,
    }
