"""Chapter 08: memory by stage of ZeRO, the cloud of layouts, schedules by hand, and a thousand measured layouts."""

from __future__ import annotations

import re
from itertools import product

import pytest

from gpt4lab.chapters.c08_layout import cloud, hand, measured, memory
from gpt4lab.checks.playbook import layouts
from gpt4lab.models.board import EMPTY, HandMade, fewest_slots
from gpt4lab.models.in_scenario import board_in
from gpt4lab.quantities import value
from gpt4lab.scenario import ScenarioError, change, load_scenario, share
from gpt4lab.simulate.pipeline.play import play
from gpt4lab.simulate.pipeline.schedules import build, parse

LEAK = load_scenario("leak")


# --- memory


def test_the_states_of_the_bars_are_those_of_the_formula_but_for_the_embedding() -> None:
    for zero in (0, 1, 2):
        held = memory.parts_of(LEAK, zero)
        states = held["weights"] + held["gradients"] + held["optimiser"]
        assert states == pytest.approx(value("memory.states", LEAK, {"cluster.zero": zero}), rel=0.03)


def test_experts_that_are_dealt_out_leave_the_shared_weights_and_their_part() -> None:
    whole, dealt = (memory.parts_of(change(LEAK, {"cluster.expert": n}), 1)["weights"] for n in (1, 16))
    experts = 2 * LEAK.model.experts * LEAK.model.expert_params / 120
    assert whole - dealt == pytest.approx(experts * 15 / 16, rel=0.02)


# --- the cloud


def test_nothing_that_fits_is_faster_than_the_post_s_layout_and_its_hill_is_flat() -> None:
    found, mine = cloud.cloud_of(LEAK), cloud.yours(LEAK)
    fitting = found.of(cloud.FITS)
    assert fitting[0].words == mine.words
    hill = [way.layout for way in fitting if way.mfu > 0.99 * mine.mfu]
    assert {(w.tensor, w.zero, w.recompute) for w in hill} == {(8, 1, 2)}
    assert sorted(w.pipeline for w in hill) == [12, 15, 20, 24, 30]
    assert sum(map(len, map(found.of, cloud.LOOKS))) == len(found.ways)


def test_each_way_uses_the_gpus_that_there_are_and_the_batch_that_there_is() -> None:
    for way in cloud.cloud_of(LEAK).ways:
        w = way.layout
        assert w.tensor * w.pipeline * w.data <= LEAK.cluster.gpus
        assert w.batch <= value("batch.sequences", LEAK)


# --- the board

SHORT = "F1 F2 . . . B1 W1 F3 B2 W2 F4 . . B3 W3 B4 W4 / . F1 F2 . B1 W1 B2 W2 F3 . . F4 B3 W3 B4 W4 / "
THRIFTY = HandMade(3, 4, SHORT + ". . F1 B1 F2 B2 W1 W2 . F3 B3 W3 F4 B4 W4")


@pytest.mark.parametrize("name", ["gpipe", "1f1b", "zero-bubble"])
def test_schedules_of_the_literature_are_legal_on_the_board_and_as_long_as_played(name: str) -> None:
    board, played = HandMade(3, 4, hand.built(name)), play(build(name, 3, 4))
    assert board.open == 0
    assert (board.slots, board.held) == (played.time, max(played.peak()))


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ("B1", "B1 of stage 1, in slot 1, needs F1 of stage 1, whose activations it goes back through, which is not"),
        ("F1 F1", "F1 of stage 1, in slot 2, is there twice: it has run in slot 1."),
        ("F1 / F1", "F1 of stage 2, in slot 1, comes too early: F1 of stage 1, which hands over its activations,"),
        ("F1 B1 / . F1 B1", "B1 of stage 1, in slot 2, comes too early: B1 of stage 2, which hands back"),
        (". . . F1 . W1 / . . . . F1", "W1 of stage 1, in slot 6, needs B1 of stage 1, whose gradients it takes"),
    ],
)
def test_the_first_block_that_breaks_a_rule_is_named_with_the_rule(blocks: str, words: str) -> None:
    assert hand.said(HandMade(2, 2, blocks)).startswith(words)


def test_what_is_kept_is_kept_from_the_beginning_of_f_to_the_end_of_w() -> None:
    board = HandMade(1, 2, "F1 F2 . B1 W1 B2 . W2")
    assert board.kept == ((1, 2, 2, 2, 2, 1, 1, 1),)
    assert (board.held, board.slots, board.open) == (2, 8, 0)
    assert board.waiting == pytest.approx(2 / 8)


def test_without_needless_gaps_a_schedule_takes_what_it_takes_when_played() -> None:
    """The usual schedule gains by handing gradients back before W; the shortest has nothing to gain."""
    assert HandMade(3, 4, hand.built("1f1b")).early == 16
    text = hand.built("1f1b").replace(" .", "").replace(". ", "").replace(" / ", "\n")
    shifted = re.sub(r"\d", lambda digit: str(int(digit[0]) - 1), text)
    assert play(parse(shifted)).time == 16
    assert (THRIFTY.early, HandMade(3, 4, hand.built("zero-bubble")).early) == (17, 14)


def test_a_press_goes_through_what_can_stand_there_and_back_to_nothing() -> None:
    board, seen = HandMade(3, 4, "F1 . / . F1 / . . F1"), list[str]()
    for _ in range(4):
        board = HandMade(3, 4, board.pressed(3, 4))
        seen.append(next((b.name for b in board.placed if (b.stage, b.slot) == (3, 4)), EMPTY))
    assert seen == ["B1", "F2", "W1", EMPTY], "legal ones first; F2 and W1 come too early, and are told"
    assert HandMade(3, 4, board.pressed(3, 4, "B")).placed[-1].name == "B1"
    live = hand.hand.widget()
    live.chart.pressed = ["cell-1-5 -", 1]
    assert live.scenario.assembly.blocks == hand.built("1f1b")
    live.chart.pressed = ["cell-1-1", 2]
    assert "F1 of stage 2" in live._sentence.value


