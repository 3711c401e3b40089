"""A server that answers requests, event by event: batching, latency, cost.

    asked = Workload(10_000, Poisson(per_s=8), prompts=LogNormal(500), outputs=LogNormal(200)).draw(seed=1)
    pace = Linear(fixed_s=0.02, sequence_s=1e-4, prompt_s=2e-5, context_s=1e-8)       # or lane(scenario)
    served = serve(asked, pace, Rules("continuous", slots=64, cache_tokens=40_000, chunk_tokens=512))
    served.summary()                                     # percentiles, throughput, use of the machine
    served.usd_per_1k(usd_per_hour=128)
    served.timeline(until_s=5)                           # rows for the chart `timeline`, a lane a slot

Times are exact for the pace that is given. Left out: the time to schedule, to split words into tokens and to send
them; prefix caching; the quadratic part of attention within a prompt; swapping the cache to other memory.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from attrs import define

from gpt4lab.simulate.serving.batching import STRETCH, Gangs, Log, Rules, check
from gpt4lab.simulate.serving.continuous import Replica
from gpt4lab.simulate.serving.pace import Pace
from gpt4lab.simulate.serving.stays import timeline
from gpt4lab.simulate.serving.workload import Floats, Requests

PERCENTS = (50, 90, 99)


def serve(asked: Requests, pace: Pace, rules: Rules | None = None) -> Served:
    """Play all requests on one replica; raises ScenarioError for a request that can never fit the cache."""
    rules = rules or Rules()
    check(asked, rules)
    play = Replica if rules.scheduler == "continuous" else Gangs
    return Served(asked, rules, play(asked, pace, rules).run())


@define(slots=False, eq=False)
class Served:
    """What happened, from time 0 to the last token. Arrays are in order of arrival (requests,); seconds throughout."""

    asked: Requests
    rules: Rules
    log: Log

    @cached_property
    def finished_s(self) -> Floats:
        """When each answer was complete."""
        return np.array(self.log.finished_s)

    @cached_property
    def to_first_s(self) -> Floats:
        """Time to first token: from arrival on."""
        return np.array(self.log.first_s) - self.asked.arrival_s

    @cached_property
    def per_token_s(self) -> Floats:
        """Time per output token after the first; nan for answers of one token."""
        more = self.asked.output - 1
        spent = self.finished_s - np.array(self.log.first_s)
        return np.divide(spent, more, out=np.full(len(more), np.nan), where=more > 0)

    @cached_property
    def steps(self) -> dict[str, Floats]:
        """Stretches of equal steps, column by column, as named in `STRETCH`."""
        columns = np.array(self.log.stretches).reshape(-1, len(STRETCH)).T
        return dict(zip(STRETCH, columns, strict=True))

    @property
    def total_s(self) -> float:
        """From time 0 until the last token."""
        return float(self.finished_s.max())

    @property
    def busy_s(self) -> float:
        """Time spent in steps; with static and dynamic batching also on padding."""
        return float(self.steps["seconds"].sum())

    @property
    def idle_s(self) -> float:
        """Time without a step."""
        starts, seconds = self.steps["start_s"], self.steps["seconds"]
        return float(starts[0] + (starts[1:] - starts[:-1] - seconds[:-1]).sum())

    @property
    def tokens(self) -> int:
        """Tokens of all answers."""
        return int(self.asked.output.sum())

    @property
    def tokens_per_s(self) -> float:
        """Throughput from time 0 until the last token."""
        return self.tokens / self.total_s

    @property
    def mean_batch(self) -> float:
        """Requests whose answer is under way, on average over all time; padding does not count."""
        return sum(stay.end_s - stay.answering_s for stay in self.log.stays) / self.total_s

    @property
    def thrown_out(self) -> int:
        """How often a request lost its slot for want of cache."""
        return len(self.log.stays) - len(self.asked)

    def usd_per_1k(self, usd_per_hour: float) -> float:
        """Cost of 1,000 output tokens on a replica of this rent, idle time included."""
        return usd_per_hour / 3600 / self.tokens_per_s * 1000

    def within(self, to_first_s: float = np.inf, per_token_s: float = np.inf) -> float:
        """Share of the requests that were answered as fast as this."""
        return float(np.mean((self.to_first_s <= to_first_s) & ~(self.per_token_s > per_token_s)))

    def summary(self) -> dict[str, float]:
        """Return the figures that one compares; `_p99` is met by 99% of the requests."""
        return {
            **percentiles("to_first_s", self.to_first_s),
            **percentiles("per_token_s", self.per_token_s[self.asked.output > 1]),
            "tokens_per_s": self.tokens_per_s,
            "requests_per_s": len(self.asked) / self.total_s,
            "busy_share": self.busy_s / self.total_s,
            "mean_batch": self.mean_batch,
            "slots_used": self.mean_batch / self.rules.slots,
            "cached_tokens_most": float(self.steps["cached_tokens"].max()),
            "thrown_out": self.thrown_out,
        }

    def timeline(self, until_s: float = np.inf) -> list[dict[str, Any]]:
        """Return what each slot did: see `stays.timeline`."""
        return timeline(self.log.stays, until_s)


def percentiles(name: str, values: Floats) -> dict[str, float]:
    """Return the percentiles under "name_p50", ...; nan where there are no values."""
    found = np.percentile(values, PERCENTS) if len(values) else [np.nan] * len(PERCENTS)
    return {f"{name}_p{percent}": float(value) for percent, value in zip(PERCENTS, found, strict=True)}
