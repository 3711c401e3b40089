"""A serving engine that really decodes: requests come, wait for a slot and leave, under three ways to form batches.

    decoder = BatchedDecoder(load_shipped("draft"), slots=8)
    served = Engine([Request(0, 12), Request(0.1, 80)], decoder, EngineRules("static")).run()
    served.rows, served.summary(), served.timeline()

Continuous batching (Orca, Yu 2022): a request enters at the first pass with a free slot, and its slot is free with its
last token. Static batching: a full batch enters together, and its slots are free when its longest answer is done; what
is decoded for the others until then is thrown away. Dynamic batching waits for a full batch only so long.
Each pass takes the time that is measured for it; arrivals and idle waits only move a clock, so nothing ever sleeps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from attrs import Attribute, field, frozen

from gpt4lab.scenario import ScenarioError
from gpt4lab.scenario.field import number, whole
from gpt4lab.toys.core.corpus import encode
from gpt4lab.toys.decoding.cache import one_thread
from gpt4lab.toys.engine.served import Answered, EngineRules, Pass, SlotStay

ROUNDING = 1e-9  # seconds: closer than that is at once


def _not_empty(record: object, attribute: Attribute[str], value: str) -> None:
    if not value:
        raise ScenarioError("request.prompt is empty; allowed: 1 byte or more.")


@frozen
class Request:
    """What is asked: when, for how many tokens, after which text."""

    arrival_s: float = number(0, "s", 0, 1e6, "Arrival", "when the request comes", "assumed: at once")
    output: int = whole(40, "token", 1, 1_000_000, "Answer", "tokens of the answer", "assumed: half a line", log=True)
    prompt: str = field(default="The following methods are ", validator=_not_empty)


class Decoder(Protocol):
    """What the engine asks of a model; `BatchedDecoder` is one."""

    slots: int
    context: int

    def step(self, answers: Mapping[int, int], prompts: Mapping[int, Sequence[int]]) -> dict[int, int]:
        """The next token of every slot, after its last token or after its whole prompt."""
        ...


class Engine:
    """Requests in order of arrival, a decoder, and rules. `clock` is read before and after each pass.

    By default it is the CPU time of this thread: waiting for a turn on the processor does not count, though passes
    still take longer on a busy machine. Raises ScenarioError for requests out of order, or where the longest prompt and
    the longest answer together overflow a slot: a static batch keeps every slot for its longest answer, and all
    schedulers are to take the same requests.
    """

    def __init__(
        self,
        asked: Sequence[Request],
        decoder: Decoder,
        rules: EngineRules | None = None,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        check(asked, decoder.context)
        self.asked, self.decoder, self.rules, self.clock = asked, decoder, rules or EngineRules(), clock
        self.gangs = self.rules.scheduler != "continuous"
        self.wait_s = self.rules.wait_s if self.rules.scheduler == "dynamic" else math.inf
        self.now, self.coming, self.given = 0.0, 0, 0  # seconds, requests, tokens
        self.wanted = sum(request.output for request in asked)
        self.stays: dict[int, SlotStay] = {}  # by slot
        self.served = Answered(self.rules, decoder.slots)

    def run(self) -> Answered:
        """Answer everything."""
        for _ in in_turns([self]):
            pass
        return self.served

    @property
    def share(self) -> float:
        """Share of all the tokens asked for that are there."""
        return self.given / self.wanted

    def one_pass(self) -> list[SlotStay]:
        """Let in, decode, let out; returns the stays that are over."""
        self.admit()
        self.step()
        over = self.over()
        for stay in over:
            stay.left_s = self.now
            self.served.stays.append(self.stays.pop(stay.slot))
        return over

    def admit(self) -> None:
        """Let in, in order, who has come and finds a slot; an empty engine waits for its next start."""
        if not self.stays:
            self.now = max(self.now, self.opens_s())
        room = 0 if self.gangs and self.stays else self.decoder.slots - len(self.stays)
        for i in range(self.coming, min(self.coming + room, len(self.asked))):
            if self.asked[i].arrival_s > self.now + ROUNDING:
                break
            self.enter(i)

    def opens_s(self) -> float:
        """When an empty engine starts: with a full batch (of one, if continuous), or when its first waited enough."""
        batch = self.asked[self.coming :][: self.decoder.slots if self.gangs else 1]
        return min(batch[-1].arrival_s, batch[0].arrival_s + self.wait_s)

    def enter(self, i: int) -> None:
        """Take the lowest free slot."""
        slot = next(slot for slot in range(self.decoder.slots) if slot not in self.stays)
        asked = self.asked[i]
        self.stays[slot] = SlotStay(i, slot, asked.arrival_s, self.now, encode(asked.prompt).tolist(), asked.output)
        self.coming += 1

    def step(self) -> None:
        """One pass: a token for every answer under way or padded, and the whole prompts of who just entered."""
        old = [stay for stay in self.stays.values() if stay.tokens]
        answers = {stay.slot: (stay.padding or stay.tokens)[-1] for stay in old}
        prompts = {stay.slot: stay.prompt for stay in self.stays.values() if not stay.tokens}
        attended, padding = sum(stay.attended for stay in old), sum(stay.done for stay in old)
        begin = self.clock()
        tokens = self.decoder.step(answers, prompts)
        seconds = self.clock() - begin
        step = Pass(self.now, seconds, len(old), sum(map(len, prompts.values())), attended, padding)
        self.served.steps.append(step)
        self.now += seconds
        self.given += len(tokens) - padding
        for slot, token in tokens.items():
            self.stays[slot].take(token, self.now)

    def over(self) -> list[SlotStay]:
        """Whose slot gets free; a gang leaves together."""
        done = [stay for stay in self.stays.values() if stay.done]
        return [] if self.gangs and len(done) < len(self.stays) else done


def in_turns(engines: Sequence[Engine]) -> Iterator[tuple[Engine, SlotStay]]:
    """Run engines side by side, a pass of whichever is furthest behind: a machine that slows down slows all of them.

    Yields each engine's requests as their slots get free. On one thread of torch, since only this one is timed.
    """
    with one_thread():
        while behind := [engine for engine in engines if engine.stays or engine.share < 1]:
            engine = min(behind, key=lambda engine: engine.share)
            for stay in engine.one_pass():
                yield engine, stay


def check(asked: Sequence[Request], context: int) -> None:
    """Raise ScenarioError for what the engine cannot serve."""
    if not asked:
        raise ScenarioError("engine.asked = 0 requests; allowed: 1 request or more.")
    for i, (a, b) in enumerate(pairwise(asked), 1):
        if b.arrival_s < a.arrival_s:
            raise ScenarioError(f"request {i}: arrival_s = {b.arrival_s:,g}; allowed: {a.arrival_s:,g} s or later.")
    most = max(len(request.prompt) for request in asked) + max(request.output for request in asked)
    if most > context:
        raise ScenarioError(f"longest request.prompt + request.output = {most:,}; allowed: 2 to {context:,} tokens.")
