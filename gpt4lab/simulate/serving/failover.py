"""A cluster goes, and the others take its requests: what happens to the wait in one lane of those that stay.

Requests come by chance, with traced lengths, from `BEFORE_S` before the failure to `AFTER_S` after it. At the failure
the answers under way over there are asked again, in this lane its share of them, and from then on all new requests are
shared by one cluster fewer. Where there is a spare cluster, it takes its share once it has been started.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import cycle, islice
from math import inf
from random import Random
from statistics import fmean
from typing import NamedTuple

from gpt4lab.catalog.traffic import traced
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.rules import LayoutError
from gpt4lab.simulate.serving.batching import Rules
from gpt4lab.simulate.serving.pace import Pace, lane
from gpt4lab.simulate.serving.plain import plain, play, rules_in

BEFORE_S, AFTER_S, BIN_S = 120, 720, 60
MOST = 4000  # requests of a lane that are played
SEEDS = 2


class Lane(NamedTuple):
    """Requests a second while all is well, clusters that share them, answers under way in a lane of each."""

    per_s: float
    clusters: int
    under_way: float
    back_s: float  # after the failure, until a spare cluster is there; infinite without one


class Wait(NamedTuple):
    """Mean wait for the first token of those who asked around this time (s, 0 is the failure)."""

    asked_s: float
    wait_s: float


def lane_in(scenario: Scenario) -> Lane:
    """One lane of a cluster that stays. Raises LayoutError where there is none, and for too many requests."""
    if scenario.sites.clusters < 2:
        raise LayoutError("Of one cluster that fails none is left: 2 clusters or more.", "sites.clusters = 1")
    most = MOST / 2 / (BEFORE_S + AFTER_S) * scenario.serving.pipeline
    if scenario.batching.requests_per_s > most:
        fields = f"batching.requests_per_s = {scenario.batching.requests_per_s:,g}"
        raise LayoutError(f"So many requests a second cannot be played here: {most:,.3g} or fewer.", fields)
    asked, slots, wanted = "batching.lane_requests_per_s", scenario.batching.slots, value("gang.under_way", scenario)
    back = 60 * scenario.reliability.restart_minutes if scenario.sites.spare else inf
    return Lane(float(value(asked, scenario)), scenario.sites.clusters, float(min(slots, wanted)), back)


def waits(scenario: Scenario, fails: bool) -> list[Wait]:
    """The wait over time, with the failure and without, on average over some draws."""
    pace, rules, here = lane(scenario), rules_in(scenario), lane_in(scenario)
    service, first = scenario.batching.traffic, scenario.luck.seed
    drawn = [_played(pace, rules, service, here, fails, (first + seed) % 1000) for seed in range(SEEDS)]
    return [_mean(start, [wait for one in drawn for wait in one]) for start in range(-BEFORE_S, AFTER_S, BIN_S)]


def _mean(start: float, found: Sequence[Wait]) -> Wait:
    inside = [wait.wait_s for wait in found if start <= wait.asked_s < start + BIN_S]
    return Wait(start + BIN_S / 2, fmean(inside) if inside else 0.0)


@lru_cache(maxsize=256)
def _played(pace: Pace, rules: Rules, service: str, here: Lane, fails: bool, seed: int) -> tuple[Wait, ...]:
    times = sorted(times_of(here, fails, seed))
    lengths = islice(cycle(traced(service)), len(times))
    asked = plain([(at + BEFORE_S, one.prompt, one.output) for at, one in zip(times, lengths, strict=True)])
    log = play(asked, pace, rules)
    return tuple(Wait(at, first - at - BEFORE_S) for at, first in zip(times, log.first_s, strict=True))


def times_of(here: Lane, fails: bool, seed: int) -> Iterator[float]:
    """When requests come to the lane, in seconds from the failure; those that are asked again come with it."""
    luck, at, many = Random(seed), -float(BEFORE_S), here.clusters
    while True:
        worse = fails and 0 <= at < here.back_s
        at += luck.expovariate(here.per_s * (many / (many - 1) if worse else 1))
        if at >= AFTER_S:
            break
        yield at
    if fails:
        yield from [0.0] * round(here.under_way / (many - 1))
