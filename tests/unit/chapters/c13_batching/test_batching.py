"""Chapter 13: what its panels and its text say about batches must be true."""

from __future__ import annotations

import re
from statistics import fmean

import pytest

from gpt4lab.catalog.traffic import per_s, traced
from gpt4lab.chapters.c13_batching import bursts, frontier, slots
from gpt4lab.chapters.c13_batching.engine_check import by_hand
from gpt4lab.charts.drawing import Box
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.scenario.live import SCHEDULES
from gpt4lab.simulate.serving.loads import (
    Figures,
    OnFrontier,
    at_limit,
    capacity_per_s,
    figures,
    gain,
    mean_s,
    minute,
    played,
    shares,
    sweep,
    usd,
    waits,
    within,
)
from gpt4lab.simulate.serving.pace import Linear
from gpt4lab.simulate.serving.plain import plain, play, rules_in
from tests.unit.chapters.assume import LEAK

ROOMY = load_scenario(frontier.ROOMY)


def at(limit: float, scenario: Scenario = ROOMY) -> Scenario:
    return change(scenario, {"batching.latency_limit_s": limit})


# The minute


def test_a_lane_gets_one_in_sixteen_of_the_real_minute() -> None:
    scenario = change(LEAK, {"batching.requests_per_s": per_s("conversation")})
    real = [row for row in traced("conversation") if row.arrival_s < 60]
    assert [*minute(scenario).arrival_s] == pytest.approx([row.arrival_s for row in real[::16]])
    assert [*minute(scenario).output] == [row.output for row in real[::16]]


def test_every_scheduler_answers_all_and_only_gangs_pad() -> None:
    asked = minute(LEAK)
    for schedule, log in played(LEAK).items():
        assert sum(stay.tokens for stay in log.stays) == sum(asked.output)
        spent = shares(LEAK, log)
        assert sum(spent.values()) == pytest.approx(1)
        assert all(share >= -1e-9 for share in spent.values())
        assert (spent["padding"] > 1e-9) is (schedule in SCHEDULES[:2])


def test_continuous_batching_is_quicker_on_average_than_gangs() -> None:
    asked, logs = minute(LEAK), played(LEAK)
    means = {schedule: mean_s(asked, log) for schedule, log in logs.items()}
    assert means["continuous"] < means["dynamic"] < means["static"]
    assert slots.slots.view(LEAK).value == means["continuous"]


def test_the_drawing_ends_with_every_bar_and_stays_within_its_frame() -> None:
    scenes = slots.scenes(change(LEAK, {"batching.scheduler": "static"}))
    boxes = [[shape for shape in scene.shapes if isinstance(shape, Box)] for scene in scenes]
    bars = [sum(box.key.startswith("answer-") for box in each) for each in boxes]
    assert bars == sorted(bars)
    assert bars[-1] == len(minute(LEAK))
    assert all(box.x >= 0 and box.x + box.w <= scenes[0].width for each in boxes for box in each)


# Figures, by hand


@pytest.mark.parametrize("scheduler", SCHEDULES)
def test_in_the_last_scene_everybody_is_answered(scheduler: str) -> None:
    last = slots.scenes(change(LEAK, {"batching.scheduler": scheduler}))[-1]
    done, asked = re.findall(r"(\d+) of (\d+) requests are answered", last.caption)[0]
    assert done == asked


def test_figures_leave_out_the_beginning_and_the_drain() -> None:
    """A step a second, a request every two seconds: a prompt, and one more token."""
    asked = plain([(2 * i, 1, 2) for i in range(10)])
    log = play(asked, Linear(1), rules_in(LEAK, "continuous"))
    assert figures(asked, log) == pytest.approx(Figures(2 / 2, 1.0, 1.0))


def test_a_limit_is_read_off_a_frontier_between_two_places() -> None:
    reach = [OnFrontier(0.1, 100), OnFrontier(0.4, 400)]
    assert within(reach, 0.05) == 0
    assert within(reach, 0.1) == 100
    assert within(reach, 0.2) == pytest.approx(200)
    assert within(reach, 9) == 400
    assert within([], 1) == 0


def test_the_cost_is_the_rent_over_the_tokens() -> None:
    assert usd(LEAK, 1000) == pytest.approx(128 / 3600)
    assert usd(LEAK, 0) is None


def test_a_light_load_is_answered_as_fast_as_it_comes() -> None:
    load = capacity_per_s(ROOMY) / 20
    (found,) = sweep(ROOMY, "continuous", [load])
    assert found.reached.tokens_per_s == pytest.approx(
        load * fmean(row.output for row in traced("conversation")[60:300]), rel=0.1
    )


# What the text says


def test_the_gain_is_two_for_the_patient_four_at_the_limit_and_seven_near_a_step() -> None:
    assert [round(gain(at(limit))) for limit in (0.25, 0.4, 0.6, 2)] == [7, 4, 2, 2]
    assert at_limit(at(0.4))["static"] == 0


def test_the_post_s_cost_is_reached_with_the_source_s_batch_alone() -> None:
    stated, full = LEAK.serving.usd_per_1k_tokens, change(ROOMY, {"batching.slots": 256})
    assert 256 * LEAK.serving.pipeline == LEAK.serving.tokens_in_flight
    assert (usd(ROOMY, at_limit(at(10))["continuous"]) or 0) > stated
    costs = {limit: usd(full, at_limit(at(limit, full))["continuous"]) or 0 for limit in (0.25, 0.3)}
    assert costs[0.3] < stated < costs[0.25]
    assert (usd(full, at_limit(at(0.3, full))["dynamic"]) or 1) > 3 * stated


def test_talk_comes_by_chance_and_code_in_bursts() -> None:
    talk, code = load_scenario(bursts.bursts.start), bursts.bursts.scenario_of("Code")
    for scenario, low, high in ((talk, 0.7, 1.5), (code, 5, 100)):
        found = {kind: waits(scenario, [8.0], variation)[0] for kind, variation in bursts.kinds(scenario).items()}
        assert low < found[bursts.TRACED] / found[bursts.POISSON] < high
        assert found[bursts.CLOCK] < found[bursts.POISSON] < found[bursts.BURSTS]


def test_a_gang_of_conversations_loses_less_than_a_factor_of_four_and_of_code_twenty() -> None:
    many = change(LEAK, {"batching.slots": 256})
    assert 3 < value("gang.padding", many) < 4
    assert 20 < value("gang.padding", change(many, {"batching.traffic": "code"})) < 22


def test_the_formulas_that_are_done_by_hand_are_near() -> None:
    assert by_hand().largest < 0.12
