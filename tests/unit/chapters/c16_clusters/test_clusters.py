"""Chapter 16: layers are neither lost nor made, the line agrees with the play, and what the text says is true."""

from __future__ import annotations

from itertools import product
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.chapters.c16_clusters import balancer, layouts, memory, sites, sixteenth, way
from gpt4lab.chapters.c16_clusters.checked import line_checks
from gpt4lab.models.decode.line import ALL, LAST, StagePace, dealt, evenest
from gpt4lab.models.queues import both, chances, erlang_b, erlang_c, md1_wait, mm1_wait, mmc_wait
from gpt4lab.models.rules import LayoutError
from gpt4lab.models.sites import Fleet, ServingCluster, cluster_away, fewer
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, ScenarioError, change
from gpt4lab.simulate.pipeline.ring import lap, ring
from gpt4lab.simulate.serving.failover import Lane, times_of, waits
from tests.unit.chapters.assume import LEAK

CUTS = st.lists(st.integers(0, 999), max_size=40).map(lambda counts: " ".join(map(str, counts)))


def at(**changes: object) -> Scenario:
    return change(LEAK, {path.replace("__", "."): to for path, to in changes.items()})


# Layers are kept


@given(cut=CUTS, layers=st.integers(1, 300), stages=st.integers(1, 60))
def test_every_cut_holds_all_layers_and_no_more(cut: str, layers: int, stages: int) -> None:
    found = dealt(cut, layers, stages)
    assert len(found) == stages
    assert sum(found) == layers
    assert min(found) >= 0


@given(st.lists(st.integers(0, 20), min_size=1, max_size=20), st.integers(-2, 22), st.integers(-2, 22))
def test_a_layer_that_moves_is_neither_lost_nor_made(cut: list[int], giver: int, taker: int) -> None:
    found = balancer.moved(cut, giver, taker)
    assert sum(found) == sum(cut)
    assert min(found) >= 0
    changed = [after - before for after, before in zip(found, cut, strict=True) if after != before]
    assert sorted(changed) in ([], [-1, 1])


@settings(max_examples=40, deadline=None)
@given(
    stage=st.integers(0, 17),
    key=st.sampled_from(["", " U", " D", " >stage-1", " >stage-16", " >", " >solve", " >stage-99"]),
)
def test_whatever_is_pressed_the_model_keeps_its_layers(stage: int, key: str) -> None:
    changes = balancer.pressing(LEAK, f"stage-{stage}{key}")
    layers = [one.layers for one in balancer.line_of(change(LEAK, changes)).stages]
    assert sum(layers) == LEAK.model.layers
    assert not changes or changes["stages.cut"] == " ".join(map(str, layers))


def test_a_stage_takes_from_the_slowest_hands_over_and_is_solved() -> None:
    bad = balancer.balancer.scenario_of("A bad cut")

    def cut(key: str, scenario: Scenario = bad) -> list[int]:
        return [one.layers for one in balancer.line_of(change(scenario, balancer.pressing(scenario, key))).stages]

    assert cut("stage-12")[:1] + cut("stage-12")[11:12] == [11, 5]
    assert cut("stage-1")[0] == 11
    assert cut("stage-1 D")[:2] == [11, 9]
    assert cut("stage-2 U")[:2] == [13, 7]
    assert cut("stage-1 >stage-15")[14] == 5
    solved = change(bad, balancer.pressing(bad, "solve"))
    assert value("stages.behind", solved) == pytest.approx(0, abs=1e-12)
    assert value("stages.behind", bad) > 0.3


