"""Chapter 13: what its panels and its text say about batches must be true."""

from __future__ import annotations

import re
from random import Random
from statistics import fmean

import pytest

from gpt4lab.catalog.traffic import per_s, traced
from gpt4lab.chapters.c13_batching import bursts, frontier, reader, slots
from gpt4lab.chapters.c13_batching.engine_check import by_hand
from gpt4lab.charts.drawing import Box
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, ScenarioError, change, load_scenario
from gpt4lab.scenario.live import PACES, RATES, ROOF, SCHEDULES, STRETCHES
from gpt4lab.simulate.serving.by_hand import ByHand
from gpt4lab.simulate.serving.loads import (
    Figures,
    OnFrontier,
    as_it_waits,
    at_limit,
    best_gang,
    capacity_per_s,
    chunk_needed,
    figures,
    gain,
    gains,
    mean_s,
    minute,
    part,
    played,
    shares,
    sweep,
    tokens_at,
    tokens_when_full,
    usd,
    usual_minute,
    waits,
    within,
)
from gpt4lab.simulate.serving.pace import Linear, lane, step_s
from gpt4lab.simulate.serving.plain import plain, play, rules_in
from tests.unit.chapters.assume import LEAK

ROOMY = load_scenario(frontier.ROOMY)


def at(limit: float, scenario: Scenario = ROOMY) -> Scenario:
    return change(scenario, {"batching.latency_limit_s": limit})


# The minute


def test_a_lane_gets_one_in_sixteen_of_the_real_minute() -> None:
    scenario = change(LEAK, {"batching.requests_per_s": per_s("conversation")})
    dealt = traced("conversation")[::16]
    start = usual_minute(dealt)
    real = [row for row in dealt if start <= row.arrival_s < start + 60]
    assert [*minute(scenario).arrival_s] == pytest.approx([row.arrival_s - start for row in real])
    assert [*minute(scenario).output] == [row.output for row in real]


@pytest.mark.parametrize("service", ["conversation", "code"])
def test_the_minute_that_is_drawn_is_as_busy_as_the_mean(service: str) -> None:
    scenario = change(LEAK, {"batching.traffic": service, "batching.requests_per_s": per_s(service)})
    assert len(minute(scenario)) == pytest.approx(per_s(service) * 60 / 16, abs=1.5)
    busy = change(scenario, {"batching.requests_per_s": 20})
    assert len(minute(busy)) == pytest.approx(20 * 60 / 16, rel=0.5), "beyond the last minute comes the first"


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


# Steps at measured rates


@pytest.mark.parametrize("slots", [1, 4, 256, 1024])
def test_a_step_at_measured_rates_is_that_of_the_model_of_answering(slots: int) -> None:
    there = change(LEAK, {"batching.pace": RATES, "serving.tokens_in_flight": 16 * slots})
    for context in (1, 1024):
        expected = value("answer.latency", change(there, {"serving.mean_context": context}))
        assert step_s(lane(there), slots, 0, slots * context) == pytest.approx(expected, rel=0.01)


def test_answers_that_pay_for_their_prompts_reach_the_post_s_cost_at_full_peak_alone() -> None:
    """Whatever the limit: a lane whose slots are all filled at all times writes more than any that is played."""
    post = LEAK.serving.usd_per_1k_tokens
    full = {pace: change(ROOMY, {"batching.slots": 256, "batching.pace": pace}) for pace in PACES}
    least = {pace: usd(here, tokens_when_full(here)) or 0 for pace, here in full.items()}
    assert least[ROOF] < post < 1.1 * post < least[RATES]
    assert all(least[pace] < (usd(here, tokens_at(at(10, here), "continuous")) or 0) for pace, here in full.items())


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
        load * fmean(row.output for row in part("conversation", 4, 300)[60:]), rel=0.1
    )


# What the text says


def test_gains_are_taken_over_five_stretches_and_the_panel_shows_the_middle_one() -> None:
    each = [gain(change(at(0.4), {"batching.stretch": stretch})) for stretch in range(1, STRETCHES + 1)]
    found = gains(at(0.4), as_it_waits)
    assert found == pytest.approx((fmean(each), min(each), max(each), STRETCHES))
    assert gain(at(0.4)) == sorted(each)[2]
    assert at_limit(at(0.4))["static"] == 0
    rows = traced("conversation")
    assert part("conversation", 1, 300) == rows[:300]
    assert part("conversation", STRETCHES, 300) == rows[-300:]


def test_the_nearer_the_limit_to_a_step_the_larger_the_gain_and_the_best_gang_is_never_the_weaker_rival() -> None:
    over = [gains(at(limit), best_gang) for limit in (0.25, 0.4, 0.6, 1, 10)]
    assert [found.mean for found in over] == sorted((found.mean for found in over), reverse=True)
    assert 1.4 <= over[-1].mean <= 2.2
    assert over[0].least > 6
    for limit, found in zip((0.25, 0.4, 0.6, 1, 10), over, strict=True):
        assert found.mean <= gains(at(limit), as_it_waits).mean


