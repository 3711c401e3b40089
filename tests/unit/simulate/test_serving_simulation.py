"""The serving simulation: cases done by hand, a token-by-token double, what must add up, and queueing formulas."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.quantities import value
from gpt4lab.scenario import ScenarioError, change, load_scenario
from gpt4lab.simulate.serving.batching import SCHEDULERS, Rules
from gpt4lab.simulate.serving.pace import (
    ROUNDING,
    Linear,
    Pace,
    Roofline,
    SampledPace,
    lane,
    seconds_of,
    step_s,
    steps_in,
)
from gpt4lab.simulate.serving.served import Served, serve
from gpt4lab.simulate.serving.stays import AGAIN, ANSWER, KINDS, PADDING, PROMPT
from gpt4lab.simulate.serving.workload import (
    Bursty,
    Fixed,
    Given,
    LogNormal,
    Poisson,
    Requests,
    Trace,
    Uniform,
    Workload,
)

#: A step takes a second, whatever it carries.
SECOND = Linear(fixed_s=1)


def story(served: Served) -> list[tuple[str, float, float, int]]:
    return [(row["kind"], row["start_s"], row["end_s"], row["request"]) for row in served.timeline()]


# By hand


def test_a_request_alone():
    """Arrives at 3; prompt and first token at 4; four more tokens, one a second."""
    served = serve(Requests([3], [10], [5]), SECOND)
    assert story(served) == [(PROMPT, 3, 4, 0), (ANSWER, 4, 8, 0)]
    assert (served.to_first_s, served.per_token_s) == (1, 1)
    assert (served.total_s, served.busy_s, served.idle_s) == (8, 5, 3)
    assert served.tokens_per_s == 5 / 8
    assert served.usd_per_1k(usd_per_hour=3600) == pytest.approx(1000 * 8 / 5)


def test_each_part_of_a_step_costs():
    """Prompt of 10: 1 + 10 x 0.1 = 2. Answers read 11, then 12 cached tokens: 1 + 0.5 + 0.01 x 11, and x 12."""
    pace = Linear(fixed_s=1, sequence_s=0.5, prompt_s=0.1, context_s=0.01)
    served = serve(Requests([0], [10], [3]), pace)
    assert served.log.first_s == [2]
    assert served.total_s == pytest.approx(2 + 1.61 + 1.62)


def test_continuous_batching_fills_a_slot_at_once():
    """Two slots, answers of 2, 4, 2 tokens. The third enters when the first leaves, at 2, and is done at 4."""
    served = serve(Requests([0, 0, 0], [1, 1, 1], [2, 4, 2]), SECOND, Rules(slots=2))
    assert story(served) == [
        (PROMPT, 0, 1, 0),
        (ANSWER, 1, 2, 0),
        (PROMPT, 2, 3, 2),
        (ANSWER, 3, 4, 2),
        (PROMPT, 0, 1, 1),
        (ANSWER, 1, 4, 1),
    ]


def test_static_batching_waits_for_the_longest():
    """The same: the third waits for the gang, until 4; then it is alone and the last, so it need not wait for more."""
    served = serve(Requests([0, 0, 0], [1, 1, 1], [2, 4, 2]), SECOND, Rules("static", slots=2))
    assert story(served) == [
        (PROMPT, 0, 1, 0),
        (ANSWER, 1, 2, 0),
        (PADDING, 2, 4, 0),
        (PROMPT, 4, 5, 2),
        (ANSWER, 5, 6, 2),
        (PROMPT, 0, 1, 1),
        (ANSWER, 1, 4, 1),
    ]


def test_static_batching_waits_for_a_full_batch():
    served = serve(Requests([0, 7], [1, 1], [2, 2]), SECOND, Rules("static", slots=2))
    assert served.log.first_s == [8, 8]


def test_dynamic_batching_waits_only_so_long():
    """The first until 0.5; the last, after whom nobody comes, not at all."""
    served = serve(Requests([0, 0.2, 7], [1, 1, 1], [2, 2, 2]), SECOND, Rules("dynamic", slots=3, wait_s=0.5))
    assert served.log.first_s == [1.5, 1.5, 8]


def test_a_dynamic_batch_starts_when_it_is_full():
    served = serve(Requests([0, 0.2, 7], [1, 1, 1], [2, 2, 2]), SECOND, Rules("dynamic", slots=2, wait_s=60))
    assert served.log.first_s == [1.2, 1.2, 8]


def test_a_gang_shares_the_cache_of_its_longest_answer():
    """Prompts of 4, answers of 3: 6 cached tokens each, so 13 hold two; the third runs alone."""
    served = serve(Requests([0] * 3, [4] * 3, [3] * 3), SECOND, Rules("static", slots=3, cache_tokens=13))
    assert served.log.first_s == [1, 1, 4]


def test_who_comes_between_two_steps_enters_at_the_next():
    """One answers since 1. The other comes at 2.5, enters at 3."""
    served = serve(Requests([0, 2.5], [1, 1], [9, 1]), SECOND)
    assert served.log.stays[0][:4] == (1, 3, 4, 4)


def test_who_comes_exactly_at_a_step_enters_with_it():
    tenth = Linear(fixed_s=0.1)
    served = serve(Requests([0, 0.7], [1, 1], [99, 1]), tenth)
    assert served.to_first_s[1] == pytest.approx(0.1)


def test_whole_prompts_make_others_wait():
    """A prompt of 100 comes at 2 and takes 1 + 100 x 0.1 = 11 s: the next token of the other is there at 13."""
    served = serve(Requests([0, 2], [1, 100], [4, 1]), Linear(fixed_s=1, prompt_s=0.1))
    assert served.log.first_s == pytest.approx([1.1, 2.1 + 11])
    assert served.log.finished_s[0] == pytest.approx(1.1 + 1 + 11 + 1)


def test_chunks_let_others_go_on():
    """In chunks of 40 it takes 3 steps (5 + 5 + 3 s), each with a token for the other."""
    served = serve(Requests([0, 2], [1, 100], [4, 1]), Linear(fixed_s=1, prompt_s=0.1), Rules(chunk_tokens=40))
    assert served.log.finished_s[0] == pytest.approx(1.1 + 1 + 5 + 5)
    assert served.log.first_s[1] == pytest.approx(2.1 + 5 + 5 + 3)


def test_a_chunk_takes_from_the_next_prompt():
    """Prompts of 6 and 6 in chunks of 4: steps of 4, 2 + 2, 4."""
    served = serve(Requests([0, 0], [6, 6], [1, 1]), SECOND, Rules(chunk_tokens=4))
    assert served.log.first_s == [2, 3]


def test_a_full_cache_throws_out_the_youngest():
    """Prompts of 2, answers of 4, room for 7.

    1: both have a first token (4 cached). 2: 6 cached, a second token each. The next step needs 8: the second is
    thrown out with 2 tokens and 3 cached. 3, 4: the first goes on and leaves, 5 cached. 5: prompt of 2 + 2 again, with
    it the third token. 6: the fourth.
    """
    served = serve(Requests([0, 0], [2, 2], [4, 4]), SECOND, Rules(cache_tokens=7))
    assert story(served) == [
        (PROMPT, 0, 1, 0),
        (ANSWER, 1, 4, 0),
        (AGAIN, 4, 5, 1),
        (ANSWER, 5, 6, 1),
        (PROMPT, 0, 1, 1),
        (ANSWER, 1, 2, 1),
    ]
    assert served.thrown_out == 1
    assert served.log.first_s == [1, 1]
    assert served.summary()["cached_tokens_most"] == 6


def test_a_latency_target_keeps_the_batch_small():
    """Steps of 1 + 0.1 a sequence: at most 3 answers keep to 1.3 s."""
    served = serve(Requests([0] * 9, [1] * 9, [5] * 9), Linear(1, 0.1), Rules(step_limit_s=1.3 + ROUNDING))
    assert served.steps["sequences"].max() == 3
    assert served.per_token_s.max() <= 1.3 + ROUNDING


def test_share_within_a_target():
    served = serve(Requests([0, 0, 0], [1, 1, 1], [2, 4, 1]), SECOND, Rules(slots=2))
    assert served.within(to_first_s=1) == pytest.approx(2 / 3)
    assert served.within(to_first_s=1, per_token_s=0.9) == 0
    assert served.within(per_token_s=0.9) == pytest.approx(1 / 3)  # an answer of one token has no next one


def test_the_timeline_can_be_cut():
    served = serve(Requests([0, 0, 0], [1, 1, 1], [2, 4, 2]), SECOND, Rules(slots=2))
    assert max(row["end_s"] for row in served.timeline(until_s=2.5)) == 2.5
    assert len(served.timeline(until_s=2)) == 4


# Against a double that goes token by token


class Double:
    """Continuous batching as one would first write it: step after step, and in each every request."""

    def __init__(self, asked: Requests, pace: Pace, rules: Rules) -> None:
        self.arrival, self.prompt, self.output = asked.arrival_s.tolist(), asked.prompt.tolist(), asked.output.tolist()
        self.pace, self.rules, self.now = pace, rules, 0.0
        self.waiting, self.reading, self.answering = list(range(len(asked))), [], []  # in order of entry
        self.done, self.got, self.cached, self.first, self.last = ([0.0] * len(asked) for _ in range(5))

    def run(self) -> tuple[list[float], list[float]]:
        while self.waiting or self.reading or self.answering:
            while self.waiting and self.may_enter(self.waiting[0]):
                self.reading.append(self.waiting.pop(0))
            if self.reading or self.answering:
                while self.held() + len(self.answering) > self.rules.cache_tokens:
                    self.throw_out((self.reading or self.answering).pop())
                self.go_one_step()
            else:
                self.now = self.arrival[self.waiting[0]]
        return self.first, self.last

    def held(self) -> float:
        return sum(self.prompt[i] for i in self.reading) + sum(self.cached[i] for i in self.answering)

    def may_enter(self, i: int) -> bool:
        size = len(self.reading) + len(self.answering)
        held = self.held() + self.prompt[i] + size
        fits = size < self.rules.slots and held <= self.rules.cache_tokens
        fast = step_s(self.pace, size + 1, 0, held + 1) <= self.rules.step_limit_s
        return self.arrival[i] <= self.now + ROUNDING and (not size or (fits and fast))

    def throw_out(self, i: int) -> None:
        self.prompt[i], self.output[i] = self.prompt[i] + self.got[i], self.output[i] - self.got[i]
        self.got[i] = self.cached[i] = self.done[i] = 0
        self.waiting.insert(0, i)

    def go_one_step(self) -> None:
        budget = self.rules.chunk_tokens
        for i in self.reading:
            part = min(self.prompt[i] - self.done[i], budget)
            self.done[i], budget = self.done[i] + part, budget - part
        for i in self.answering:
            self.cached[i] += 1
        cached = sum(self.cached[i] for i in self.answering)
        self.now += step_s(self.pace, len(self.answering), self.rules.chunk_tokens - budget, cached)
        self.give_tokens([i for i in self.reading if self.done[i] == self.prompt[i]])

    def give_tokens(self, ready: list[int]) -> None:
        self.reading, self.answering = [i for i in self.reading if i not in ready], self.answering + ready
        for i in self.answering:
            self.cached[i] = self.cached[i] or self.prompt[i]
            self.first[i] = self.first[i] or self.now
            self.last[i] = self.now
            self.got[i] += 1
        self.answering = [i for i in self.answering if self.got[i] < self.output[i]]


eighths = st.integers(0, 80).map(lambda n: n / 8)
requests = st.lists(st.tuples(eighths, st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=12).map(
    lambda rows: Requests(*zip(*sorted(rows), strict=True))
)
coefficient = st.sampled_from([0, 0.125, 0.01])
paces = st.one_of(
    st.builds(Linear, st.sampled_from([1, 0.25]), coefficient, coefficient, coefficient),
    st.builds(
        Roofline,
        st.sampled_from([1, 0.25]),
        coefficient,
        st.just(0.25),
        *[st.sampled_from([0, 0.3, 0.5])] * 2,
        coefficient,
    ),
    st.builds(SampledPace, st.sampled_from([(1.0, 1.25), (0.25, 0.5, 1.25)]), coefficient),
)
rules = st.builds(
    Rules,
    scheduler=st.sampled_from(SCHEDULERS),
    slots=st.integers(1, 6),
    cache_tokens=st.integers(60, 200),
    chunk_tokens=st.sampled_from([1, 3, 16, 10**6]),
    step_limit_s=st.sampled_from([0.7, 1.7, 1e6]),
    wait_s=eighths,
)


@given(requests, paces, rules)
@settings(max_examples=400, deadline=None)
def test_continuous_batching_equals_its_double(asked: Requests, pace: Pace, rules: Rules):
    rules = evolve(rules, scheduler="continuous")
    log = serve(asked, pace, rules).log
    first, last = Double(asked, pace, rules).run()
    assert log.first_s == pytest.approx(first, rel=1e-9)
    assert log.finished_s == pytest.approx(last, rel=1e-9)


steps_at = st.tuples(st.floats(0.01, 10), st.floats(0, 1))


@given(st.integers(0, 60), steps_at)
def test_many_steps_cost_what_each_costs(steps: int, series: tuple[float, float]):
    first, slope = series
    assert seconds_of(steps, *series) == pytest.approx(sum(first + i * slope for i in range(steps)))


@given(st.integers(1, 60), steps_at, st.floats(0.01, 0.99))
def test_how_many_steps_until_a_moment(steps: int, series: tuple[float, float], share: float):
    """A moment within a step belongs to that step."""
    before, after = seconds_of(steps - 1, *series), seconds_of(steps, *series)
    assert steps_in(before + share * (after - before), *series) == steps
    assert steps_in(after, *series) in {steps, steps + 1 if after < 1e-3 else steps}


# What must always hold


@given(requests, paces, rules)
@settings(max_examples=300, deadline=None)
def test_what_goes_in_comes_out(asked: Requests, pace: Pace, rules: Rules):
    served = serve(asked, pace, rules)
    stays, steps = served.log.stays, served.steps
    ends = [stay.request for stay in stays if stay.end_s == served.log.finished_s[stay.request]]
    assert sorted(ends) == list(range(len(asked)))  # everyone finishes once
    assert (served.to_first_s > 0).all()
    assert (served.finished_s >= np.array(served.log.first_s)).all()
    assert steps["cached_tokens"].max() <= rules.cache_tokens
    assert steps["sequences"].max() <= rules.slots
    assert max(row["slot"] for row in served.timeline()) <= rules.slots


@given(requests, paces, rules)
@settings(max_examples=300, deadline=None)
def test_time_goes_forward_and_adds_up(asked: Requests, pace: Pace, rules: Rules):
    served = serve(asked, pace, rules)
    starts, seconds = served.steps["start_s"], served.steps["seconds"]
    assert (seconds > 0).all()
    assert (starts[1:] >= (starts + seconds)[:-1] - 1e-9).all()  # one step at a time
    assert served.busy_s + served.idle_s == pytest.approx(served.total_s)
    assert served.idle_s >= asked.arrival_s[0] - 1e-9


@given(requests, paces, rules)
@settings(max_examples=300, deadline=None)
def test_tokens_out_are_tokens_asked_for(asked: Requests, pace: Pace, rules: Rules):
    """A token comes with the prompt of each stay; the others are counted by the steps, one a place and step."""
    served = serve(asked, pace, rules)
    came = np.zeros(len(asked))
    for stay in served.log.stays:
        came[stay.request] += stay.tokens
    assert (came == asked.output).all()
    by_steps = (served.steps["steps"] * served.steps["sequences"]).sum()
    after_the_first = sum(max(stay.tokens - 1, 0) for stay in served.log.stays)
    padding = by_steps - after_the_first
    assert padding == 0 if rules.scheduler == "continuous" else padding >= 0


@given(requests, paces, rules)
@settings(max_examples=200, deadline=None)
def test_a_slot_does_one_thing_at_a_time(asked: Requests, pace: Pace, rules: Rules):
    by_slot: dict[int, float] = {}
    for row in serve(asked, pace, rules).timeline():
        assert row["kind"] in KINDS
        assert by_slot.get(row["slot"], 0) - 1e-9 <= row["start_s"] < row["end_s"]
        by_slot[row["slot"]] = row["end_s"]


@given(requests, paces, rules)
@settings(max_examples=200, deadline=None)
def test_littles_law(asked: Requests, pace: Pace, rules: Rules):
    """Requests under way, counted step by step, are the rate times the time that each is under way."""
    served = serve(asked, pace, evolve(rules, scheduler="continuous"))
    by_steps = (served.steps["seconds"] * served.steps["sequences"]).sum() / served.total_s
    assert served.mean_batch == pytest.approx(by_steps)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_all_prompts_before_an_answer_mean_the_same_for_all(scheduler: str):
    """With everyone there at the start and room for all, the schedulers do the same."""
    asked = Requests([0] * 20, range(1, 21), range(1, 21))
    served = serve(asked, Linear(1, 0, 0.1), Rules(scheduler))
    assert served.finished_s.tolist() == pytest.approx([1 + 0.1 * 210 + i for i in range(20)])


# Against formulas of queueing


def waits(rate: float, answers: Uniform | Fixed) -> np.ndarray:
    """Mean waits (s) on a server with one slot that spends a second a token, in ten runs (runs,)."""
    workload = Workload(10_000, Poisson(rate), Fixed(1), answers)
    return np.array([(serve(workload.draw(seed), SECOND, Rules(slots=1)).to_first_s - 1).mean() for seed in range(10)])


@pytest.mark.parametrize("load", [0.2, 0.5, 0.8])
def test_one_slot_and_equal_answers_are_the_queue_m_d_1(load: float):
    """Mean wait = load / (2 (1 - load)) service times."""
    waited = waits(load / 10, Fixed(10)) / 10
    error = waited.std() / 3
    assert waited.mean() == pytest.approx(load / (2 * (1 - load)), abs=4 * error)
    assert error < 0.03 * waited.mean()


def test_one_slot_is_the_queue_m_g_1():
    """Pollaczek and Khinchine: mean wait = rate E[S²] / (2 (1 - rate E[S])), with S from 1 to 39 s."""
    waited, mean, square = waits(0.03, Uniform(1, 39)), 20, 39 * 40 * 79 / 6 / 39
    error = waited.std() / 3
    assert waited.mean() == pytest.approx(0.03 * square / (2 * (1 - 0.03 * mean)), abs=4 * error)
    assert error < 0.03 * waited.mean()


def test_slots_without_end_are_the_queue_m_g_infinity():
    """Nobody waits; the number under way is the rate times the mean answer."""
    asked = Workload(50_000, Poisson(5), Fixed(1), Uniform(1, 39)).draw(2)
    served = serve(asked, Linear(fixed_s=0.01), Rules(slots=1_000_000))
    assert served.to_first_s.max() <= 0.02 + ROUNDING
    assert served.mean_batch == pytest.approx(5 * 0.01 * 19, rel=0.02)


def test_at_full_load_the_throughput_is_the_batch_over_the_step():
    asked = Requests(np.zeros(4000), np.ones(4000), np.full(4000, 101))
    served = serve(asked, Linear(0.02, 0.001), Rules(slots=40))
    step = 0.02 + 40 * 0.001
    assert served.tokens_per_s == pytest.approx(40 * 101 / (100 * step + 0.02), rel=1e-9)


def test_continuous_batching_wins_where_answers_differ():
    asked = Workload(2000, Poisson(100), Fixed(10), LogNormal(200)).draw(3)
    rates = {name: serve(asked, Linear(0.02), Rules(name, slots=32)).tokens_per_s for name in SCHEDULERS}
    assert rates["continuous"] > 3 * rates["static"]
    assert rates["dynamic"] == pytest.approx(rates["static"], rel=0.05)


# Workloads


def test_the_distributions_have_their_means():
    asked = Workload(100_000, Bursty(4, 2), LogNormal(300, 0.8), Uniform(10, 30)).draw(5)
    gaps = np.diff(asked.arrival_s)
    assert gaps.mean() == pytest.approx(1 / 4, rel=0.03)
    assert gaps.std() / gaps.mean() == pytest.approx(2, rel=0.05)
    assert asked.prompt.mean() == pytest.approx(300, rel=0.02)
    assert asked.prompt.std() / asked.prompt.mean() == pytest.approx(0.8, rel=0.05)
    assert (asked.output.min(), asked.output.max()) == (10, 30)


def test_clockwork_and_traces():
    assert Workload(3, Bursty(2, 0)).draw().arrival_s.tolist() == [0.5, 1, 1.5]
    asked = Workload(3, Trace([0, 1, 5]), Given([7, 8]), Fixed(9)).draw()
    assert (asked.arrival_s.tolist(), asked.prompt.tolist()) == ([0, 1, 5], [7, 8, 7])


def test_the_same_seed_is_the_same_luck_at_another_rate():
    slow, fast = (Workload(100, Poisson(rate)).draw(4) for rate in (1, 10))
    assert slow.arrival_s == pytest.approx(10 * fast.arrival_s)
    assert (slow.output == fast.output).all()


def test_bunches_wait_longer():
    waited = []
    for variation in (0.5, 1, 3):
        asked = Workload(20_000, Bursty(0.05, variation), Fixed(1), Fixed(10)).draw(6)
        waited.append(serve(asked, SECOND, Rules(slots=1)).to_first_s.mean())
    assert waited == sorted(waited)


# The scenario's machines


@pytest.mark.parametrize("name", ["leak", "h100-rerun"])
@pytest.mark.parametrize("sequences", [1, 8, 256, 1024])
def test_a_lane_is_the_roofline_of_the_book(name: str, sequences: int):
    scenario = load_scenario(name)
    pace = lane(scenario)
    full = change(scenario, {"serving.tokens_in_flight": sequences * scenario.serving.pipeline})
    expected = value("decode.latency", full)
    assert step_s(pace, sequences, 0, int(sequences * scenario.serving.mean_context)) == pytest.approx(expected)


# Errors and manners


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Rules("orca"), "rules.scheduler = 'orca' is not one of: continuous, dynamic, static"),
        (lambda: Rules(slots=0), "rules.slots = 0 is out of range; allowed: 1 to 1,000,000 sequence"),
        (lambda: Rules(slots=2.5), "rules.slots = 2.5 is not a whole number"),
        (lambda: Linear(fixed_s=0), "linear.fixed_s = 0 is out of range; allowed: 1e-06 to 1,000 s"),
        (lambda: Linear(fixed_s=math.nan), "linear.fixed_s = nan is not a number"),
        (lambda: Poisson(-1), "poisson.per_s = -1 is out of range"),
        (lambda: Uniform(5, 2), "uniform.lo = 5 is more than uniform.hi; allowed: 1 to 2 token"),
        (lambda: Given([3, 2.5]), "given.tokens holds 2.5; allowed: whole numbers"),
        (lambda: Given([]), "given.tokens is empty"),
        (lambda: Trace([1, 0.5]), "trace.times_s goes on with 0.5; allowed: ascending from 0, in s"),
        (lambda: Requests([-1], [1], [1]), "requests.arrival_s goes on with -1"),
        (lambda: Requests([0, 1], [1, 1], [1]), "requests: 2 arrivals, 2 prompts, 1 outputs"),
        (lambda: Requests([0], [0], [1]), "requests.prompt holds 0"),
        (lambda: Workload(3, Trace([0, 1])).draw(), "workload.requests = 3; allowed with this trace: 1 to 2 request"),
        (
            lambda: serve(Requests([0, 0], [1, 10], [1, 10]), SECOND, Rules(cache_tokens=18)),
            "rules.cache_tokens = 18 is too small for request 1, which alone caches 19; allowed: 19 to",
        ),
    ],
)
def test_what_cannot_be_is_refused(wrong: Callable[[], object], message: str):
    with pytest.raises(ScenarioError) as error:
        wrong()
    assert message in str(error.value)


def test_the_longest_request_that_fits_is_served():
    assert serve(Requests([0], [10], [10]), SECOND, Rules(cache_tokens=19)).steps["cached_tokens"].max() == 19


def test_importing_the_package_loads_no_numpy():
    code = "import sys, gpt4lab.simulate; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
