"""The same play without arrays, for a page whose Python has none: requests in, what happened out.

    asked = plain(traced("conversation")[:100])
    log = play(asked, lane(scenario), rules_in(scenario))
    timeline(log.stays)

Times are exact for the pace that is given; what is left out is the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from random import Random

from attrs import frozen

from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import SCHEDULES
from gpt4lab.simulate.serving.batching import Gangs, Log, Rules, check
from gpt4lab.simulate.serving.continuous import Replica
from gpt4lab.simulate.serving.pace import Pace


@frozen(eq=False)
class Plain:
    """Requests in order of arrival: seconds, tokens of prompts and of answers. As `workload.Requests`, unchecked."""

    arrival_s: array[float]
    prompt: array[int]
    output: array[int]

    def __len__(self) -> int:
        return len(self.arrival_s)


def plain(rows: Iterable[tuple[float, int, int]]) -> Plain:
    """Requests from rows (arrival in s, tokens of the prompt, tokens of the answer)."""
    arrival, prompt, output = zip(*rows, strict=True)
    return Plain(array("d", arrival), array("q", prompt), array("q", output))


def play(asked: Plain, pace: Pace, rules: Rules) -> Log:
    """Play all requests on one replica; raises ScenarioError for a request that can never fit the cache."""
    check(asked, rules)
    return (Replica if rules.scheduler == "continuous" else Gangs)(asked, pace, rules).run()


def rules_in(scenario: Scenario, schedule: str = "") -> Rules:
    """The rules of a schedule, the scenario's where none is named; chunked prefill is continuous, prompts in pieces."""
    batching, named = scenario.batching, schedule or scenario.batching.scheduler
    if named == SCHEDULES[-1]:
        return Rules("continuous", slots=batching.slots, chunk_tokens=batching.chunk_tokens)
    return Rules(named, slots=batching.slots, wait_s=batching.wait_s)


def gaps(many: int, variation: float, seed: int = 0) -> list[float]:
    """Gaps between requests, 1 on average, whose standard deviation is `variation`: 0 is clockwork, 1 is Poisson.

    They follow a gamma distribution, as `workload.Bursty`; the mean is that of a long run, not of these.
    """
    luck, spread = Random(seed), variation**2
    return [luck.gammavariate(1 / spread, spread) if spread else 1.0 for _ in range(many)]