@pytest.mark.parametrize("text", ["8 -1", "8.5", "eight", "8 8 1000", "٣"])
def test_what_is_no_count_of_layers_is_refused_in_words(text: str) -> None:
    with pytest.raises(ScenarioError, match="Cut: "):
        change(LEAK, {"stages.cut": text})


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 5), st.floats(0, 5), st.floats(0, 1), st.sampled_from([LAST, ALL]), st.integers(1, 7))
def test_no_cut_is_better_than_the_evenest(layer: float, output: float, hop: float, where: str, layers: int) -> None:
    pace, stages = StagePace(layer, output, hop), 3

    def slowest(cut: tuple[int, ...]) -> float:
        extra = [hop, hop, 0.0]
        own = [output / 3] * 3 if where == ALL else [0.0, 0.0, output]
        return max(n * layer + e + o for n, e, o in zip(cut, extra, own, strict=True))

    every = (cut for cut in product(range(layers + 1), repeat=stages) if sum(cut) == layers)
    assert slowest(evenest(pace, layers, stages, where)) == pytest.approx(min(map(slowest, every)))


# A round


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=12), st.integers(1, 12))
def test_a_played_round_takes_as_long_as_the_formula_says(seconds: list[float], micro_batches: int) -> None:
    m = min(micro_batches, len(seconds))
    own = lap(ring(seconds, m))
    assert [visit.stage for visit in own] == [*range(len(seconds))]
    took = own[-1].end_s - own[0].came_s
    assert took == pytest.approx(max(sum(seconds), m * max(seconds)))
    assert sum(visit.waited_s for visit in own) == pytest.approx(took - sum(seconds), abs=1e-9)


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=8), st.floats(0, 5))
def test_a_hop_more_never_makes_a_round_shorter(seconds: list[float], hop: float) -> None:
    plain, longer = lap(ring(seconds, len(seconds))), lap(ring([*seconds[:-1], seconds[-1] + hop], len(seconds)))
    assert longer[-1].end_s - longer[0].came_s >= plain[-1].end_s - plain[0].came_s - 1e-9


def test_stages_that_do_not_empty_the_fullest_only_add_time() -> None:
    tokens = [value("stages.latency", at(serving__pipeline=p)) for p in (15, 16, 17)]
    assert tokens == sorted(tokens)
    assert value("stages.latency", at(serving__pipeline=18)) < tokens[-1]


@pytest.mark.parametrize("micro", [16, 256, 4096, 16_384])
@pytest.mark.parametrize("pipeline", [1, 8, 16, 18, 24])
def test_even_stages_are_those_of_the_step_model(pipeline: int, micro: int) -> None:
    """But for the last of stages that are all full: the step model does not see that it has the output, too."""
    scenario = at(serving__pipeline=pipeline, serving__tokens_in_flight=micro)
    here = balancer.line_of(scenario)
    last = here.micro_batches * here.stages[-1].seconds
    expected = max(value("answer.latency", scenario), last)
    assert here.round_s == pytest.approx(expected, rel=1e-9)
    assert (expected == last) <= (120 % pipeline == 0)
    held = balancer.line_of(scenario).stages[0].memory.total
    assert held == pytest.approx(value("answer.memory_bytes", scenario))


def test_checks_are_exact_but_for_the_row_that_the_text_names() -> None:
    off = [check.name for check in line_checks() if abs(check.ratio - 1) > 1e-9]
    assert len(off) == 1


def test_output_in_layers_is_the_ledger_s() -> None:
    for width in (10_752, 12_288, 15_360):
        scenario = at(model__d_model=width, stages__counts="computing alone")
        assert value("stages.output_in_layers", scenario) == pytest.approx(value("flop.logits_in_layers", scenario))
    assert value("stages.output_in_layers", LEAK) < 0.15


def test_the_token_waits_once_in_front_of_the_first_of_the_slowest() -> None:
    here = balancer.line_of(LEAK)
    own = lap(ring(here.seconds, here.micro_batches))
    assert [visit.stage for visit in own if visit.waited_s > 1e-9] == [0]
    assert len(way.scenes(here)) == 16


# The sixteenth node


