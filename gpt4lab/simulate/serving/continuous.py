"""Continuous batching, event by event: a request enters at the first step with room for it, and leaves by itself.

Between events every step is like the one before but for the growing cache, so a stretch of steps is one formula. To
end a stretch too early is always right, only slower; so an event that has become void does no harm.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from gpt4lab.simulate.serving.batching import Columns, Log, Rules, Stay
from gpt4lab.simulate.serving.pace import ENDLESS, ROUNDING, Pace, seconds_of, series, step_s, steps_in

# The last step of an answer is kept as one integer, step << BITS | request: nothing is faster to keep in order.
BITS = 32
REQUEST = (1 << BITS) - 1


class Replica:
    """A batch whose places are filled again at once.

    Prompts are worked through in order of entry, `chunk_tokens` a step, beside the answers; the last token of a prompt
    gives the first of its answer. Where the cache has no room for the next step, who entered last is thrown out, and
    comes back before all others; the prompt and what was answered so far are computed again (Kwon 2023).
    """

    def __init__(self, asked: Columns, pace: Pace, rules: Rules) -> None:
        self.arrival, self.prompt, self.output = asked.arrival_s.tolist(), asked.prompt.tolist(), asked.output.tolist()
        self.pace, self.log = pace, Log(len(asked))
        self.slots, self.cache, self.chunk, self.limit_s = (
            rules.slots,
            rules.cache_tokens,
            rules.chunk_tokens,
            rules.step_limit_s,
        )
        self.now, self.step = 0.0, 0
        self.coming, self.returned = 0, []  # who arrives next; who was thrown out, the first to return last
        self.batch, self.answering = 0, 0  # requests in slots, and those of them past their prompt
        self.held, self.read = 0, 0  # tokens in the cache; those of them that each step reads
        self.prompts, self.backlog, self.begun = deque(), 0, 0  # prompts to do; tokens to do; tokens done of the first
        self.ends, self.end = [], [0] * len(asked)  # last steps, in order and by request
        self.entered, self.entered_s, self.answering_s = [], [0.0] * len(asked), [0.0] * len(asked)

    def run(self) -> Log:
        """Play everything."""
        while True:
            someone_waits = self.admit()
            if self.batch:
                self.make_room()
                self.go_on(someone_waits)
            elif self.coming < len(self.arrival):
                self.now = self.arrival[self.coming]
            else:
                return self.log

    def admit(self) -> bool:
        """Let in, in order, who fits; say whether someone is left who does not."""
        while self.returned or (self.coming < len(self.arrival) and self.arrival[self.coming] <= self.now + ROUNDING):
            i = self.returned[-1] if self.returned else self.coming
            if self.batch and not self.fits(self.prompt[i]):
                return True
            self.enter(i)
        return False

    def fits(self, prompt: int) -> bool:
        """Say whether one more request keeps to the slots, the cache and the latency target. Alone it may enter."""
        size, cached = self.batch + 1, self.held + prompt + self.batch
        if size > self.slots or cached > self.cache:
            return False
        return step_s(self.pace, size, 0, cached + 1) <= self.limit_s

    def enter(self, i: int) -> None:
        """Take a slot and room for the prompt."""
        if self.returned:
            self.returned.pop()
        else:
            self.coming += 1
        self.batch += 1
        self.held += self.prompt[i]
        self.backlog += self.prompt[i]
        self.prompts.append(i)
        self.entered.append(i)
        self.entered_s[i] = self.now

    def make_room(self) -> None:
        """Throw out the youngest until every answer has room for its next token."""
        while self.held + self.answering > self.cache:
            i = self.entered.pop()
            if self.log.finished_s[i] < 0:
                self.throw_out(i)

    def throw_out(self, i: int) -> None:
        """Give back slot and cache; what was answered so far joins the prompt."""
        if self.prompts and self.prompts[-1] == i:
            self.drop_prompt()
            self.depart(i, 0)
        else:
            left = (self.end[i] >> BITS) - self.step
            self.forget(i, left)
            self.depart(i, self.output[i] - left)
            self.prompt[i], self.output[i] = self.prompt[i] + self.output[i] - left, left
        self.end[i] = 0
        self.returned.append(i)

    def drop_prompt(self) -> None:
        """Forget the last of the prompts to do."""
        i = self.prompts.pop()
        self.held -= self.prompt[i]
        self.backlog = self.backlog - self.prompt[i] if self.prompts else 0
        self.begun = self.begun if self.prompts else 0
        self.answering_s[i] = self.now

    def forget(self, i: int, left: int) -> None:
        """Free the cache of an answer of which `left` tokens are missing. Its newest token is not cached yet."""
        cached = self.prompt[i] + self.output[i] - left - 1
        self.answering -= 1
        self.held -= cached
        self.read -= cached

    def go_on(self, someone_waits: bool) -> None:
        """Play steps until a prompt is done, an answer is done, the cache is full, or a slot is asked for."""
        prompt_tokens, steps = self.portion()
        if self.answering:
            until_end = (self.ends[0] >> BITS) - self.step
            steps = min(steps, until_end, (self.cache - self.held) // self.answering)
        these = series(self.pace, self.answering, prompt_tokens, self.read)
        seconds = seconds_of(steps, *these)
        if not someone_waits and self.batch < self.slots and self.coming < len(self.arrival):
            gap = self.arrival[self.coming] - self.now
            if gap < seconds:
                steps = min(steps, steps_in(gap, *these))
                seconds = seconds_of(steps, *these)
        self.settle(steps, seconds, prompt_tokens)

    def portion(self) -> tuple[int, int]:
        """Tokens of prompts in a step, and for how many steps that stays so while no prompt gets done."""
        if not self.backlog:
            return 0, ENDLESS
        if self.backlog <= self.chunk:
            return self.backlog, 1
        to_do = self.prompt[self.prompts[0]] - self.begun
        return self.chunk, min(-(-to_do // self.chunk), self.backlog // self.chunk)

    def settle(self, steps: int, seconds: float, prompt_tokens: int) -> None:
        """Book what these steps brought."""
        answered = steps * self.answering
        self.read += answered
        self.held += answered
        self.log.stretches += (self.now, seconds, steps, self.answering, prompt_tokens, self.held)
        self.now += seconds
        self.step += steps
        if prompt_tokens:
            self.work_off(steps * prompt_tokens)
        over, ends = (self.step + 1) << BITS, self.ends
        while ends and ends[0] < over:
            last = heappop(ends)
            if self.end[last & REQUEST] == last:  # else void: thrown out meanwhile
                self.leave(last & REQUEST)

    def work_off(self, tokens: int) -> None:
        """Spend tokens on the prompts to do; those that are done begin their answer."""
        self.backlog -= tokens
        self.begun += tokens
        while self.prompts and self.begun >= self.prompt[self.prompts[0]]:
            i = self.prompts.popleft()
            self.begun -= self.prompt[i]
            self.answer(i)

    def answer(self, i: int) -> None:
        """Begin the answer: its first token is there."""
        self.answering_s[i] = self.now
        if self.log.first_s[i] < 0:
            self.log.first_s[i] = self.now
        self.answering += 1
        self.read += self.prompt[i]
        self.end[i] = last = (self.step + self.output[i] - 1) << BITS | i
        heappush(self.ends, last)

    def leave(self, i: int) -> None:
        """Leave with the last token."""
        self.forget(i, 0)
        self.log.finished_s[i] = self.now
        self.depart(i, self.output[i])

    def depart(self, i: int, tokens: int) -> None:
        """Free the slot."""
        self.batch -= 1
        self.log.stays.append(Stay(i, self.entered_s[i], self.answering_s[i], self.now, self.now, tokens))