def test_a_board_is_shared_and_tidied_and_nonsense_is_refused() -> None:
    drawn = change(LEAK, {"assembly.blocks": " f1 . b1 . ./. F1 ./ / "})
    assert drawn.assembly.blocks == "F1 . B1 / . F1"
    assert load_scenario(share(drawn)) == drawn
    assert HandMade(3, 4, "").early == 0


@pytest.mark.parametrize(
    ("wrong", "why"),
    [(word, f"'{word}' is no block") for word in ("G1", "F0", "F10", "F²", "F1F1")]
    + [("F1 " * 61, "a stage of 61 slots is too long"), (". " * 200 + "F1", "a stage of 201 slots is too long")]
    + [("/" * 50, "51 stages are too many"), ("F1 /////", "6 stages are too many")],
)
def test_what_is_wrong_with_a_board_is_said_and_what_would_be_right(wrong: str, why: str) -> None:
    with pytest.raises(ScenarioError, match=f"Blocks: {why}; allowed: blocks such as F1.*at most 60 slots"):
        change(LEAK, {"assembly.blocks": wrong})


def shortest(p: int, m: int, kept: int) -> int:
    """The fewest slots of any schedule that keeps so many at most: every state that can be reached, slot by slot."""
    state, goal, slots = {((0, 0, 0),) * p}, ((m, m, m),) * p, 0
    while goal not in state:
        state, slots = {after for here in state for after in following(here, p, m, kept)}, slots + 1
    return slots


def following(here: tuple, p: int, m: int, kept: int) -> set[tuple]:
    """The states after one more slot; micro-batches are alike, so they go in their order."""
    ways = []
    for stage, (f, b, w) in enumerate(here):
        can = [(f, b, w)]
        if f < m and f - w < kept and (stage == 0 or here[stage - 1][0] > f):
            can.append((f + 1, b, w))
        if b < f and (stage == p - 1 or here[stage + 1][1] > b):
            can.append((f, b + 1, w))
        if w < b:
            can.append((f, b, w + 1))
        ways.append(can)
    return set(product(*ways))


def test_the_targets_are_the_shortest_schedules_that_there_are() -> None:
    assert {kept: shortest(3, 4, kept) for kept in hand.SHORTEST} == hand.SHORTEST
    assert shortest(3, 4, 4) == hand.SHORTEST[3] == fewest_slots(3, 4)
    assert (THRIFTY.open, THRIFTY.slots, THRIFTY.held) == (0, hand.SHORTEST[2], 2)
    assert board_in(load_scenario(hand.hand.start)).held == 3


# --- measured layouts


def test_the_bars_of_measured_layouts() -> None:
    ran = [one for one in layouts.judged() if one.ran]
    assert len(layouts.false_alarms()) <= 0.01 * len(ran)
    table = layouts.by_size_and_nodes()
    assert sum(row["ran"] for row in table) == len(ran)
    assert sum(row["ran, said not to fit"] for row in table) == len(layouts.false_alarms())


def test_the_figure_s_utilisation_is_that_of_its_tokens() -> None:
    for one in layouts.judged():
        if one.row.mfu and one.row.mfu > layouts.COARSE:
            speed = one.row.tokens_per_s_per_gpu or 0
            by_token = layouts.mfu_of_a_token(one.row.model, one.row.pipeline > 1)
            assert by_token * speed == pytest.approx(one.row.mfu, rel=0.01)
    once, twice = (layouts.mfu_of_a_token("1B", staged) * 989e12 for staged in (False, True))
    assert twice - once == pytest.approx(6 * 131_072 * 2048, rel=0.02), "the embedding"


def test_the_order_of_layouts_with_ranks_and_stages_is_judged_by_size_and_nodes() -> None:
    assert layouts.rank_correlation([1, 2, 2, 9], [10, 20, 20, 11]) == pytest.approx(1.5 / 4.5)
    assert layouts.rank_correlation([3, 1, 2], [1, 3, 2]) == -1
    table = {(row["model"], row["nodes"]): row for row in layouts.picked()}
    assert len(table) == len(layouts.MODELS) * len(layouts.NODES)
    assert all(float(row["rank correlation"]) > 0.3 for row in table.values())
    for model in layouts.MODELS:
        assert float(table[model, 64]["pick / best"]) < 0.1, "where replicas have one sequence, the pick is no good"
    assert all(float(table["8B", nodes]["pick / best"]) > 0.9 for nodes in (1, 2, 4, 8, 16))


def test_what_does_not_fit_is_not_praised() -> None:
    large = change(LEAK, {**memory.FUSED, "cluster.expert": 16})
    assert "does not fit" in memory.memory_view(large).sentence
    assert "With room for it" in memory.memory_view(large).sentence
    assert cloud.cloud_view(large).label.endswith("if it did fit")
    *_, (changed, said) = memory.memory.tour
    assert changed == {**memory.FUSED, "cluster.expert": 16}
    assert "does not fit" in said


def test_wrong_rows_stay_in_and_the_first_node_of_the_ring_is_the_worst() -> None:
    assert len(layouts.farthest(6)) == 12
    assert all(0.9 < check.ratio < 1.1 for check in layouts.data_parallel()[:4])
    assert layouts.data_parallel()[-1].ratio > 1.5, "at 256 GPUs the model is too slow"
    assert min(layouts.collectives(), key=lambda check: check.ratio).name == "on 8 GPUs"
    assert measured.kept_beyond_a_node() == pytest.approx(0.573, abs=0.001)
