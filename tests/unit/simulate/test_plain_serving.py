"""The serving simulation without arrays: it plays what the one with arrays plays, and knows the schedules by name."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys

import numpy as np
import pytest

from gpt4lab.catalog.traffic import SECONDS, SERVICES, per_s, traced
from gpt4lab.models.gangs import Gang, gang_lengths, longest
from gpt4lab.quantities import value
from gpt4lab.scenario import ScenarioError, change, load_scenario
from gpt4lab.scenario.live import SCHEDULES
from gpt4lab.simulate.serving.batching import Rules
from gpt4lab.simulate.serving.pace import Linear, lane, step_s
from gpt4lab.simulate.serving.plain import gaps, plain, play, rules_in
from gpt4lab.simulate.serving.served import serve
from gpt4lab.simulate.serving.workload import Requests

LEAK = load_scenario("leak")
PACE = Linear(0.02, 1e-4, 2e-5, 1e-8)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_plays_what_the_one_with_arrays_plays(schedule: str) -> None:
    rows, rules = traced("conversation")[:150], rules_in(LEAK, schedule)
    log, served = play(plain(rows), PACE, rules), serve(Requests(*np.array(rows).T), PACE, rules)
    assert log.stays == served.log.stays
    assert (log.first_s, log.finished_s) == (served.log.first_s, served.log.finished_s)


def test_chunked_prefill_by_hand() -> None:
    """A step a second. The prompt of 33 takes three steps, of 16, 16 and 1; the other answer goes on beside it."""
    rules = rules_in(change(LEAK, {"batching.chunk_tokens": 16}), "chunked prefill")
    log = play(plain([(0, 16, 4), (0.5, 33, 1)]), Linear(1), rules)
    assert log.first_s == [1, 4]
    assert log.finished_s == [4, 4]


def test_the_schedules_are_rules_of_the_simulation() -> None:
    assert [rules_in(LEAK, schedule).scheduler for schedule in SCHEDULES] == [*SCHEDULES[:3], "continuous"]
    assert rules_in(LEAK) == rules_in(LEAK, LEAK.batching.scheduler)


def test_it_needs_no_arrays() -> None:
    code = (
        "import sys; from gpt4lab.simulate.serving import plain, stays; from gpt4lab.models import gangs; "
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_request_that_never_fits_is_refused() -> None:
    with pytest.raises(ScenarioError, match="request 0, which alone caches 19"):
        play(plain([(0, 10, 10)]), PACE, Rules(cache_tokens=18))


@pytest.mark.parametrize("variation", [0, 1, 4])
def test_gaps_have_the_mean_and_the_spread_that_they_promise(variation: float) -> None:
    drawn = gaps(40_000, variation, seed=1)
    assert statistics.fmean(drawn) == pytest.approx(1, rel=0.06)
    assert statistics.pstdev(drawn) == pytest.approx(variation, rel=0.1)


@pytest.mark.parametrize(("service", "requests"), [("conversation", 2867), ("code", 1482)])
def test_the_traffic_is_the_first_ten_minutes(service: str, requests: int) -> None:
    rows = traced(service)
    times = [row.arrival_s for row in rows]
    assert len(rows) == requests == round(per_s(service) * SECONDS)
    assert times[0] == 0
    assert times == sorted(times)
    assert times[-1] < SECONDS
    assert all(row.prompt > 0 and row.output > 0 for row in rows)


def test_the_longest_of_a_gang_by_hand() -> None:
    """Two of 1 and 3: one in four times both are 1, else 3 is among them."""
    assert longest((1, 3), 2) == 1 / 4 * 1 + 3 / 4 * 3
    assert longest((2, 2, 2), 5) == 2
    assert longest((1, 2, 3), 1) == 2


@pytest.mark.parametrize("service", SERVICES)
def test_a_gang_of_one_is_the_mean_and_a_large_one_the_longest(service: str) -> None:
    outputs = [row.output for row in traced(service)]
    assert gang_lengths(Gang(service, 1)) == pytest.approx([statistics.fmean(outputs)] * 2)
    assert gang_lengths(Gang(service, 10**7)).longest == pytest.approx(max(outputs))


def test_a_gang_of_geometric_lengths_pads_by_a_harmonic_sum() -> None:
    """Where each answer ends after any token with one chance: 1 + 1/2 + ... + 1/n, and more tokens come nearer."""
    chance, many = 1 / 2000, 1 << 15
    lengths = tuple(sorted(round(-math.log(1 - (i + 0.5) / many) / chance) for i in range(many)))
    for slots in (1, 2, 8, 64):
        by_hand = sum(1 / k for k in range(1, slots + 1))
        assert longest(lengths, slots) * chance == pytest.approx(by_hand, rel=0.01)
        formula = value("batching.geometric_padding", change(LEAK, {"batching.slots": slots}))
        assert formula == pytest.approx(by_hand, rel=0.01)


def test_a_lane_of_the_post_is_the_roofline_with_its_slots() -> None:
    for slots in (1, 8, 256):
        there = change(LEAK, {"batching.slots": slots})
        context = int(slots * there.serving.mean_context)
        assert value("batching.step_s", there) == pytest.approx(step_s(lane(there), slots, 0, context))
    alone = change(LEAK, {"batching.slots": 1})
    assert value("batching.step_alone_s", LEAK) == value("batching.step_s", alone)
