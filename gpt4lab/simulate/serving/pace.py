"""How long a step takes: what it reads, what it computes, and the closed form for many steps of one batch.

A step carries one token of every sequence that is answering, and some tokens of prompts. It reads weights and the
cache, and it computes; the longer of the two counts:

    step = max(reading(sequences, prompt tokens) + context_s * cached tokens, computing(sequences, prompt tokens))

While the batch stays the same, only the cache grows, by one token a sequence: the steps are an arithmetic series
over a floor, so a thousand of them cost one formula.
"""

from __future__ import annotations

import math
from typing import Protocol

from attrs import frozen

from gpt4lab.formulas.answering_layer import share_touched
from gpt4lab.quantities import values
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.field import number

ROUNDING = 1e-9  # seconds, or steps: closer than that is equal
ENDLESS = 1 << 62  # steps


class Pace(Protocol):
    """Anything that knows how long a step takes."""

    @property
    def context_s(self) -> float:
        """Seconds to read one cached token."""
        ...

    def parts(self, sequences: int, prompt_tokens: int) -> tuple[float, float]:
        """Return seconds of reading, without the cache, and seconds of computing."""
        ...


@frozen
class Linear:
    """Four coefficients, as one would fit them to measured steps. Reading and computing are not told apart."""

    fixed_s: float = number(0.02, "s", 1e-6, 1e3, "Step", "what every step costs", "assumed", log=True)
    sequence_s: float = number(0, "s", 0, 10, "Per sequence", "added by each answer under way", "assumed: none")
    prompt_s: float = number(0, "s", 0, 10, "Per prompt token", "added by each token of a prompt", "assumed: none")
    context_s: float = number(0, "s", 0, 1, "Per cached token", "added by each token in the cache", "assumed: none")

    def parts(self, sequences: int, prompt_tokens: int) -> tuple[float, float]:
        """Return all of it as reading."""
        return self.fixed_s + self.sequence_s * sequences + self.prompt_s * prompt_tokens, 0.0


@frozen
class Roofline:
    """Weights that every step reads, experts that more tokens touch more of, and computing by the token."""

    shared_s: float = number(0.02, "s", 1e-6, 1e3, "Shared weights", "read by every step", "assumed", log=True)
    experts_s: float = number(0, "s", 0, 1e3, "All experts", "read when all are touched", "assumed: dense")
    share: float = number(1, "fraction", 0, 1, "Share", "of the experts that one token needs", "assumed: dense")
    token_s: float = number(0, "s", 0, 10, "Per token", "computing for one token", "assumed: none")
    context_s: float = number(0, "s", 0, 1, "Per cached token", "reading of one cached token", "assumed: none")

    def parts(self, sequences: int, prompt_tokens: int) -> tuple[float, float]:
        """Return reading, with the experts that so many tokens touch, and computing."""
        tokens = sequences + prompt_tokens
        return self.shared_s + self.experts_s * share_touched(self.share, tokens), self.token_s * tokens


def lane(scenario: Scenario) -> Roofline:
    """Return the pace of one micro-batch that goes round the pipeline of a scenario's serving machines.

    A replica of p stages runs p such lanes at once, each with 1/p of the requests and of the cost. Everything is read
    off the quantities `decode.*`; prompts are computed at the same peak rate as answers.
    """
    floor, cache, compute = "decode.latency_floor", "decode.kv_s", "decode.compute_s"
    one = values(
        (floor, cache, compute, "moe.share_of_tokens"),
        scenario,
        given={"decode.micro_batch": 1.0, "serving.mean_context": 1.0},
    )
    every = values((floor,), scenario, given={"decode.micro_batch": 1e9})[floor]
    share = one["moe.share_of_tokens"]
    experts = (every - one[floor]) / (1 - share) if share < 1 else 0.0
    return Roofline(every - experts, experts, share, one[compute], one[cache])


def step_s(pace: Pace, sequences: int, prompt_tokens: int, cached: int) -> float:
    """Return the time of one step that reads `cached` tokens."""
    reading, computing = pace.parts(sequences, prompt_tokens)
    return max(reading + pace.context_s * cached, computing)


def series(pace: Pace, sequences: int, prompt_tokens: int, cached: int) -> tuple[float, float, float]:
    """Return the steps of an unchanging batch that begins with `cached` tokens, as `seconds_of` takes them.

    These are the reading of the first step, by how much each next step reads longer, and the floor: computing.
    """
    reading, computing = pace.parts(sequences, prompt_tokens)
    slope = pace.context_s * sequences
    return reading + pace.context_s * cached + slope, slope, computing


def seconds_of(steps: int, first: float, slope: float, floor: float) -> float:
    """Return the time of some steps, of which the i-th takes max(first + i * slope, floor), i from 0."""
    if floor <= first:
        return steps * (first + slope * (steps - 1) / 2)
    flat = min(steps, _on_the_floor(first, slope, floor))
    return flat * floor + (seconds_of(steps - flat, first + flat * slope, slope, 0) if flat < steps else 0)


def steps_in(seconds: float, first: float, slope: float, floor: float) -> int:
    """Return how many of these steps are done when `seconds` have passed, the last one to its end; at least one."""
    if floor <= first:
        b = first - slope / 2  # seconds = b * steps + slope / 2 * steps²
        return max(1, math.ceil(2 * seconds / (b + math.sqrt(b * b + 2 * slope * seconds)) - ROUNDING))
    flat = _on_the_floor(first, slope, floor)
    if seconds <= flat * floor:
        return max(1, math.ceil(seconds / floor - ROUNDING))
    return flat + steps_in(seconds - flat * floor, first + flat * slope, slope, 0)


def _on_the_floor(first: float, slope: float, floor: float) -> int:
    """Return how many steps compute for longer than they read."""
    return math.floor(min((floor - first) / slope, ENDLESS)) + 1 if slope else ENDLESS
