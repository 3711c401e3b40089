"""What happened in the serving engine: stays of requests in slots, and passes. Seconds of the engine's own clock.

Times and measures are named as in `gpt4lab.simulate.serving.served`, so that the two can be laid side by side.
"""

from __future__ import annotations

import math
from statistics import mean, quantiles
from typing import NamedTuple

from attrs import define, field, frozen

from gpt4lab.rows import Row
from gpt4lab.scenario.field import choice, number

SCHEDULERS = ("continuous", "dynamic", "static")
PROMPT, ANSWER, PADDING = KINDS = ("prompt", "answer", "padding")


@frozen
class EngineRules:
    """Who may enter the batch, and when: as in `gpt4lab.simulate.serving.batching`."""

    scheduler: str = choice("continuous", SCHEDULERS, "Scheduler", "who enters the batch, and when", "C62; yu2022")
    wait_s: float = number(0.05, "s", 0, 1e6, "Wait", "of the first for a full batch; dynamic only", "assumed")


class Pass(NamedTuple):
    """One pass."""

    start_s: float
    seconds: float  # measured
    sequences: int  # places that read their last token and got the next; prompts are not among them
    prompt_tokens: int
    cached_tokens: int  # that those places attended to, their new ones included
    padding: int  # of those places, how many had their answer already


@define
class SlotStay:
    """A request in its slot; inf for what did not happen yet."""

    request: int
    slot: int
    arrival_s: float
    start_s: float
    prompt: list[int]
    output: int
    answering_s: float = math.inf  # the first token was there
    end_s: float = math.inf  # the last token was there
    left_s: float = math.inf  # the slot was free again
    tokens: list[int] = field(factory=list)
    padding: list[int] = field(factory=list)  # decoded after the end, and thrown away

    @property
    def done(self) -> bool:
        """Whether the answer is complete."""
        return len(self.tokens) == self.output

    @property
    def attended(self) -> int:
        """Tokens that the next one attends to, itself included."""
        return len(self.prompt) + len(self.tokens) + len(self.padding)

    def take(self, token: int, now: float) -> None:
        """Keep the next token; behind the end of the answer it is padding."""
        (self.padding if self.done else self.tokens).append(token)
        self.answering_s = min(self.answering_s, now)
        if self.done:
            self.end_s = min(self.end_s, now)

    @property
    def row(self) -> Row:
        """For a table: the wait for a slot, time to the first token, time for each later one, all of it; seconds."""
        later = len(self.tokens) - 1
        return {
            "request": self.request,
            "slot": self.slot + 1,
            "tokens": len(self.tokens),
            "padding": len(self.padding),
            "queue_s": self.start_s - self.arrival_s,
            "to_first_s": self.answering_s - self.arrival_s,
            "per_token_s": (self.end_s - self.answering_s) / later if later else math.nan,
            "latency_s": self.end_s - self.arrival_s,
            "finished_s": self.end_s,
        }


@define
class Answered:
    """Stays that are over, in order of leaving, and all passes. Valid at any time, also half-way."""

    rules: EngineRules
    slots: int
    stays: list[SlotStay] = field(factory=list)
    steps: list[Pass] = field(factory=list)

    @property
    def in_order(self) -> list[SlotStay]:
        """The stays in order of arrival."""
        return sorted(self.stays, key=lambda stay: stay.request)

    @property
    def answers(self) -> list[list[int]]:
        """The tokens of each answer, in order of arrival."""
        return [stay.tokens for stay in self.in_order]

    @property
    def rows(self) -> list[Row]:
        """One row a request, in order of arrival: see `SlotStay.row`."""
        return [stay.row for stay in self.in_order]

    @property
    def total_s(self) -> float:
        """From time 0 until the last token."""
        return self.steps[-1].start_s + self.steps[-1].seconds

    @property
    def tokens(self) -> int:
        """Tokens of all answers."""
        return sum(len(stay.tokens) for stay in self.stays)

    @property
    def wasted(self) -> float:
        """Share of the tokens after the first that nobody asked for."""
        return sum(step.padding for step in self.steps) / max(1, sum(step.sequences for step in self.steps))

    def summary(self) -> Row:
        """The figures that one compares. slots_used: slots with an answer under way, on average over all time."""
        latencies = [row["latency_s"] for row in self.rows]
        answering_s = sum(stay.end_s - stay.answering_s for stay in self.stays)
        return {
            "scheduler": self.rules.scheduler,
            "requests": len(self.stays),
            "tokens_per_s": self.tokens / self.total_s,
            "latency_s_mean": mean(latencies),
            "latency_s_p95": p95(latencies),
            "to_first_s_mean": mean(row["to_first_s"] for row in self.rows),
            "slots_used": answering_s / self.total_s / self.slots,
            "wasted": self.wasted,
            "busy_share": sum(step.seconds for step in self.steps) / self.total_s,
            "passes": len(self.steps),
        }

    def timeline(self) -> list[Row]:
        """What each slot did, for the chart `timeline`: slot (from 1), start_s, end_s, kind (see `KINDS`), request."""
        rows = [row for stay in self.stays for row in _parts(stay)]
        return sorted(rows, key=lambda row: (row["slot"], row["start_s"]))


def p95(values: list[float]) -> float:
    """Met by 95 of 100; between two values in a straight line."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def _parts(stay: SlotStay) -> list[Row]:
    moments = (stay.start_s, stay.answering_s, stay.end_s, stay.left_s)
    return [
        {"slot": stay.slot + 1, "start_s": start, "end_s": end, "kind": kind, "request": stay.request}
        for kind, start, end in zip(KINDS, moments, moments[1:], strict=False)
        if end > start
    ]
