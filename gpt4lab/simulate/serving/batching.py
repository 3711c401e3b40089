"""Rules of a server, the log of what happened, and the simpler way to form batches: one gang after the other."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from attrs import frozen

from gpt4lab.scenario.field import ScenarioError, choice, number, whole
from gpt4lab.simulate.serving.pace import Pace, seconds_of, series, step_s

SCHEDULERS = ("continuous", "dynamic", "static")
NO_LIMIT = 10**12


class Columns(Protocol):
    """Requests in order of arrival: `workload.Requests`, or `plain.Plain`. Each column has a `tolist`."""

    @property
    def arrival_s(self) -> Any:
        """When they come, in seconds."""

    @property
    def prompt(self) -> Any:
        """Tokens of the prompts."""

    @property
    def output(self) -> Any:
        """Tokens of the answers."""

    def __len__(self) -> int: ...


@frozen
class Rules:
    """Who may enter the batch, and when."""

    scheduler: str = choice(
        "continuous",
        SCHEDULERS,
        "Scheduler",
        "continuous: enter at every step; dynamic: a full batch, or who is there after a wait; static: full batches",
        "C62; yu2022",
    )
    slots: int = whole(64, "sequence", 1, 1_000_000, "Slots", "sequences in a batch at most", "assumed", log=True)
    cache_tokens: int = whole(
        NO_LIMIT, "token", 1, NO_LIMIT, "Cache", "tokens whose keys and values fit", "assumed: no limit", log=True
    )
    chunk_tokens: int = whole(
        NO_LIMIT,
        "token",
        1,
        NO_LIMIT,
        "Chunk",
        "tokens of prompts in one step at most; continuous only",
        "assumed: whole prompts",
        log=True,
    )
    step_limit_s: float = number(
        1e6,
        "s",
        1e-6,
        1e6,
        "Latency target",
        "nobody enters who would make a step of answers longer",
        "C63; assumed: no target",
        log=True,
    )
    wait_s: float = number(
        0.05,
        "s",
        0,
        1e6,
        "Wait",
        "a batch that is not full starts when its first request has waited so long; dynamic only",
        "assumed",
    )


#: Equal steps in a row: when, how long, how many; what each carried (places that got a token, tokens of prompts); and
#: what is cached at the end.
STRETCH = ("start_s", "seconds", "steps", "sequences", "prompt_tokens", "cached_tokens")


class Stay(NamedTuple):
    """A stay of a request in a slot. Who is thrown out stays more than once."""

    request: int
    start_s: float
    answering_s: float  # the prompt was done, or the stay was over
    end_s: float  # the last token of this stay
    left_s: float  # the slot was free again
    tokens: int  # of the answer that came in this stay


class Log:
    """What happened: times of each request (s), stays in slots, stretches of equal steps.

    Stretches lie in one flat list, as many numbers each as `STRETCH` has names: objects would cost a third of the play.
    """

    def __init__(self, requests: int) -> None:
        self.first_s = [-1.0] * requests
        self.finished_s = [-1.0] * requests
        self.stays: list[Stay] = []
        self.stretches: list[float] = []


def check(asked: Columns, rules: Rules) -> None:
    """Raise ScenarioError for a request that alone is too long for the cache."""
    length = [p + o - 1 for p, o in zip(asked.prompt.tolist(), asked.output.tolist(), strict=True)]
    worst = max(range(len(length)), key=length.__getitem__)
    if length[worst] > rules.cache_tokens:
        raise ScenarioError(
            f"rules.cache_tokens = {rules.cache_tokens:,} is too small for request {worst}, "
            f"which alone caches {length[worst]:,}; allowed: {length[worst]:,} to {NO_LIMIT:,} tokens."
        )


class Gangs:
    """Static and dynamic batching: a batch is filled, and runs until its longest answer is done.

    It reserves the cache for that longest answer in every place. A place whose answer is done is computed on until
    all are, as in the systems that Orca was compared with; but the answer is sent with its own last token.
    """

    def __init__(self, asked: Columns, pace: Pace, rules: Rules) -> None:
        self.arrival, self.prompt, self.output = asked.arrival_s.tolist(), asked.prompt.tolist(), asked.output.tolist()
        self.pace, self.rules, self.log = pace, rules, Log(len(asked))
        self.wait_s = rules.wait_s if rules.scheduler == "dynamic" else float("inf")

    def run(self) -> Log:
        """Play everything."""
        done, free = 0, 0.0
        while done < len(self.arrival):
            full = done + self.room(done, max(free, self.arrival[done] + self.wait_s))
            start = max(free, min(self.arrival[full - 1], self.arrival[done] + self.wait_s))
            size = sum(self.arrival[i] <= start for i in range(done, full))
            free = self.play(range(done, done + size), start)
            done += size
        return self.log

    def room(self, waiting: int, until: float) -> int:
        """Return how many requests from the first that waits make a full batch; who comes later is tried last."""
        total, longest = 0, 0
        places = range(waiting, min(waiting + self.rules.slots, len(self.arrival)))
        for size, i in enumerate(places, 1):
            total, longest = total + self.prompt[i], max(longest, self.output[i])
            if size > 1 and not self.fits(size, total, longest):
                return size - 1
            if self.arrival[i] > until:
                return size
        return len(places)

    def fits(self, size: int, prompts: int, longest: int) -> bool:
        """Say whether a batch keeps to the cache and to the latency target."""
        fits = prompts + size * (longest - 1) <= self.rules.cache_tokens
        return fits and step_s(self.pace, size, 0, prompts + size) <= self.rules.step_limit_s

    def play(self, batch: range, start: float) -> float:
        """Play one batch; return when it is done."""
        size, prompts, log = len(batch), sum(self.prompt[i] for i in batch), self.log
        answering = start + step_s(self.pace, 0, prompts, 0)
        steps, these = max(self.output[i] for i in batch) - 1, series(self.pace, size, 0, prompts)
        left = answering + seconds_of(steps, *these)
        for i in batch:
            log.first_s[i], log.finished_s[i] = answering, answering + seconds_of(self.output[i] - 1, *these)
            log.stays.append(Stay(i, start, answering, log.finished_s[i], left, self.output[i]))
        log.stretches += (start, answering - start, 1, 0, prompts, prompts)
        if steps:
            log.stretches += (answering, left - answering, steps, size, 0, prompts + size * steps)
        return left
