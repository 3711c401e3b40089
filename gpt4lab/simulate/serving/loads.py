"""Real traffic through each scheduler, on one lane of a scenario's machines: at one load, at many, at a limit.

A copy of the model works on as many lanes at once as it has pipeline stages; requests are dealt out to them in turn,
and all lanes look alike. So one lane is played, and its throughput counts for all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import accumulate
from math import exp, log
from statistics import fmean, median
from typing import NamedTuple

from gpt4lab.catalog.traffic import SECONDS, TracedRequest, per_s, traced
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, change
from gpt4lab.scenario.live import SCHEDULES, STRETCHES
from gpt4lab.simulate.serving.batching import Log, Rules, Stay
from gpt4lab.simulate.serving.pace import ROUNDING, Pace, lane, step_s
from gpt4lab.simulate.serving.plain import Plain, gaps, plain, play, rules_in
from gpt4lab.simulate.serving.stays import ANSWER, PADDING, PROMPT

MINUTE = 60  # seconds of traffic that are drawn
SEEDS = 3  # draws, where chance has a say
MANY, MOST = 300, 600  # requests of a lane that are played for one point of a line: more where it has many slots
LOADS = tuple(2 ** (step / 2) for step in range(-8, 4))  # in units of what the lanes can bear
WAITS = (0.0, 1.0, 5.0, 10.0, 30.0, 60.0)  # s, of dynamic batches among which the best is looked for
WARM = 5  # a fifth of them does not count: the lane is emptier then than it stays


def lanes(scenario: Scenario) -> int:
    """Lanes of one copy of the model."""
    return scenario.serving.pipeline


def minute(scenario: Scenario) -> Plain:
    """The requests of a usual minute of real traffic that one lane gets: every so-many-th, at the wanted rate."""
    service, rate = scenario.batching.traffic, scenario.batching.requests_per_s
    dealt, slower = traced(service)[:: lanes(scenario)], per_s(service) / rate
    start = usual_minute(dealt)
    asked = sorted(((row.arrival_s - start) % SECONDS * slower, row.prompt, row.output) for row in dealt)
    return plain([row for row in asked if row[0] < MINUTE] or asked[:1])


def usual_minute(dealt: Sequence[TracedRequest]) -> int:
    """Where it begins, in seconds: of the minutes of the trace the first that comes nearest to their mean."""
    mean = len(dealt) * MINUTE / SECONDS
    starts = range(0, SECONDS, MINUTE)
    counts = {start: sum(start <= row.arrival_s < start + MINUTE for row in dealt) for start in starts}
    return min(counts, key=lambda start: abs(counts[start] - mean))


def shares(scenario: Scenario, log: Log) -> dict[str, float]:
    """What the slots of a lane were busy with, as shares of their time until the last token."""
    whole = scenario.batching.slots * max(log.finished_s)
    spent = dict.fromkeys((PROMPT, ANSWER, PADDING), 0.0)
    for stay in log.stays:
        spent[PROMPT] += stay.answering_s - stay.start_s
        spent[ANSWER] += stay.end_s - stay.answering_s
        spent[PADDING] += min(stay.left_s, max(log.finished_s)) - stay.end_s
    busy = {kind: seconds / whole for kind, seconds in spent.items()}
    return {**busy, "free": 1 - sum(busy.values())}


def mean_s(asked: Plain, log: Log) -> float:
    """From question to last token, on average over the requests."""
    return sum(end - at for at, end in zip(asked.arrival_s, log.finished_s, strict=True)) / len(asked)


class Figures(NamedTuple):
    """What a lane reached with one load."""

    tokens_per_s: float
    latency_s: float  # median over requests: time from question to end, over the tokens of the answer
    first_s: float  # time to the first token that 5% of the requests exceed


class AtLoad(NamedTuple):
    """A load, and what was reached with it."""

    requests_per_s: float  # of all lanes
    reached: Figures


def figures(asked: Plain, log: Log) -> Figures:
    """Of the requests after the first few; tokens that came before the last request did, so no drain."""
    counted = range(len(asked) // WARM, len(asked))
    begin, end = asked.arrival_s[counted[0]], asked.arrival_s[-1]
    tokens = sum(_between(stay, begin, end) for stay in log.stays)
    latencies = [(log.finished_s[i] - asked.arrival_s[i]) / asked.output[i] for i in counted]
    waits = sorted(log.first_s[i] - asked.arrival_s[i] for i in counted)
    return Figures(tokens / (end - begin), median(latencies), waits[int(0.95 * len(waits))])


def _between(stay: Stay, begin: float, end: float) -> float:
    """Tokens of a stay that came between two moments, as if evenly spaced."""
    seconds = max(stay.end_s - stay.answering_s, ROUNDING)
    return stay.tokens * max(0.0, min(end, stay.end_s) - max(begin, stay.answering_s)) / seconds


@lru_cache(maxsize=4096)
def reached(
    pace: Pace, rules: Rules, service: str, stretch: int, lane_per_s: float, variation: float | None, seed: int
) -> Figures:
    """A lane with so many requests a second: lengths as traced, times so too (None), or gaps of this variation.

    Whatever the gaps, those that count come at just this mean.
    """
    rows = part(service, stretch, max(MANY, min(3 * rules.slots, MOST)))
    drawn = None if variation is None else accumulate(gaps(len(rows), variation, seed))
    times = [row.arrival_s for row in rows] if drawn is None else list(drawn)
    first = len(rows) // WARM
    slower = (len(rows) - 1 - first) / lane_per_s / (times[-1] - times[first])
    asked = plain([(at * slower, row.prompt, row.output) for at, row in zip(times, rows, strict=True)])
    return figures(asked, play(asked, pace, rules))


def part(service: str, stretch: int, many: int) -> tuple[TracedRequest, ...]:
    """One of the stretches of the traffic: the first begins with its first request, the last ends with its last."""
    rows = traced(service)
    first = (len(rows) - many) * (stretch - 1) // (STRETCHES - 1)
    return rows[first : first + many]


def sweep(scenario: Scenario, schedule: str, loads: list[float], variation: float | None = None) -> list[AtLoad]:
    """Each of the loads (requests a second of all lanes) under one scheduler; tokens a second are of all lanes."""
    pace, rules, many, batching = lane(scenario), rules_in(scenario, schedule), lanes(scenario), scenario.batching
    found = []
    for load in loads:
        here = reached(pace, rules, batching.traffic, batching.stretch, load / many, variation, scenario.luck.seed)
        found.append(AtLoad(load, here._replace(tokens_per_s=many * here.tokens_per_s)))
    return found


def played(scenario: Scenario) -> dict[str, Log]:
    """The minute under every scheduler."""
    asked, pace = minute(scenario), lane(scenario)
    return {schedule: play(asked, pace, rules_in(scenario, schedule)) for schedule in SCHEDULES}


class OnFrontier(NamedTuple):
    """A place on a frontier: this many tokens a second, at this latency."""

    latency_s: float
    tokens_per_s: float


def capacity_per_s(scenario: Scenario) -> float:
    """Requests a second that all lanes can about bear: each takes its share of full steps and a pass for its prompt."""
    pace, slots = lane(scenario), scenario.batching.slots
    prompt = pace.weights_s(0, round(fmean(row.prompt for row in traced(scenario.batching.traffic))))
    step = step_s(pace, slots, 0, round(slots * scenario.serving.mean_context))
    return lanes(scenario) / (value("gang.mean", scenario) * step / slots + prompt)


def points(scenario: Scenario, schedule: str) -> list[AtLoad]:
    """A scheduler from hardly any load to more than it can bear."""
    most = capacity_per_s(scenario)
    return sweep(scenario, schedule, [most * share for share in LOADS])


def frontier(scenario: Scenario, schedule: str) -> list[OnFrontier]:
    """The most tokens a second that it reached up to each latency: what nobody wants is left out."""
    best: list[OnFrontier] = []
    for point in sorted(points(scenario, schedule), key=lambda point: point.reached.latency_s):
        if point.reached.tokens_per_s > (best[-1].tokens_per_s if best else 0):
            best.append(OnFrontier(point.reached.latency_s, point.reached.tokens_per_s))
    return best


def within(reach: list[OnFrontier], limit_s: float) -> float:
    """Tokens a second at a limit, on a straight line between two places of log axes; 0 where none keeps it."""
    at = bisect_right([place.latency_s for place in reach], limit_s)
    if at in (0, len(reach)):
        return reach[-1].tokens_per_s if at else 0.0
    low, high = reach[at - 1], reach[at]
    share = log(limit_s / low.latency_s) / log(high.latency_s / low.latency_s)
    return low.tokens_per_s * exp(share * log(high.tokens_per_s / low.tokens_per_s))


def waits(scenario: Scenario, loads: list[float], variation: float | None) -> list[float]:
    """The wait at each load, the mean of several draws where chance has a say."""
    seeds = SEEDS if variation else 1
    play = partial(sweep, schedule=scenario.batching.scheduler, loads=loads, variation=variation)
    drawn = [play(change(scenario, {"luck.seed": (scenario.luck.seed + seed) % 1000})) for seed in range(seeds)]
    return [fmean(point.reached.first_s for point in column) for column in zip(*drawn, strict=True)]


def at_limit(scenario: Scenario) -> dict[str, float]:
    """Tokens a second of each scheduler at the scenario's limit."""
    return {schedule: tokens_at(scenario, schedule) for schedule in SCHEDULES}


