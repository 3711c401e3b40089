"""How long a step takes: what it reads, what it computes, and the closed form for many steps of one batch.

A step carries one token of every sequence that is answering, and some tokens of prompts. It reads or computes with the
weights, those that all tokens share and those of the experts, and goes through the cache:

    step = weights(sequences, prompt tokens) + context_s * cached tokens

While the batch stays the same, only the cache grows, by one token a sequence: the steps are an arithmetic series, so a
thousand of them cost one formula.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Protocol

from attrs import evolve, frozen

from gpt4lab.formulas.answering_layer import share_touched
from gpt4lab.quantities import value, values
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.field import number
from gpt4lab.scenario.live import ROOF, Batching, Luck

ROUNDING = 1e-9  # seconds, or steps: closer than that is equal
ENDLESS = 1 << 62  # steps
MANY = 1e9  # tokens of a step
DEEP = 256  # sequences, and tokens of each, at which the price of a cached token is read off
SAMPLES = 20  # powers of two, up to more tokens than a step ever has


class Pace(Protocol):
    """Anything that knows how long a step takes."""

    @property
    def context_s(self) -> float:
        """Seconds for one cached token."""
        ...

    def weights_s(self, sequences: int, prompt_tokens: int) -> float:
        """Return the seconds of a step without its cache."""
        ...


@frozen
class Linear:
    """Four coefficients, as one would fit them to measured steps. Reading and computing are not told apart."""

    fixed_s: float = number(0.02, "s", 1e-6, 1e3, "Step", "what every step costs", "assumed", log=True)
    sequence_s: float = number(0, "s", 0, 10, "Per sequence", "added by each answer under way", "assumed: none")
    prompt_s: float = number(0, "s", 0, 10, "Per prompt token", "added by each token of a prompt", "assumed: none")
    context_s: float = number(0, "s", 0, 1, "Per cached token", "added by each token in the cache", "assumed: none")

    def weights_s(self, sequences: int, prompt_tokens: int) -> float:
        """Return what is fixed, and what sequences and prompts add."""
        return self.fixed_s + self.sequence_s * sequences + self.prompt_s * prompt_tokens


@frozen
class Roofline:
    """Weights that every step reads, experts that more tokens touch more of, and computing by the token in both."""

    shared_s: float = number(0.02, "s", 1e-9, 1e3, "Shared weights", "read by every step", "assumed", log=True)
    experts_s: float = number(0, "s", 0, 1e3, "All experts", "read when all are touched", "assumed: dense")
    share: float = number(1, "fraction", 0, 1, "Share", "of the experts that one token needs", "assumed: dense")
    token_s: float = number(0, "s", 0, 10, "Per token", "computing with the shared weights", "assumed: none")
    routed_s: float = number(0, "s", 0, 10, "Per token", "computing in its experts", "assumed: none")
    context_s: float = number(0, "s", 0, 1, "Per cached token", "going through one cached token", "assumed: none")

    def weights_s(self, sequences: int, prompt_tokens: int) -> float:
        """Return reading or computing, the longer of the two, with what all share and then with the experts."""
        tokens = sequences + prompt_tokens
        read = self.experts_s * share_touched(self.share, tokens)
        return max(self.shared_s, self.token_s * tokens) + max(read, self.routed_s * tokens)


@frozen
class SampledPace:
    """Seconds of a step without its cache for 1, 2, 4 ... tokens; between them it grows as a power of their number."""

    seconds: tuple[float, ...]
    context_s: float

    def weights_s(self, sequences: int, prompt_tokens: int) -> float:
        """Return the time for so many tokens, of whichever kind."""
        place = math.log2(max(1, sequences + prompt_tokens))
        at = min(int(place), len(self.seconds) - 2)
        low, high = self.seconds[at : at + 2]
        return low * (high / low) ** (place - at)


def lane(scenario: Scenario) -> Roofline | SampledPace:
    """Return the pace of one micro-batch that goes round the pipeline of a scenario's serving machines.

    A replica of p stages runs p such lanes at once, each with 1/p of the requests and of the cost. Everything is read
    off the quantities `decode.*`, or off `answer.latency` at measured rates; tokens of prompts are as those of answers.
    """
    if scenario.batching.pace == ROOF:
        return _roofline(scenario)
    return _measured(evolve(scenario, batching=Batching(), luck=Luck()))  # on neither it depends


@lru_cache(maxsize=64)
def _measured(scenario: Scenario) -> SampledPace:
    lanes = scenario.serving.pipeline

    def step(tokens: int, context: int) -> float:
        given = {"serving.tokens_in_flight": lanes * tokens, "serving.mean_context": context}
        return value("answer.latency", scenario, given)

    context_s = (step(DEEP, DEEP) - step(DEEP, 1)) / DEEP / (DEEP - 1)
    return SampledPace(tuple(step(1 << power, 1) - context_s * (1 << power) for power in range(SAMPLES)), context_s)


def _roofline(scenario: Scenario) -> Roofline:
    floor, shared, experts, attention = (
        f"decode.{name}" for name in ("latency_floor", "shared_s", "experts_s", "attention_s")
    )
    one = values(
        (floor, attention, "moe.share_of_tokens"), scenario, {"decode.micro_batch": 1.0, "serving.mean_context": 1.0}
    )
    full = values((floor, shared, experts), scenario, {"decode.micro_batch": MANY})  # reads all, and computes longer
    share = one["moe.share_of_tokens"]
    read = (full[floor] - one[floor]) / (1 - share) if share < 1 else 0.0
    return Roofline(full[floor] - read, read, share, full[shared] / MANY, full[experts] / MANY, one[attention])


def step_s(pace: Pace, sequences: int, prompt_tokens: int, cached: int) -> float:
    """Return the time of one step that goes through `cached` tokens."""
    return pace.weights_s(sequences, prompt_tokens) + pace.context_s * cached


def series(pace: Pace, sequences: int, prompt_tokens: int, cached: int) -> tuple[float, float]:
    """Return the steps of an unchanging batch that begins with `cached` tokens, as `seconds_of` takes them.

    These are the time of the first step, and by how much each next one is longer.
    """
    slope = pace.context_s * sequences
    return step_s(pace, sequences, prompt_tokens, cached) + slope, slope


def seconds_of(steps: int, first: float, slope: float) -> float:
    """Return the time of some steps, of which the i-th takes first + i * slope, i from 0."""
    return steps * (first + slope * (steps - 1) / 2)


def steps_in(seconds: float, first: float, slope: float) -> int:
    """Return how many of these steps are done when `seconds` have passed, the last one to its end; at least one."""
    b = first - slope / 2  # seconds = b * steps + slope / 2 * steps²
    return max(1, math.ceil(2 * seconds / (b + math.sqrt(b * b + 2 * slope * seconds)) - ROUNDING))
