"""The serving engine: exact answers whoever the neighbours are, slots with one request at a time, and its clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, pairwise

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from gpt4lab.chapters.c13_batching.engine_check import MEASURES, engine_checks, simulated  # noqa: E402
from gpt4lab.scenario import ScenarioError  # noqa: E402
from gpt4lab.simulate.serving.pace import Linear, step_s  # noqa: E402
from gpt4lab.toys.core.corpus import encode  # noqa: E402
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model  # noqa: E402
from gpt4lab.toys.decoding.cache import one_thread  # noqa: E402
from gpt4lab.toys.decoding.cached import CachedDecoder  # noqa: E402
from gpt4lab.toys.drafting.train_target import load_shipped  # noqa: E402
from gpt4lab.toys.engine.batched import BatchedDecoder  # noqa: E402
from gpt4lab.toys.engine.engine import Engine, Request, in_turns  # noqa: E402
from gpt4lab.toys.engine.measured import (  # noqa: E402
    LONGEST,
    PassTime,
    Trial,
    capacity_per_s,
    fit,
    gain_rows,
    padded,
    pass_rows,
    profile,
    workload,
)
from gpt4lab.toys.engine.served import ANSWER, PADDING, PROMPT, SCHEDULERS, Answered, EngineRules, Pass, p95  # noqa: E402


def model(seed: int = 0) -> Transformer:
    """Random weights with opinions: the head is not zero."""
    built = build_model(ToyConfig(d_model=16, n_layers=2, n_heads=2, n_kv_heads=2, d_ff=32), seed)
    with torch.no_grad():
        built.head.weight.normal_(std=0.4, generator=torch.Generator().manual_seed(seed))
    return built.eval()


class Fake:
    """No model: passes take what a pace says, on a clock of their own, and every token is 7."""

    context = 10_000

    def __init__(self, slots: int, pace: Linear | None = None) -> None:
        self.slots, self.pace, self.now = slots, pace or Linear(fixed_s=1), 0.0
        self.length: dict[int, int] = {}

    def step(self, answers: Mapping[int, int], prompts: Mapping[int, Sequence[int]]) -> dict[int, int]:
        assert not set(answers) & set(prompts)
        assert all(0 <= slot < self.slots for slot in (*answers, *prompts))
        self.length.update({slot: len(prompts[slot]) for slot in prompts})
        for slot in answers:
            self.length[slot] += 1
        cached = sum(self.length[slot] for slot in answers)
        self.now += step_s(self.pace, len(answers), sum(map(len, prompts.values())), cached)
        return dict.fromkeys((*answers, *prompts), 7)


def serve(asked: Sequence[Request], rules: EngineRules, slots: int, pace: Linear | None = None) -> Answered:
    fake = Fake(slots, pace)
    return Engine(asked, fake, rules, clock=lambda: fake.now).run()


def story(served: Answered) -> list[tuple[str, float, float, int]]:
    return [(row["kind"], row["start_s"], row["end_s"], row["request"]) for row in served.timeline()]


@pytest.fixture(autouse=True)
def small_operations() -> Iterator[None]:
    with one_thread():
        yield


# --- the answers are those of decoding alone ------------------------------------------------------------------------


def alone(whole: Transformer, request: Request) -> list[int]:
    """Greedy decoding by the single-sequence decoder: other code, other shapes."""
    decoder, tokens = CachedDecoder(whole), encode(request.prompt).tolist()
    for _ in range(request.output):
        tokens.append(int(decoder.read(tokens)[-1].argmax()))
    return tokens[len(request.prompt) :]


def check_answers(whole: Transformer, asked: Sequence[Request], slots: int) -> None:
    """A pass takes a second, so that who meets whom does not depend on the machine."""
    expected, decoder = [alone(whole, request) for request in asked], BatchedDecoder(whole, slots)
    for scheduler in SCHEDULERS:
        served = Engine(asked, decoder, EngineRules(scheduler, 3), clock=count().__next__).run()
        assert served.answers == expected, scheduler


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_answer_does_not_depend_on_its_neighbours(seed: int) -> None:
    drawn = workload(12, 0.2, 1, seed, mean=10)
    asked = [Request(r.arrival_s, r.output, "abcdefghij"[i % 5 : 1 + i % 10]) for i, r in enumerate(drawn)]
    check_answers(model(seed), asked, 3)


def test_the_shipped_model_answers_as_if_alone() -> None:
    check_answers(load_shipped("draft"), workload(10, 0.2, seed=1), 4)


def test_a_pass_says_what_the_model_says() -> None:
    """Three prompts at once, then one leaves, and another takes its slot while the others go on."""
    whole, decoder = model(), BatchedDecoder(model(), 3, 32)
    texts = {0: [1, 2, 3], 1: [9], 2: [5, 4]}
    for slot, token in decoder.step({}, texts).items():
        assert token == best(whole, texts[slot])
        texts[slot].append(token)
    texts[1] = [8, 8, 8, 8]
    for slot, token in decoder.step({0: texts[0][-1], 2: texts[2][-1]}, {1: texts[1]}).items():
        assert token == best(whole, texts[slot])
    assert decoder.length == [4, 4, 3]


def best(whole: Transformer, tokens: list[int]) -> int:
    with torch.no_grad():
        return int(whole(torch.tensor([tokens]))[0, -1].argmax())


def test_the_cache_has_the_bytes_of_the_formula() -> None:
    cache = BatchedDecoder(model(), 4, 64).cache
    assert cache.bytes == cache.predicted_bytes == 4 * 64 * (2 * 2 * 2 * 8 * 4)


# --- who runs when, by hand -------------------------------------------------------------------------------------------

THREE = [Request(0, 2, "a"), Request(0, 4, "a"), Request(0, 2, "a")]


def test_continuous_batching_fills_a_slot_at_once() -> None:
    assert story(serve(THREE, EngineRules(), 2)) == [
        (PROMPT, 0, 1, 0),
        (ANSWER, 1, 2, 0),
        (PROMPT, 2, 3, 2),
        (ANSWER, 3, 4, 2),
        (PROMPT, 0, 1, 1),
        (ANSWER, 1, 4, 1),
    ]


def test_static_batching_waits_for_the_longest() -> None:
    served = serve(THREE, EngineRules("static"), 2)
    assert story(served) == [
        (PROMPT, 0, 1, 0),
        (ANSWER, 1, 2, 0),
        (PADDING, 2, 4, 0),
        (PROMPT, 4, 5, 2),
        (ANSWER, 5, 6, 2),
        (PROMPT, 0, 1, 1),
        (ANSWER, 1, 4, 1),
    ]
    assert [step.padding for step in served.steps] == [0, 0, 1, 1, 0, 0]
    assert served.wasted == 2 / 7


def test_the_figures_by_hand() -> None:
    served = serve([Request(1, 3, "abc"), Request(1.5, 1, "abc")], EngineRules(), 1)
    one, two = served.rows
    assert (one["queue_s"], one["to_first_s"], one["per_token_s"], one["latency_s"]) == (0, 1, 1, 3)
    assert (two["queue_s"], two["to_first_s"], two["latency_s"], two["finished_s"]) == (2.5, 3.5, 3.5, 5)
    assert math.isnan(two["per_token_s"])
    summary = served.summary()
    assert (summary["tokens_per_s"], summary["slots_used"], summary["busy_share"]) == (4 / 5, 2 / 5, 4 / 5)
    assert (summary["latency_s_mean"], summary["passes"], summary["wasted"]) == (3.25, 4, 0)


def test_dynamic_batching_waits_only_so_long() -> None:
    late = [Request(0, 2, "a"), Request(0.25, 2, "a"), Request(7, 2, "a")]
    served = serve(late, EngineRules("dynamic", 0.5), 3)
    assert [stay.answering_s for stay in served.in_order] == [1.5, 1.5, 8]
    assert serve(late, EngineRules("static"), 3).steps[0].start_s == 7


def test_p95_lies_between_two_values() -> None:
    assert p95([float(i) for i in range(101)]) == 95
    assert p95([3.0]) == 3


# --- what must always hold --------------------------------------------------------------------------------------------

eighths = st.integers(0, 80).map(lambda n: n / 8)
asked_of = st.lists(st.tuples(eighths, st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=12).map(
    lambda rows: [Request(arrival, output, "x" * prompt) for arrival, output, prompt in sorted(rows)]
)
part = st.sampled_from([0, 1 / 8, 1 / 128])  # exact in binary: the two clocks agree to the last digit
paces = st.builds(Linear, st.sampled_from([1, 0.25]), part, part, part)
rules_of = st.builds(EngineRules, st.sampled_from(SCHEDULERS), eighths)


@given(asked_of, rules_of, st.integers(1, 6), paces)
@settings(max_examples=60, deadline=None)
def test_slots_serve_one_request_at_a_time_and_every_token_is_delivered(
    asked: list[Request], rules: EngineRules, slots: int, pace: Linear
) -> None:
    served = serve(asked, rules, slots, pace)
    assert [stay.request for stay in served.in_order] == list(range(len(asked)))
    assert [len(answer) for answer in served.answers] == [request.output for request in asked]
    decoded = sum(step.sequences for step in served.steps) + len(asked)
    assert decoded == served.tokens + sum(step.padding for step in served.steps)
    if rules.scheduler == "continuous":
        assert served.wasted == 0
    for before, after in pairwise(served.timeline()):
        assert before["slot"] < after["slot"] or before["end_s"] <= after["start_s"]
    for before, after in pairwise(served.steps):
        assert before.start_s + before.seconds <= after.start_s
    assert all(row["queue_s"] >= 0 and row["slot"] <= slots for row in served.rows)


@given(asked_of, rules_of, st.integers(1, 6), paces)
@settings(max_examples=60, deadline=None)
def test_the_simulation_tells_the_same_story(
    asked: list[Request], rules: EngineRules, slots: int, pace: Linear
) -> None:
    """Where passes take exactly what the pace says, engine and simulation agree in every request."""
    served = serve(asked, rules, slots, pace)
    played = simulated(asked, served, [pace.fixed_s, pace.sequence_s, pace.prompt_s, pace.context_s])
    assert [row["finished_s"] for row in served.rows] == pytest.approx(played.finished_s.tolist())
    assert [row["to_first_s"] for row in served.rows] == pytest.approx(played.to_first_s.tolist())


def test_the_check_finds_no_difference_where_there_is_none() -> None:
    asked, pace = workload(40, 0.2), Linear(1, 1 / 8, 1 / 128)
    served = [serve(asked, EngineRules(scheduler), 4, pace) for scheduler in SCHEDULERS]
    checks = engine_checks(asked, served, [1, 1 / 8, 1 / 128, 0])
    assert [(check.name, check.what) for check in checks] == [(s, m) for s in SCHEDULERS for m in MEASURES]
    assert [check.ratio for check in checks] == pytest.approx([1] * len(checks))
    slower = engine_checks(asked, served, [2, 1 / 8, 1 / 128, 0])
    assert all(check.ratio > 1 for check in slower if check.what == "tokens_per_s")


# --- the claim --------------------------------------------------------------------------------------------------------


def gain(variation: float) -> float:
    """Passes of static over passes of continuous batching; all requests are there at once."""
    asked = workload(64, variation=variation)
    static, continuous = (len(serve(asked, EngineRules(scheduler), 8).steps) for scheduler in ("static", "continuous"))
    assert static / continuous <= padded(asked, 8) + 1e-9
    return static / continuous


def test_the_gain_comes_from_the_spread_of_the_answers() -> None:
    gains = [gain(variation) for variation in (0, 0.5, 1, 2)]
    assert gains[0] == 1
    assert gains == sorted(gains)
    assert gains[2] > 2


# --- requests and fit -------------------------------------------------------------------------------------------------


def test_the_same_seed_is_the_same_luck_at_another_rate() -> None:
    slow, fast = workload(50, 1), workload(50, 10)
    assert [r.arrival_s for r in slow] == pytest.approx([10 * r.arrival_s for r in fast])
    assert [(r.output, r.prompt) for r in slow] == [(r.output, r.prompt) for r in fast]
    assert {r.arrival_s for r in workload(5)} == {0}
    assert {r.output for r in workload(50, variation=0)} == {40}
    lengths = [r.output for r in workload(400, variation=2)]
    assert max(lengths) == LONGEST > 4 * sum(lengths) / len(lengths)


def test_the_fit_finds_the_coefficients() -> None:
    pace, carried = PassTime(1e-3, 2e-5, 1e-5, 3e-7), [(b, p, c) for b in (0, 1, 4) for p in (0, 30) for c in (10, 300)]
    steps = [Pass(0, pace.seconds(Pass(0, 0, *these, 0)), *these, 0) for these in carried]
    assert fit(steps) == pytest.approx(pace, rel=1e-6)
    cheaper = [step._replace(seconds=step.seconds - 1e-5 * step.prompt_tokens * 2) for step in steps]
    assert fit(cheaper).prompt_s == 0


@pytest.mark.parametrize("by", [0, 1e-15, 1e-13])
def test_passes_that_all_carry_the_same_give_one_answer_however_they_are_rounded(by: float) -> None:
    steps = [Pass(0, 0.25 * k * (1 + k * by), k, 3 * k, 5 * k, 0) for k in (1, 2, 3, 4)]
    found = fit(steps)
    assert found == pytest.approx(fit([Pass(0, 0.25 * k, k, 3 * k, 5 * k, 0) for k in (1, 2, 3, 4)]), abs=1e-9)
    assert [found.seconds(step) for step in steps] == pytest.approx([0.25, 0.5, 0.75, 1])


def test_full_slots_answer_what_the_capacity_says() -> None:
    pace, asked = PassTime(1, 0.125, 1 / 64, 1 / 256), workload(400, variation=1)
    served = serve(asked, EngineRules(), 8, Linear(*pace))
    assert len(asked) / served.total_s == pytest.approx(capacity_per_s(pace, 8, asked), rel=0.06)


def test_a_slow_engine_holds_nobody_up() -> None:
    """In turns, by tokens and not by time: each has its own clock. Of two that are level the first goes on."""
    fakes = [Fake(2), Fake(2, Linear(fixed_s=100))]
    engines = [Engine(THREE, fake, clock=lambda fake=fake: fake.now) for fake in fakes]
    order = [engines.index(engine) for engine, _ in in_turns(engines)]
    assert order == [0, 1, 0, 0, 1, 1]
    assert [engine.served.total_s for engine in engines] == [4, 400]


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: EngineRules("orca"), "enginerules.scheduler = 'orca' is not one of: continuous, dynamic, static"),
        (lambda: EngineRules("dynamic", -1), "enginerules.wait_s = -1 is out of range"),
        (lambda: Request(-1), "request.arrival_s = -1 is out of range; allowed: 0 to"),
        (lambda: Request(math.nan), "request.arrival_s = nan is not a number"),
        (lambda: Request(0, 0), "request.output = 0 is out of range; allowed: 1 to"),
        (lambda: Request(0, 2, ""), "request.prompt is empty"),
        (lambda: BatchedDecoder(model(), 0), "engine.slots = 0; allowed: whole numbers from 1"),
        (lambda: BatchedDecoder(model(), 2.5), "engine.slots = 2.5"),  # type: ignore[arg-type]
        (lambda: BatchedDecoder(model(), 2, 0), "engine.context = 0; allowed: whole numbers from 2"),
        (lambda: Engine([], Fake(2)), "engine.asked = 0 requests"),
        (lambda: Engine([Request(2), Request(1)], Fake(2)), "request 1: arrival_s = 1; allowed: 2 s or later"),
        (
            lambda: Engine([Request(0, 5, "x" * 60)], BatchedDecoder(model(), 2, 64)),
            "longest request.prompt + request.output = 65; allowed: 2 to 64 token",
        ),
        (lambda: workload(3, -1), "workload: per_s = -1"),
        (lambda: workload(3, variation=math.nan), "variation = nan"),
    ],
)
def test_what_cannot_be_is_refused(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(ScenarioError) as error:
        wrong()
    assert message in str(error.value)


def test_models_that_the_cached_decoder_refuses_are_refused() -> None:
    with pytest.raises(ValueError, match="dense models"):
        BatchedDecoder(build_model(ToyConfig(d_model=16, n_heads=2, n_kv_heads=1, d_ff=32)))


# --- live: real times -------------------------------------------------------------------------------------------------


@pytest.mark.live
def test_a_comparison_runs_to_its_end_and_the_simulation_predicts_it() -> None:
    run = Trial(load_shipped("draft"), requests=16, slots=4).start().wait()
    trial = run.result
    assert (run.state, len(run.history)) == ("done", run.steps)
    assert [one.rules.scheduler for one in trial.served] == list(SCHEDULERS)
    assert [[len(answer) for answer in one.answers] for one in trial.served] == [[r.output for r in trial.asked]] * 3
    assert all(one.answers == trial.served[0].answers for one in trial.served)
    checks = engine_checks(trial.asked, trial.served, trial.pace)
    ratios = {(check.name, check.what): check.ratio for check in checks}
    assert all(0.7 < ratios[scheduler, "tokens_per_s"] < 1.4 for scheduler in SCHEDULERS)


@pytest.mark.live
def test_a_stopped_comparison_keeps_what_it_reached() -> None:
    run = Trial(load_shipped("draft"), requests=200, slots=4).start()
    run.on_update(lambda run: run.stop(), every_s=0).wait()
    assert run.state == "stopped"
    assert 0 < sum(len(one.stays) for one in run.result.served) < run.steps


@pytest.mark.live
def test_more_answers_in_a_pass_cost_less_each() -> None:
    rows = pass_rows(profile(load_shipped("draft"), (1, 8)))
    assert [row["sequences"] for row in rows] == [1, 8]
    assert rows[0]["times"] == 1
    assert rows[1]["tokens_per_s"] > 2 * rows[0]["tokens_per_s"]


@pytest.mark.live
def test_gains_are_reported_by_spread() -> None:
    equal, spread = gain_rows(load_shipped("draft"), (0, 2), requests=12, slots=4)
    assert equal["padded"] == equal["passes"] == 1
    assert spread["passes"] > 1.2
    assert spread["gain"] > equal["gain"]
