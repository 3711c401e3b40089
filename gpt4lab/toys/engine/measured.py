"""The serving engine measured: what a pass costs, requests of any load, and the schedulers beside each other.

A pass of eight answers hardly takes longer than a pass of one: that is why batching pays at all. What continuous
batching adds depends on how much the answers differ: a static batch spends (slots x longest answer) where only the sum
of the answers was asked for. The gains in the papers (Orca, vLLM) are against other systems and at equal latency, with
memory and kernels of their own; only the direction can be compared.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple, Self

import torch
from attrs import define, field

from gpt4lab.rows import Row
from gpt4lab.scenario import ScenarioError
from gpt4lab.toys.core.background import BackgroundRun, StepRows
from gpt4lab.toys.core.transformer import Transformer
from gpt4lab.toys.drafting.measured import PROMPTS
from gpt4lab.toys.engine.batched import BatchedDecoder
from gpt4lab.toys.engine.engine import Engine, Request, in_turns
from gpt4lab.toys.engine.served import SCHEDULERS, Answered, EngineRules, Pass

LONGEST = 200  # tokens of an answer: a slot of 256 has room for it behind any of the prompts
PROFILE_TOKENS = 48  # of each answer while passes are timed


class PassTime(NamedTuple):
    """Seconds of a pass, fitted: fixed, for each answer under way, each token of a prompt, each token attended to."""

    fixed_s: float
    sequence_s: float
    prompt_s: float
    context_s: float

    def seconds(self, step: Pass) -> float:
        """What the fit says of a pass."""
        carried = (1, step.sequences, step.prompt_tokens, step.cached_tokens)
        return sum(each * many for each, many in zip(self, carried, strict=True))


def fit(steps: Sequence[Pass]) -> PassTime:
    """Least squares over measured passes; a coefficient that would be negative is 0.

    Passes that carried things always in the same proportion share their time out among them (the shortest solution).
    """
    carried = torch.tensor([(1, s.sequences, s.prompt_tokens, s.cached_tokens) for s in steps], dtype=torch.double)
    seconds = torch.tensor([s.seconds for s in steps], dtype=torch.double)
    used = list(PassTime._fields)
    while True:
        columns = carried[:, [PassTime._fields.index(name) for name in used]]
        solution = torch.linalg.lstsq(columns, seconds, rcond=1e-10, driver="gelsd").solution.tolist()
        found = dict(zip(used, solution, strict=True))
        lowest = min(used, key=found.__getitem__)
        if found[lowest] >= 0:
            return PassTime(*(found.get(name, 0.0) for name in PassTime._fields))
        used.remove(lowest)


def profile(model: Transformer, slots: Sequence[int] = (1, 2, 4, 8)) -> list[Pass]:
    """Measured passes with 1, 2, ... answers under way, in turns: equal requests that come at once, after a warm-up."""
    engines = [Engine(_equal(many), BatchedDecoder(model, many)) for many in slots]
    Engine(_equal(1), BatchedDecoder(model, 1)).run()
    for _ in in_turns(engines):
        pass
    return [step for engine in engines for step in engine.served.steps]


def pass_rows(steps: Sequence[Pass]) -> list[Row]:
    """By answers under way: median seconds of a pass, how many times that of the fewest, and tokens a second."""
    groups: dict[int, list[float]] = {}
    for step in steps:
        if step.sequences and not step.prompt_tokens:
            groups.setdefault(step.sequences, []).append(step.seconds)
    typical = {many: median(found) for many, found in sorted(groups.items())}
    least = next(iter(typical.values()), 1.0)
    return [
        {"sequences": many, "seconds": seconds, "times": seconds / least, "tokens_per_s": many / seconds}
        for many, seconds in typical.items()
    ]


# --- requests ---------------------------------------------------------------------------------------------------------


def workload(
    requests: int = 64, per_s: float = math.inf, variation: float = 1.0, seed: int = 0, mean: float = 40
) -> list[Request]:
    """Requests that know nothing of each other, `per_s` of them a second; inf: all at once.

    Answers are log-normal, many short and few very long: `mean` tokens, with a standard deviation of `variation` means
    (before the cut at `LONGEST`). The same seed is the same luck, at any rate and spread.
    """
    if not (per_s > 0 and mean >= 1 and variation >= 0):
        raise ScenarioError(
            f"workload: per_s = {per_s:,g}, mean = {mean:,g} token, variation = {variation:,g}; "
            "allowed: above 0, from 1, from 0."
        )
    rng, now, spread, asked = random.Random(seed), 0.0, math.log1p(variation**2), []
    for _ in range(requests):
        now += rng.expovariate(1) / per_s
        length = mean * math.exp(math.sqrt(spread) * rng.gauss(0, 1) - spread / 2)
        asked.append(Request(now, min(max(round(length), 1), LONGEST), rng.choice(PROMPTS)))
    return asked


def capacity_per_s(pace: PassTime, slots: int, asked: Sequence[Request]) -> float:
    """Requests a second that slots which are never empty can answer, at this pace."""
    prompt, output = (
        sum(lengths) / len(asked) for lengths in zip(*((len(r.prompt), r.output) for r in asked), strict=True)
    )
    attended = sum(r.output * (len(r.prompt) + r.output / 2) for r in asked) / len(asked) / output
    step = Pass(0, 0, slots, round(slots * prompt / output), round(slots * attended), 0)
    return slots / output / pace.seconds(step)


# --- comparing --------------------------------------------------------------------------------------------------------


@define
class Trial:
    """The same requests under several schedulers. `served` grows while the run goes on, and is valid when it stops.

    load: arrivals, in units of what full slots could just answer at the pace of a profile made before; inf: all at
    once. On a machine that gets busier meanwhile the load is higher than asked for.
    """

    model: Transformer
    load: float = 0.9
    variation: float = 1.0
    requests: int = 64
    slots: int = 8
    schedulers: Sequence[str] = SCHEDULERS
    seed: int = 0
    passes: list[Pass] = field(factory=list, init=False)  # of the profile
    asked: list[Request] = field(factory=list, init=False)
    served: list[Answered] = field(factory=list, init=False)

    @property
    def pace(self) -> PassTime:
        """Fitted to all passes of all schedulers."""
        return fit([step for served in self.served for step in served.steps])

    def start(self, name: str = "engine") -> BackgroundRun[Self]:
        """Answer in the background, the schedulers in turns."""
        return BackgroundRun(self.rows(), self, self.requests * len(self.schedulers), name).start()

    def rows(self) -> StepRows:
        """One row for each request that is through: `SlotStay.row`, and its scheduler."""
        self.passes = profile(self.model, sorted({1, 2, 4, 8, self.slots}))
        drawn = workload(self.requests, math.inf, self.variation, self.seed)
        rate = self.load * capacity_per_s(fit(self.passes), self.slots, drawn)
        self.asked = workload(self.requests, rate, self.variation, self.seed)
        engines = [
            Engine(self.asked, BatchedDecoder(self.model, self.slots), EngineRules(name)) for name in self.schedulers
        ]
        self.served = [engine.served for engine in engines]
        for engine, stay in in_turns(engines):
            yield {"scheduler": engine.rules.scheduler, **stay.row}


def gain_rows(
    model: Transformer,
    variations: Sequence[float] = (0, 0.5, 1, 2),
    load: float = math.inf,
    requests: int = 64,
    slots: int = 8,
    seed: int = 0,
) -> StepRows:
    """Continuous against static batching by the spread of the answers; a gain of 1 is none.

    gain: of the throughput. latency: mean, static over continuous. passes: static over continuous, which is the gain if
    every pass takes equally long and no one is waited for. padded: places that a static batch computes for each token
    asked for, slots x longest answer / all answers. wasted: share of the static batches' tokens that nobody asked for.
    """
    for variation in variations:
        trial = Trial(model, load, variation, requests, slots, ("continuous", "static"), seed)
        deque(trial.rows(), maxlen=0)
        ours, theirs = (served.summary() for served in trial.served)
        yield {
            "variation": variation,
            "gain": ours["tokens_per_s"] / theirs["tokens_per_s"],
            "latency": theirs["latency_s_mean"] / ours["latency_s_mean"],
            "passes": theirs["passes"] / ours["passes"],
            "padded": padded(trial.asked, slots),
            "wasted": theirs["wasted"],
        }


def padded(asked: Sequence[Request], slots: int) -> float:
    """Places that static batches compute for each token that is asked for, 1 if all answers are equally long."""
    outputs = [request.output for request in asked]
    gangs = [outputs[at : at + slots] for at in range(0, len(outputs), slots)]
    return sum(len(gang) * max(gang) for gang in gangs) / sum(outputs)


def _equal(requests: int) -> list[Request]:
    return [Request(0, PROFILE_TOKENS, PROMPTS[i % len(PROMPTS)]) for i in range(requests)]
