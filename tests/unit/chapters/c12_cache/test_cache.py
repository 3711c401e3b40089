"""Chapter 12: what its panels and tables say about the cache must be true."""

from __future__ import annotations

import datetime as dt
from math import ceil, floor
from typing import Any

import attrs
import pytest

from gpt4lab import catalog
from gpt4lab.chapters.c12_cache import fit as kv
from gpt4lab.chapters.c12_cache import measured as kv_live
from gpt4lab.chapters.c12_cache import tables as kv_tables
from gpt4lab.models.decode.part import PassPart, held
from gpt4lab.models.in_scenario import deployment_in, served_in
from gpt4lab.quantities import leaves, value
from gpt4lab.scenario import load_scenario, names
from tests.unit.chapters.assume import LEAK, assume

AT_40 = kv.fit.scenario_of("Its 32k on 40 GB")


# What fits


def test_the_posts_own_numbers_let_72_sequences_in_whether_15_or_16_stages() -> None:
    fits = [value("kv.sequences", assume(AT_40, serving__pipeline=stages)) for stages in (15, 16)]
    assert fits == [72, 72]
    assert value("kv.sequences", AT_40) == value("kv.long_sequences", AT_40)


def test_by_hand_the_fullest_stage_has_eight_layers() -> None:
    card, weights, token = 42.3e9, 2 * 1.831e12 / 120 * 8 / 8, 2 * 128 * 2 * 8
    assert value("kv.sequences", AT_40) == (card - weights - 2e9) // (32_768 * token)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("stages", [1, 15, 16])
def test_the_closed_form_is_the_model_of_an_answer_but_for_where_the_weights_lie(name: str, stages: int) -> None:
    there = assume(load_scenario(name), serving__pipeline=stages)
    if not there.unknown.isdisjoint(leaves(("answer.batch_that_fits", "kv.sequences"))):
        pytest.skip("a size is not published")
    full = assume(there, serving__mean_context=there.model.context)
    weights = held(served_in(full), deployment_in(full)).weights
    fits = value("kv.sequences", full, {"serving.weight_bytes_per_gpu": weights})
    assert fits == value("answer.batch_that_fits", full)


@pytest.mark.parametrize("stages", [15, 16])
def test_of_the_post_the_vocabulary_and_heads_that_cannot_be_cut_are_all_that_differs(stages: int) -> None:
    there = assume(AT_40, serving__pipeline=stages, serving__mean_context=32_768)
    table = 2 * there.model.vocab * there.model.d_model / there.serving.tensor
    weights = held(served_in(there), deployment_in(there)).weights
    head = 2 * there.model.d_model * there.model.head_dim * 2  # bytes: in and out, or key and value
    uncut = (1 - 1 / 8) * head + (11 - 84 / 8) * head  # the one key-value head is copied; the fullest rank has 11 of 84
    assert weights - value("serving.weight_bytes_per_gpu", there) == pytest.approx(table + 8 * uncut, rel=1e-6)
    assert value("answer.batch_that_fits", there) == 70 < value("kv.sequences", there)
    room = assume(there, serving__overhead_bytes=there.serving.overhead_bytes + table + 8 * uncut)
    assert value("kv.sequences", room) == 70
    layer = value("serving.weight_bytes_per_gpu", there) / 8
    assert layer > table  # a layer less on the first stage makes room for it


@pytest.mark.parametrize(("heads", "times"), [(1, 1), (2, 1), (7, 1), (12, 1 / 2), (84, 1 / 11)])
def test_up_to_the_tensor_ranks_more_heads_cost_nothing(heads: int, times: float) -> None:
    """By hand: the fullest of eight ranks keeps 1, 1, 1, 2 and 11 of them."""
    found = value("kv.context_at_batch", assume(AT_40, model__kv_heads=heads))
    assert found == pytest.approx(times * value("kv.context_at_batch", AT_40))
    sequences = value("kv.sequences", assume(AT_40, model__kv_heads=heads))
    assert sequences == floor(found * 4096 / 32_768)