def gain(scenario: Scenario) -> float:
    """Continuous over dynamic batching, in tokens a second at the limit."""
    found = at_limit(scenario)
    return found["continuous"] / found["dynamic"] if found["dynamic"] else 0.0


class Gain(NamedTuple):
    """A gain over the stretches of the traffic on which the rival keeps the limit at all, and how many these are."""

    mean: float
    least: float
    most: float
    stretches: int


def gains(scenario: Scenario, over: Callable[[Scenario], float]) -> Gain:
    """Continuous batching over a rival at the scenario's limit, on every stretch; 0 where the rival never keeps it."""
    every = [change(scenario, {"batching.stretch": stretch}) for stretch in range(1, STRETCHES + 1)]
    tokens = [(tokens_at(here, "continuous"), over(here)) for here in every]
    found = [mine / other for mine, other in tokens if other]
    return Gain(fmean(found), min(found), max(found), len(found)) if found else Gain(0, 0, 0, 0)


def tokens_at(scenario: Scenario, schedule: str) -> float:
    """Tokens a second of one scheduler at the scenario's limit."""
    return within(frontier(scenario, schedule), scenario.batching.latency_limit_s)


def as_it_waits(scenario: Scenario) -> float:
    """Tokens a second of a dynamic batch with the scenario's own wait."""
    return tokens_at(scenario, "dynamic")