def test_layers_are_the_worst_use_the_output_is_not_worth_its_rent_and_a_draft_is() -> None:
    found = {use.name: use for use in sixteenth.uses(LEAK)}
    costs = {name: use.usd_per_1k for name, use in found.items()}
    assert min(costs, key=costs.__getitem__) == sixteenth.DRAFT
    assert max(costs, key=costs.__getitem__) == sixteenth.LAYERS
    assert costs[sixteenth.LAYERS] / costs[sixteenth.NONE] == pytest.approx(1.11, abs=0.01)
    assert costs[sixteenth.OUTPUT] / costs[sixteenth.NONE] == pytest.approx(1.05, abs=0.01)
    assert 0.98 * found[sixteenth.NONE].token_s < found[sixteenth.OUTPUT].token_s < found[sixteenth.NONE].token_s
    assert found[sixteenth.NONE].token_s < found[sixteenth.LAYERS].token_s


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 24), st.integers(1, 16_384))
def test_a_stage_without_layers_brings_no_micro_batch(stages: int, tokens: int) -> None:
    """An even cut of one stage fewer, and an empty stage behind it: a token is no slower by more than the way there."""
    fewer = balancer.line_of(at(serving__pipeline=stages - 1, serving__tokens_in_flight=tokens))
    cut = " ".join(str(stage.layers) for stage in fewer.stages)
    here = balancer.line_of(at(serving__pipeline=stages, serving__tokens_in_flight=tokens, stages__cut=cut))
    assert here.micro_batches == fewer.micro_batches
    assert here.round_s <= fewer.round_s + here.micro_batches * here.pace.hop_s + 1e-12


@pytest.mark.parametrize(("hours", "pays"), [(24, False), (36, True)])
def test_a_spare_pays_where_repairs_take_more_than_about_a_day(hours: float, pays: bool) -> None:
    found = {use.name: use.usd_per_1k for use in sixteenth.uses(at(sites__repair_hours=hours))}
    assert (found[sixteenth.SPARE] < found[sixteenth.NONE]) is pays


def test_a_large_draft_is_the_slowest_stage_of_all() -> None:
    small, large = (
        {use.name: use.token_s for use in sixteenth.uses(at(stages__draft_params=params))} for params in (7e9, 7e10)
    )
    assert large[sixteenth.DRAFT] > large[sixteenth.NONE] > small[sixteenth.DRAFT]


def test_of_a_single_node_none_is_left() -> None:
    with pytest.raises(LayoutError, match="2 stages or more"):
        sixteenth.uses(at(serving__pipeline=1))


def test_the_source_s_bounds_hold_for_an_even_share_and_not_for_eight_layers() -> None:
    total, full = value("model.total_params", LEAK), value("serving.params_per_node", LEAK)
    assert 2 * total / 16 / 8 < 30e9 < 2 * full / 8 < 31e9
    assert memory.claimed_gb(LEAK, 2) == 32.5
    assert not memory.lines(at(serving__accelerator="a100-sxm-40gb"))["FP16"].fits
    assert memory.lines(at(serving__accelerator="a100-sxm-40gb"))["8 bits"].fits


# Layouts


def test_experts_dealt_out_are_quicker_and_cheaper_than_stages_in_a_row() -> None:
    row, dealt_out = LEAK, at(serving__pipeline=1, stages__groups=16)
    assert value("stages.token_s", dealt_out) < 0.5 * value("stages.token_s", row)
    assert value("stages.token_usd", dealt_out) < 0.5 * value("stages.token_usd", row)
    assert value("stages.floor", dealt_out) < 0.3 * value("stages.floor", row)
    found = layouts.spreads(row)
    assert {one.way.tensor * one.way.pipeline * one.way.expert for one in found} == {128}
    assert {one.way.batch * one.way.expert for one in found} == {4096}


# Queues and sites


def test_queues_by_hand() -> None:
    """One server half busy waits a whole service by chance, half of one with equal services; Erlang's own table."""
    assert mm1_wait(0.5, 10) == pytest.approx(10)
    assert md1_wait(0.5, 10) == pytest.approx(5)
    assert mmc_wait(1, 0.8, 1) == pytest.approx(mm1_wait(0.8, 1))
    assert erlang_b(2, 1) == pytest.approx(0.2)
    assert erlang_c(2, 1) == pytest.approx(1 / 3)
    assert [mm1_wait(1, 1), md1_wait(2, 1), mmc_wait(3, 3, 1)] == [inf, inf, inf]