def test_on_one_rank_there_is_nothing_to_deal_out() -> None:
    one, twelve = (assume(AT_40, serving__tensor=1, model__kv_heads=heads) for heads in (1, 12))
    assert value("kv.ranks", twelve) == value("kv.ranks", one) == 1


@pytest.mark.parametrize("heads", [1, 7, 12, 84])
def test_the_account_is_that_of_the_model_of_answering(heads: int) -> None:
    """Bytes of a token on one GPU of a full stage: the same in the closed form and in the step's own bookkeeping."""
    there = assume(AT_40, model__kv_heads=heads, serving__pipeline=15)
    share = PassPart(served_in(there), deployment_in(there))
    here = value("kv.bytes_per_token", there) / value("kv.ranks", there) / there.model.layers
    assert share.token_bytes == pytest.approx(here)


def test_the_reader_stands_on_the_line_and_the_posts_marks_are_those_of_40_gb() -> None:
    rows = kv.fit.view(AT_40).rows
    one = {row["context"]: row["sequences"] for row in rows["data"] if row["cache"] == "one KV head"}
    assert rows["you"][0]["sequences"] == pytest.approx(one[32_768])
    assert [row["sequences"] for row in rows["post"]] == pytest.approx([one[8192], one[32_768]])
    assert [row["sequences"] for row in kv.fit.view(LEAK).rows["post"]] == [row["sequences"] for row in rows["post"]]


def test_where_the_weights_do_not_fit_nothing_runs_and_nothing_is_drawn() -> None:
    view = kv.fit.view(assume(AT_40, serving__pipeline=8))
    assert view.value == 0
    assert "Nothing runs" in view.sentence
    assert view.rows["data"] == []


def test_less_than_one_sequence_is_said() -> None:
    assert "does not fit" in kv.fit.view(assume(AT_40, serving__overhead_bytes=11.7e9)).sentence


def test_a_line_ends_where_not_one_sequence_fits() -> None:
    rows = kv.fit.view(assume(AT_40, serving__overhead_bytes=11.5e9)).rows["data"]
    found = [row["sequences"] for row in rows]
    assert None in found
    assert all(number is None or number >= 1 for number in found)


def test_a_small_batch_is_dear_and_no_loss_at_the_prices_of_the_time() -> None:
    table = kv_tables.costs()
    cost, price = ([float(row[column][1:]) for row in table] for column in list(table[0])[2:])
    assert all(c < p for c, p in zip(cost, price, strict=True))
    assert max(cost) > 20 * value("answer.usd_per_million_output", LEAK)
    assert [row["fit at once"] for row in table] == ["1,554", "281", "388", "70"]


def test_the_overhead_that_makes_the_post_right_is_nearly_six_times_the_assumed_one() -> None:
    assert [
        value("kv.long_sequences", assume(AT_40, serving__overhead_bytes=2e9 * times)) for times in (5.8, 5.83)
    ] == [1, 0]


def test_only_room_for_the_weights_flips_the_claim() -> None:
    table = {row["one change at a time"]: row["the claim"] for row in kv_tables.assumptions()}
    assert len(table) >= 6
    assert [words for words, claim in table.items() if claim == "holds"] == [
        "overhead of 14 GB instead of 2",
        "a prompt read in one piece, its scores written down",
        "64 GPUs: 8 stages",
    ]


# Shapes


def test_one_head_and_the_posts_attention_go_together_where_the_model_or_its_heads_are_wider() -> None:
    full, same, wide, proxy, spread = kv_tables.shapes()
    assert full["attention"].startswith("55.5")
    assert same["attention"].startswith("28.1")
    assert wide["attention"].startswith("55.")
    assert wide["expert"].startswith(("110", "111"))
    assert proxy["width"] == "15,360"
    assert (spread["attention"][:2], spread["expert"][:3], spread["expert width"][0]) == ("55", "111", "4")


def test_a_round_width_meets_both_rounded_sums_one_time_in_five() -> None:
    """By hand: attention has 4 d² in each of 120 layers, an expert four widths wide 8 d²; both sums within a half."""
    low = max((54.5e9 / 480) ** 0.5, (110.5e9 / 960) ** 0.5)
    high = min((55.5e9 / 480) ** 0.5, (111.5e9 / 960) ** 0.5)
    assert (ceil(low), floor(high)) == (10_729, 10_752)
    assert round(128 / (high - low)) == 5