def test_a_chunk_that_is_too_small_starves_the_slots_and_the_panel_says_so() -> None:
    full = load_scenario(frontier.cost.start)
    small = change(full, {"batching.chunk_tokens": 256})
    assert 256 < chunk_needed(small) < full.batching.chunk_tokens
    costs = [usd(here, at_limit(here)["chunked prefill"]) or 0 for here in (full, small)]
    assert costs[1] > 2 * costs[0]
    assert "cannot keep 256 slots filled" in frontier.cost_view(small).sentence
    assert "cannot keep" not in frontier.cost_view(full).sentence + frontier.frontier_view(ROOMY).sentence


# The reader as scheduler

BUSY = load_scenario(reader.BUSY)


def by_hand_of(text: str) -> ByHand:
    return reader.game(change(BUSY, {"batching.moves": text}))


def test_who_lets_in_whoever_came_first_is_continuous_batching() -> None:
    game, log = by_hand_of(reader.in_order(BUSY)), played(BUSY)["continuous"]
    assert game.done
    assert game.log.finished_s == log.finished_s
    assert sum(stay.tokens for stay in game.log.stays) == sum(minute(BUSY).output)


def test_who_knows_the_lengths_does_better_and_a_search_finds_little_more() -> None:
    asked, shortest = minute(BUSY), reader.shortest_first(BUSY)
    order = "1 . 3 2 4 5 10 16 12 18 20 19 22 7 9 21 8 13 11 15 . . 14 . . 17 . 6"  # the best of 9,000 tried
    first, best, found = (
        mean_s(asked, log) for log in (played(BUSY)["continuous"], shortest.log, by_hand_of(order).log)
    )
    assert best < 0.9 * first
    assert 0.95 * best < found < best
    assert reader.game_view(change(BUSY, {"batching.moves": " ".join(shortest.taken)})).value == best


def test_moves_that_cannot_be_made_are_told_and_left_out() -> None:
    assert by_hand_of("9").fault.endswith("request 9 has not come yet.")
    assert by_hand_of("1 1").fault.endswith("request 1 was let in before.")
    assert by_hand_of("1 9").taken == ["1"]
    alone = by_hand_of(". " * 200)
    assert alone.fault.endswith("nothing more happens until somebody is let in.")
    assert len(alone.waiting()) == len(minute(BUSY))
    for wrong in ("0", "100", "x", "1,2", "1 " * 301):
        with pytest.raises(ScenarioError, match=r"Your moves: .*numbers of requests from 1 to 99"):
            change(BUSY, {"batching.moves": wrong})


def test_a_press_lets_in_holds_and_takes_back() -> None:
    live = reader.reader.widget()
    for count, (key, wanted) in enumerate([("let-0", "1"), ("hold", "1 ."), ("back", "1"), ("let-0 -", "")]):
        live.chart.pressed = [key, count + 1]
        assert (live.scenario.batching.moves, live.error) == (wanted, "")


def test_every_choice_on_the_board_is_one_that_can_be_made() -> None:
    text, luck = "", Random(1)
    while not (game := by_hand_of(text)).done:
        assert not game.fault
        (scene,) = reader.game_view(change(BUSY, {"batching.moves": text})).scenes
        keys = [shape.key for shape in scene.shapes if "press" in getattr(shape, "look", "")]
        assert sum(key.startswith("let-") for key in keys) == len(game.waiting())
        text = reader.pressing(change(BUSY, {"batching.moves": text}), luck.choice([k for k in keys if k != "back"]))[
            "batching.moves"
        ]
        assert len(text.split()) < 200


def test_the_post_s_cost_is_reached_with_the_source_s_batch_alone() -> None:
    stated, full = LEAK.serving.usd_per_1k_tokens, change(ROOMY, {"batching.slots": 256})
    assert 256 * LEAK.serving.pipeline == LEAK.serving.tokens_in_flight
    assert (usd(ROOMY, at_limit(at(10))["continuous"]) or 0) > stated
    every = [change(full, {"batching.stretch": stretch}) for stretch in range(1, STRETCHES + 1)]
    costs = {
        limit: [usd(here, tokens_at(at(limit, here), "continuous")) or 9 for here in every] for limit in (0.25, 0.4)
    }
    assert max(costs[0.4]) < stated < min(costs[0.25])
    assert (usd(full, at_limit(at(0.4, full))["dynamic"]) or 1) > 3 * stated


def test_talk_comes_by_chance_and_code_in_bursts() -> None:
    talk, code = load_scenario(bursts.bursts.start), bursts.bursts.scenario_of("Code")
    for scenario, low, high in ((talk, 0.7, 1.5), (code, 5, 100)):
        found = {kind: waits(scenario, [8.0], variation)[0] for kind, variation in bursts.kinds(scenario).items()}
        assert low < found[bursts.TRACED] / found[bursts.POISSON] < high
        assert found[bursts.CLOCK] < found[bursts.POISSON] < found[bursts.BURSTS]
        ratios = [bursts.over_chance(change(scenario, {"batching.stretch": n})) for n in range(1, STRETCHES + 1)]
        assert (max(ratios) < 1.2) if low < 1 else (min(ratios) > 1.9)


def test_a_gang_of_conversations_loses_less_than_a_factor_of_four_and_of_code_twenty() -> None:
    many = change(LEAK, {"batching.slots": 256})
    assert 3 < value("gang.padding", many) < 4
    assert 20 < value("gang.padding", change(many, {"batching.traffic": "code"})) < 22


def test_the_formulas_that_are_done_by_hand_are_near() -> None:
    assert by_hand().largest < 0.03
