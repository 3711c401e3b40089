"""What is asked of a server: when requests come, how long their prompts and their answers are.

    asked = Workload(10_000, Poisson(per_s=8), prompts=LogNormal(mean=500), outputs=LogNormal(mean=200)).draw(seed=1)
    asked.arrival_s, asked.prompt, asked.output          # arrays, one entry a request, in order of arrival

The same seed is the same luck: at twice the rate the very same requests come twice as fast.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from attrs import Attribute, Converter, field, frozen
from numpy.random import Generator
from numpy.typing import NDArray

from gpt4lab.scenario.field import ScenarioError, number, whole
from gpt4lab.units import counted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_TOKENS = 10_000_000


class Arrivals(Protocol):
    """When requests come."""

    def times(self, requests: int, luck: Generator) -> Floats:
        """Return arrival times in seconds, ascending (requests,)."""
        ...


class Lengths(Protocol):
    """How long prompts or answers are."""

    def draw(self, requests: int, luck: Generator) -> Ints:
        """Return lengths in tokens, at least 1 (requests,)."""
        ...


@frozen
class Poisson:
    """Requests that know nothing of each other: gaps are exponential."""

    per_s: float = number(1, "1/s", 1e-6, 1e6, "Arrival rate", "requests per second", "assumed: one", log=True)

    def times(self, requests: int, luck: Generator) -> Floats:
        """Return arrival times in seconds (requests,)."""
        return np.cumsum(luck.standard_exponential(requests)) / self.per_s


@frozen
class Bursty:
    """Requests that come in bunches: gaps follow a gamma distribution. A variation of 1 is Poisson, 0 is clockwork."""

    per_s: float = number(1, "1/s", 1e-6, 1e6, "Arrival rate", "requests per second", "assumed: one", log=True)
    variation: float = number(
        3, "1", 0, 100, "Burstiness", "standard deviation of the gaps, in mean gaps", "assumed: clearly more than 1"
    )

    def times(self, requests: int, luck: Generator) -> Floats:
        """Return arrival times in seconds (requests,)."""
        spread = self.variation**2
        gaps = luck.gamma(1 / spread, spread, requests) if spread else np.ones(requests)
        return np.cumsum(gaps) / self.per_s


@frozen
class Fixed:
    """All of one length."""

    tokens: int = whole(100, "token", 1, MOST_TOKENS, "Length", "tokens", "assumed: a paragraph", log=True)

    def draw(self, requests: int, luck: Generator) -> Ints:
        """Return lengths in tokens (requests,)."""
        return np.full(requests, self.tokens)


@frozen
class Uniform:
    """Every length from `lo` to `hi` is as likely."""

    lo: int = whole(1, "token", 1, MOST_TOKENS, "Shortest", "tokens", "assumed: one", log=True)
    hi: int = whole(200, "token", 1, MOST_TOKENS, "Longest", "tokens", "assumed: two paragraphs", log=True)

    def __attrs_post_init__(self) -> None:
        if self.lo > self.hi:
            raise ScenarioError(
                f"uniform.lo = {self.lo:,} is more than uniform.hi; allowed: 1 to {counted(self.hi, 'token')}."
            )

    def draw(self, requests: int, luck: Generator) -> Ints:
        """Return lengths in tokens (requests,)."""
        return luck.integers(self.lo, self.hi, requests, endpoint=True)


@frozen
class LogNormal:
    """Many short ones, few very long ones, as real conversations are; rounded, at least 1 and at most `most`."""

    mean: float = number(200, "token", 1, MOST_TOKENS, "Mean length", "before the cut", "assumed", log=True)
    variation: float = number(
        1, "1", 0, 10, "Spread", "standard deviation, in means", "assumed: real traces lie around 1"
    )
    most: int = whole(8192, "token", 1, MOST_TOKENS, "Cut", "longest that is let in", "C19: the context", log=True)

    def draw(self, requests: int, luck: Generator) -> Ints:
        """Return lengths in tokens (requests,)."""
        spread = math.log1p(self.variation**2)
        lengths = self.mean * np.exp(math.sqrt(spread) * luck.standard_normal(requests) - spread / 2)
        return np.clip(np.rint(lengths), 1, self.most).astype(np.int64)


def _name(record: Any, attribute: Attribute[Any]) -> str:
    return f"{type(record).__name__.lower()}.{attribute.name}"


def _lengths(given: Any, record: Any, attribute: Attribute[Any]) -> Ints:
    values = np.atleast_1d(np.asarray(given, dtype=np.float64))
    wrong = values[~((values >= 1) & (values <= MOST_TOKENS) & (values == np.floor(values)))]
    if not len(values) or len(wrong):
        found = f"holds {wrong[0]:,g}" if len(wrong) else "is empty"
        raise ScenarioError(f"{_name(record, attribute)} {found}; allowed: whole numbers, 1 to {MOST_TOKENS:,} tokens.")
    return values.astype(np.int64)


def _ascending(given: Any, record: Any, attribute: Attribute[Any]) -> Floats:
    values = np.atleast_1d(np.asarray(given, dtype=np.float64))
    late_enough = values >= np.append(0, values[:-1])
    if not len(values) or not late_enough.all() or not np.isfinite(values).all():
        found = f"goes on with {values[~late_enough][0]:,g}" if not late_enough.all() else "is empty or without end"
        raise ScenarioError(f"{_name(record, attribute)} {found}; allowed: ascending from 0, in s.")
    return values


TOKENS: Any = Converter(_lengths, takes_self=True, takes_field=True)
SECONDS: Any = Converter(_ascending, takes_self=True, takes_field=True)


@frozen(eq=False)
class Given:
    """Lengths from a list, one after the other, from its start again where it ends."""

    tokens: Ints = field(converter=TOKENS)

    def draw(self, requests: int, luck: Generator) -> Ints:
        """Return lengths in tokens (requests,)."""
        return np.resize(self.tokens, requests)


@frozen(eq=False)
class Trace:
    """Arrival times from a list, in seconds."""

    times_s: Floats = field(converter=SECONDS)

    def times(self, requests: int, luck: Generator) -> Floats:
        """Return the first times of the list; raises ScenarioError if it is too short."""
        if requests > len(self.times_s):
            raise ScenarioError(
                f"workload.requests = {requests:,}; allowed with this trace: 1 to {len(self.times_s):,} request."
            )
        return self.times_s[:requests]


@frozen(eq=False)
class Requests:
    """Requests in order of arrival: arrays of one length."""

    arrival_s: Floats = field(converter=SECONDS)
    prompt: Ints = field(converter=TOKENS)
    output: Ints = field(converter=TOKENS)

    def __attrs_post_init__(self) -> None:
        sizes = len(self.arrival_s), len(self.prompt), len(self.output)
        if len(set(sizes)) > 1:
            raise ScenarioError("requests: {} arrivals, {} prompts, {} outputs; give one of each.".format(*sizes))

    def __len__(self) -> int:
        return len(self.arrival_s)


@frozen
class Workload:
    """Requests as distributions; `draw` makes them."""

    requests: int = whole(1000, "request", 1, 10_000_000, "Requests", "how many come", "assumed", log=True)
    arrivals: Arrivals = Poisson()
    prompts: Lengths = LogNormal(500)
    outputs: Lengths = LogNormal(200)

    def draw(self, seed: int = 0) -> Requests:
        """Return the requests that this seed makes. Arrivals, prompts and answers each have luck of their own."""
        when, asked, answered = (np.random.default_rng([seed, stream]) for stream in range(3))
        n = self.requests
        return Requests(self.arrivals.times(n, when), self.prompts.draw(n, asked), self.outputs.draw(n, answered))