def best_gang(scenario: Scenario) -> float:
    """Tokens a second of the best batch that comes and goes as one: static, or dynamic with whichever wait is best."""
    waits = (change(scenario, {"batching.wait_s": wait}) for wait in WAITS)
    return max(tokens_at(scenario, "static"), *(tokens_at(here, "dynamic") for here in waits))


def chunk_needed(scenario: Scenario) -> float:
    """Tokens of prompts that each step must do to keep all slots filled: as many requests begin as end."""
    rows = traced(scenario.batching.traffic)
    return scenario.batching.slots * fmean(row.prompt for row in rows) / fmean(row.output for row in rows)


def tokens_when_full(scenario: Scenario) -> float:
    """Tokens a second of all lanes with every slot filled at all times: in each step as many prompts begin as end."""
    rows, slots = traced(scenario.batching.traffic), scenario.batching.slots
    context = sum(row.output * (row.prompt + row.output / 2) for row in rows) / sum(row.output for row in rows)
    step = step_s(lane(scenario), slots, round(chunk_needed(scenario)), round(slots * context))
    return lanes(scenario) * slots / step


def usd(scenario: Scenario, tokens_per_s: float) -> float | None:
    """Cost of 1,000 tokens of answers, their prompts included; None for no tokens."""
    rent = value("serving.gpus", scenario) * scenario.serving.usd_per_gpu_hour / 3600
    return rent / tokens_per_s * 1000 if tokens_per_s else None