# Published models


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("llama-3.1-405b", 2 * 126 * 8 * 128 * 2),
        ("gpt-3-175b", 2 * 96 * 96 * 128 * 2),
        ("deepseek-v3", 61 * (512 + 64) * 2),
        ("palm-540b", 2 * 118 * 256 * 2),
    ],
)
def test_what_a_model_keeps_by_hand(key: str, kept: int) -> None:
    assert kv.bytes_kept(key) == kept


def test_one_lane_a_model_in_order_of_date_and_the_post_among_them() -> None:
    rows = kv.models_view().rows["data"]
    assert len({row["model"] for row in rows}) == len(rows) > 15
    assert sum(row["mark"] == "post" for row in rows) == 1
    assert all(kv.KEPT.domain[0] < row["bytes"] < kv.KEPT.domain[1] for row in rows)  # type: ignore[index]
    assert set(kv.OLD) <= set(catalog.models)


def test_the_sentence_counts_each_release_once() -> None:
    """PaLM's two sizes are one choice; by hand, of the catalog."""
    said = kv.models_view().sentence
    assert "Of 6 releases of decoders in the catalog older than GPT-4, 1 had one key-value head" in said
    assert "3 keep a compressed vector" in said
    late = [m.attention for m in kv.decoders().values() if m.released >= dt.date(2023, 7, 10)]
    assert "MQA" not in late
    assert "GPT-4" not in " ".join(m.name for m in kv.decoders().values())


# Measured here


@pytest.fixture
def races(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The decode panel with a stopwatch that needs neither torch nor time: as many seconds as bytes × 10⁻⁹."""
    import sys
    from types import ModuleType

    calls: list[tuple[Any, ...]] = []

    def race(heads: tuple[int, ...], context: int, ways: tuple[str, ...], *settings: int) -> list[dict[str, Any]]:
        calls.append((heads, context))
        made = [(h, way) for h in heads for way in ways]
        return [
            {
                "kv_heads": h,
                "way": way,
                "context": context,
                "bytes": 512 * h * context,
                "formula": 512.0 * h * context,
                "seconds": 512e-9 * h * context,
                "disturbed": h == 2,
            }
            for h, way in made
        ]

    toy = ModuleType("gpt4lab.toys.decoding.cache")
    toy.attention_race = race  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gpt4lab.toys.decoding.cache", toy)
    monkeypatch.setattr(kv_live, "decode_step", attrs.evolve(kv_live.decode_step))
    return calls


def test_the_measured_panel_says_bytes_ratio_and_disturbance(races: list[Any]) -> None:
    view = kv_live.decode_step.view(assume(toy__cache_heads="1"))
    assert view.value == pytest.approx(16)
    assert "do not trust" not in view.sentence
    assert "do not trust" in kv_live.decode_step.view(assume(toy__cache_heads="2")).sentence


def test_the_panel_opens_with_all_numbers_of_heads_measured_at_its_context(races: list[Any]) -> None:
    live = kv_live.decode_step.widget()
    assert {row["kv_heads"] for row in kv_live.decode_step.view(live.scenario).rows["measured"]} == {2, 4, 8, 16}
    assert {context for _, context in races} == {8192}


def test_the_line_of_bytes_meets_the_time_of_sixteen_heads(races: list[Any]) -> None:
    view = kv_live.decode_step.view(assume(toy__cache_heads="4"))
    line = {row["kv_heads"]: row["ms"] for row in view.rows["data"] if row["line"] == kv_live.LEVEL}
    assert line[16] == pytest.approx(1e3 * 512e-9 * 16 * 8192)
    assert line[4] == pytest.approx(view.rows["you"][0]["ms"])


def test_a_real_race_at_the_smallest_context() -> None:
    pytest.importorskip("torch")
    view = kv_live.decode_step.view(assume(toy__cached_tokens=256, toy__cache_heads="8"))
    assert "2× fewer bytes" in view.sentence
    assert view.value > 0
