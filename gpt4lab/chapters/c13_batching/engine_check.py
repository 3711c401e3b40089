"""Chapter 13: the same requests in the engine that really decodes and in the simulation, side by side.

The simulation gets the requests, the rules and four coefficients of what a pass costs, and nothing else of the engine.
Where the ratio is not 1, passes do not cost what a straight line says, or they did not cost the same all the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING

from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities import value
from gpt4lab.rows import Row
from gpt4lab.scenario import change, load_scenario
from gpt4lab.simulate.serving.batching import Rules
from gpt4lab.simulate.serving.loads import MANY, part, sweep
from gpt4lab.simulate.serving.pace import Linear
from gpt4lab.simulate.serving.plain import plain, play
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


def by_hand() -> Checks:
    """Two formulas against the simulation: gangs of geometric lengths, and Little's law at the pace of full slots."""
    return Checks([*_gangs(), *_under_way()])


def _gangs() -> Iterator[Check]:
    """A step a second, no prompts: places that static batches compute for each token."""
    for slots in (4, 16, 64):
        luck, there = Random(0), change(load_scenario("leak"), {"batching.slots": slots})
        lengths = [1 + int(luck.expovariate(1 / 200)) for _ in range(200 * slots)]
        log = play(plain([(0, 1, length) for length in lengths]), Linear(1), Rules("static", slots=slots))
        places = sum(round(stay.left_s - stay.start_s) for stay in log.stays)
        yield Check(f"padding of {slots} slots", value("batching.geometric_padding", there), places / sum(lengths), "x")


def _under_way() -> Iterator[Check]:
    """Traced conversations in lanes that are nearly full; tokens a second are answers under way over their pace."""
    for load in (2.0, 6.0, 12.0):
        there = change(load_scenario("leak"), {"batching.slots": 64, "batching.requests_per_s": load})
        (found,) = sweep(there, "continuous", [load])
        lane = found.reached.tokens_per_s / there.serving.pipeline * value("batching.step_s", there)
        played = part(there.batching.traffic, there.batching.stretch, MANY)
        longer = fmean(row.output for row in played) / value("gang.mean", there)  # than all that is shipped
        mine = value("gang.under_way", there) * longer
        yield Check(f"under way, {load:g} requests a second", mine, lane, "sequence")
