"""The pipeline simulation: small ones by hand, the closed forms, schedules at random, and schedules that cannot be."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from gpt4lab.formulas import pipeline as formula
from gpt4lab.formulas.pipeline import SCHEDULES
from gpt4lab.simulate.pipeline.play import KINDS, Durations, play
from gpt4lab.simulate.pipeline.schedules import Schedule, ScheduleError, Step, build, parse

stages = st.integers(1, 8)
times = st.sampled_from([0.5, 1, 2])
durations = st.builds(Durations, times, times, times, st.sampled_from([0, 0.25]))


def when(text: str, durations: Durations | None = None) -> list[list[tuple[float, float]]]:
    return [[(ran.start, ran.end) for ran in stage] for stage in play(parse(text), durations).stages]


# By hand


def test_two_stages_two_micro_batches():
    """F takes 1, B with the weights 2. The first stage waits from 2 to 4 and from 6 to 7."""
    played = play(parse("F0 F1 B0 B1\nF0 B0 F1 B1"))
    assert [(ran.start, ran.end) for ran in played.stages[0]] == [(0, 1), (1, 2), (4, 6), (7, 9)]
    assert [(ran.start, ran.end) for ran in played.stages[1]] == [(1, 2), (2, 4), (4, 5), (5, 7)]
    assert (played.time, played.idle, played.bubble) == (9, [3, 3], pytest.approx(1 / 3))
    assert played.peak() == [2, 1]


def test_gradients_of_weights_fill_the_wait():
    """B takes 1 and W 1: the first stage gets B0 a step earlier, and has W0 to do until B1 comes."""
    assert when("F0 F1 B0 W0 B1 W1\nF0 B0 F1 B1 W0 W1") == [
        [(0, 1), (1, 2), (3, 4), (4, 5), (5, 6), (6, 7)],
        [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)],
    ]


def test_sending_takes_time_between_stages_only():
    assert when("F0 B0\nF0 B0", Durations(send=0.5)) == [[(0, 1), (5, 7)], [(1.5, 2.5), (2.5, 4.5)]]


def test_a_micro_batch_goes_round_once_a_chunk():
    """Each chunk is half a stage: F 0.5, B 1."""
    assert when("F0 F0.1 B0.1 B0\nF0 F0.1 B0.1 B0") == [
        [(0, 0.5), (1, 1.5), (3, 4), (5, 6)],
        [(0.5, 1), (1.5, 2), (2, 3), (4, 5)],
    ]


def test_stages_may_work_in_different_orders_and_pay_in_time():
    """The second stage waits for F1: all that follows comes a step later."""
    assert play(parse("F0 F1 B0 B1\nF0 F1 B0 B1")).time == 9
    assert play(parse("F0 F1 B0 B1\nF1 F0 B0 B1")).time == 10


def test_activations_stay_until_the_weights_are_done():
    played = play(parse("F0 F1 B0 B1 W0 W1"))
    assert played.peak() == [2]
    delayed = play(parse("F0 B0 F1 B1 F2 B2 W0 W1 W2"))
    assert delayed.peak() == [3]
    assert delayed.peak(kept=0) == [1]
    assert delayed.peak(kept=0.5) == [2]


def test_rows_for_the_chart():
    rows = play(parse("F0 B0 W0")).rows()
    assert [row["kind"] for row in rows] == list(KINDS.values())
    assert rows[1] == {"stage": 0, "start": 1, "end": 2, "kind": "backward", "micro_batch": 0, "chunk": 0}


def test_the_built_in_schedules_in_words():
    assert str(build("gpipe", 2, 2)) == "F0 F1 B1 B0\nF0 F1 B1 B0"
    assert str(build("1f1b", 2, 3)) == "F0 F1 B0 F2 B1 B2\nF0 B0 F1 B1 F2 B2"
    assert str(build("zero-bubble", 2, 3)) == "F0 F1 B0 W0 F2 B1 W1 B2 W2\nF0 B0 F1 B1 W0 F2 B2 W1 W2"
    assert str(build("interleaved", 2, 2, 2)) == "F0 F1 F0.1 F1.1 B0.1 B1.1 B0 B1\nF0 F1 F0.1 B0.1 F1.1 B1.1 B0 B1"


# Against the closed forms


@pytest.mark.parametrize("name", ["gpipe", "1f1b"])
@given(stages, st.integers(1, 20), times, times)
@settings(max_examples=60, deadline=None)
def test_bubble_of_gpipe_and_1f1b(name: str, p: int, m: int, forward: float, backward: float):
    """Narayanan (2021): exact for any number of micro-batches."""
    played = play(build(name, p, m), Durations(forward, backward))
    assert played.bubble == pytest.approx(formula.bubble_fraction(p, m, 1))
    assert played.peak()[0] == formula.in_flight(p, m, 1, SCHEDULES.index(name))


@given(stages, st.integers(1, 4), st.integers(2, 4), times, times)
@settings(max_examples=60, deadline=None)
def test_bubble_of_interleaving(p: int, rounds: int, v: int, forward: float, backward: float):
    m = rounds * p
    played = play(build("interleaved", p, m, v), Durations(forward, backward))
    assert played.bubble == pytest.approx(formula.bubble_fraction(p, m, v))
    assert played.peak()[0] == pytest.approx(formula.in_flight(p, m, v, formula.INTERLEAVED))


@given(stages, st.integers(0, 12), st.sampled_from([0, 0.5, 1]))
@settings(max_examples=60, deadline=None)
def test_bubble_of_zero_bubble(p: int, more: int, r: float):
    """Qi (2023): (F + B - W) a stage, with F = W = 1 and B = 1 + r; exact from as many micro-batches as stages on."""
    m = p + more
    of_1f1b = play(build("1f1b", p, m), Durations(1, 1 + r, 1))
    played = play(build("zero-bubble", p, m), Durations(1, 1 + r, 1))
    assert played.idle == pytest.approx([formula.zero_bubble_share(r) * idle for idle in of_1f1b.idle])
    assert max(played.peak()) == max(of_1f1b.peak())


def test_interleaving_in_one_chunk_is_1f1b():
    assert build("interleaved", 4, 8, 1) == build("1f1b", 4, 8)


def test_the_post_waits_more_than_a_quarter_of_the_time():
    assert play(build("1f1b", 15, 35)).bubble == pytest.approx(14 / 49)


# What must always hold


def a_schedule(seed: int, p: int, m: int, v: int, kinds: str) -> Schedule:
    """A legal schedule at random: again and again any step that could run."""
    luck, done, orders = random.Random(seed), set(), [[] for _ in range(p)]
    todo = {(s, Step(kind, i, c)) for s in range(p) for kind in kinds for i in range(m) for c in range(v)}
    while todo:
        ready = [each for each in sorted(todo) if not todo & needed(*each, p, v)]
        stage, step = luck.choice(ready)
        todo.remove((stage, step))
        done.add((stage, step))
        orders[stage].append(step)
    return Schedule(orders)


def needed(stage: int, step: Step, p: int, v: int) -> set[tuple[int, Step]]:
    """What a step needs, from the definition: pieces of the model in a row, there and back."""
    kind, i, chunk = step
    row = [(s, c) for c in range(v) for s in range(p)]
    place = row.index((stage, chunk))
    forward = {(s, Step("F", i, c)) for s, c in row[max(place - 1, 0) : place]}
    backward = {(s, Step("B", i, c)) for s, c in row[place + 1 : place + 2]} | {(stage, Step("F", i, chunk))}
    return {"F": forward, "B": backward, "W": {(stage, Step("B", i, chunk))}}[kind]


few, kinds = st.integers(1, 4), st.sampled_from(["FB", "FBW"])
legal = st.builds(a_schedule, st.integers(0, 999), few, few, st.integers(1, 2), kinds)


@given(legal, durations)
@settings(max_examples=80, deadline=None)
def test_every_legal_schedule_runs_as_early_as_it_can(schedule: Schedule, durations: Durations):
    played = play(schedule, durations)
    ends = {(s, ran.step): ran.end for s, stage in enumerate(played.stages) for ran in stage}
    for s, stage in enumerate(played.stages):
        assert [ran.step for ran in stage] == list(schedule.stages[s])
        free = 0.0
        for ran in stage:
            needs = needed(s, ran.step, len(played.stages), schedule.chunks)
            arrived = [ends[each] + durations.send * (each[0] != s) for each in needs]
            assert ran.start == pytest.approx(max([free, *arrived]))
            assert ran.end - ran.start == pytest.approx(durations.of(schedule)[ran.step.kind])
            free = ran.end


@given(legal, durations)
@settings(max_examples=60, deadline=None)
def test_work_and_waiting_are_all_the_time(schedule: Schedule, durations: Durations):
    played = play(schedule, durations)
    work = schedule.micro_batches * (durations.forward + durations.backward + durations.weight)
    assert played.idle == pytest.approx([played.time - work] * len(played.stages))
    assert 0 <= played.bubble < 1
    assert all(1 / schedule.chunks <= peak <= schedule.micro_batches for peak in played.peak())


@given(legal)
@settings(max_examples=60, deadline=None)
def test_a_schedule_is_its_text(schedule: Schedule):
    assert parse(str(schedule)) == schedule


@given(legal, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_a_spoilt_schedule_runs_or_is_refused_with_a_reason(schedule: Schedule, luck: random.Random):
    orders = [list(steps) for steps in schedule.stages]
    luck.shuffle(luck.choice(orders))
    if luck.random() < 0.2:
        luck.choice(orders).pop()
    try:
        assert play(Schedule(orders)).time > 0
    except ScheduleError as error:
        note(str(error))
        assert re.search(r"stage \d.* [FBW]\d", str(error)) or not any(orders)  # noqa: PT017


# Schedules that cannot be


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("F0 F1 B0 B1\nF0 B0 F1", "stage 1 never runs B1"),
        ("F0 B0 W0\nF0 B0", "stage 1 never runs W0"),
        ("F0 B0\n\nF0 B0", "stage 1 never runs F0"),
        ("F0 F1 B1", "stage 0 never runs B0"),
        ("F0 B0 B0", "stage 0 runs B0 twice"),
        ("F0 B0\nB0 F0", "stage 1 runs B0 before F0"),
        ("F0 W0 B0", "stage 0 runs W0 before B0"),
        ("F0 X0", "stage 0: 'X0' is no step"),
        ("F0 B", "stage 0: 'B' is no step"),
        ("", "a schedule needs a stage"),
        (
            "F0 B0 F1 B1\nF0 F1 B0 B1",
            "stage 0 cannot run B0: it needs B0 of stage 1, which comes after F1; "
            "stage 1 cannot run F1: it needs F1 of stage 0, which comes after B0. They wait for each other",
        ),
        ("F0.1 F0 B0 B0.1", "stage 0 cannot run F0.1: it needs F0 of stage 0, which comes after F0.1"),
    ],
)
def test_an_impossible_schedule_is_refused(text: str, message: str):
    with pytest.raises(ScheduleError) as error:
        play(parse(text))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("dualpipe", 4, 8), "'dualpipe' is not one of: gpipe, 1f1b, interleaved, zero-bubble"),
        (("1f1b", 0, 8), "stages = 0 is out of range; allowed: whole numbers from 1"),
        (("1f1b", 4, 2.5), "micro_batches = 2.5 is out of range"),
        (("1f1b", 4, 8, 2), "chunks = 2 is out of range; allowed with 1f1b: 1"),
        (("interleaved", 4, 6, 2), "6 micro-batches cannot be interleaved over 4 stages: 4 or 8"),
    ],
)
def test_an_impossible_order_is_refused(wrong: tuple, message: str):
    with pytest.raises(ScheduleError) as error:
        build(*wrong)
    assert message in str(error.value)


def test_a_step_of_another_kind_is_refused():
    with pytest.raises(ScheduleError, match="stage 0: G0 is no step"):
        Schedule([[("G", 0)]])


def test_durations_are_checked():
    with pytest.raises(ValueError, match=r"durations\.forward = -1 is out of range"):
        Durations(forward=-1)


def test_it_needs_no_numpy():
    code = "import sys, gpt4lab.simulate.pipeline.play; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