def test_the_simulator_waits_as_long_as_the_queues_say() -> None:
    assert all(check.ratio == pytest.approx(1, abs=0.07) for check in sites.by_hand())


@given(st.integers(0, 60), st.floats(0, 1))
def test_chances_add_up_to_one(n: int, away: float) -> None:
    found = chances(n, away)
    assert sum(found) == pytest.approx(1)
    assert sum(k * p for k, p in enumerate(found)) == pytest.approx(n * (1 - away), abs=1e-9)


def test_two_counts_add_up() -> None:
    assert both((0.5, 0.5), (0.5, 0.5)) == pytest.approx((0.25, 0.5, 0.25))


def test_one_cluster_is_away_for_its_repairs() -> None:
    """A node of one GPU that lasts 9 hours and is repaired in one is away for a tenth of the time."""
    cluster = ServingCluster(nodes=1, gpus=1, years=9 / 8766, repair_h=1, restart_h=0)
    assert cluster_away(cluster) == pytest.approx(0.1)
    assert cluster_away(cluster, 1) == pytest.approx(0.01)
    assert cluster_away(cluster._replace(nodes=2)) == pytest.approx(0.19)


def test_too_few_are_there_as_often_as_a_hand_finds() -> None:
    assert fewer(Fleet(1, 0, 1, 0), 0.1) == pytest.approx(0.1)
    assert fewer(Fleet(1, 1, 1, 0), 0.1) == pytest.approx(0.01)
    assert fewer(Fleet(2, 0, 2, 876.6), 0) == pytest.approx(0.19)
    assert fewer(Fleet(1, 1, 2, 876.6), 0) == pytest.approx(0.01)
    assert fewer(Fleet(1, 1, 1, 876.6), 0) == pytest.approx(0.1)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 6), st.floats(0, 0.5), st.floats(0, 2000))
def test_a_spare_cluster_never_makes_it_worse(clusters: int, spare: int, away: float, outage: float) -> None:
    """In one place; over several a further one may move clusters into a larger site."""
    assert fewer(Fleet(clusters, spare, 1, outage), away) <= fewer(Fleet(clusters, 0, 1, outage), away) + 1e-12


def test_spread_without_spares_makes_it_worse_and_with_a_site_s_worth_better() -> None:
    def hours(spare: int, places: int) -> float:
        return value("sites.hours_short", at(sites__spare=spare, sites__places=places))

    assert hours(1, 4) > hours(1, 1)
    assert hours(3, 4) < hours(3, 1)
    assert all(4 < hours(k, 4) / hours(k + 1, 4) < 8 for k in range(4))


def test_when_one_of_two_clusters_fails_its_requests_come_to_the_other() -> None:
    here = Lane(per_s=1.0, clusters=2, under_way=10, back_s=inf)
    calm, after = (list(times_of(here, fails, 1)) for fails in (False, True))
    assert after.count(0.0) == 10
    assert sum(t > 0 for t in after) == pytest.approx(2 * sum(t > 0 for t in calm), rel=0.15)
    assert [t for t in after if t < 0] == [t for t in calm if t < 0]


def test_below_all_that_the_others_bear_the_wait_comes_back_above_it_grows() -> None:
    light, heavy = (change(sites.failover.scenario_of("Two clusters"), {"batching.requests_per_s": r}) for r in (4, 12))
    assert waits(light, True)[-1].wait_s < 1.5 * waits(light, False)[-1].wait_s
    assert waits(heavy, True)[-1].wait_s > 20 * waits(heavy, False)[-1].wait_s


def test_of_one_cluster_none_is_left_to_take_over() -> None:
    with pytest.raises(LayoutError, match="2 clusters or more"):
        waits(at(sites__clusters=1), True)
