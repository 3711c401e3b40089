"""Answering: cache, roofline, speculation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt4lab.catalog import latencies
from gpt4lab.quantities import value, values
from gpt4lab.quantities.topics import kv
from gpt4lab.scenario import change, load_scenario

LEAK = load_scenario("leak")


def test_kv_cache_by_kind_of_attention() -> None:
    sizes = [value("kv.bytes_per_sequence", LEAK, {"model.kv_heads": heads}) for heads in (1, 8, 84)]
    assert sizes == pytest.approx([0.503e9, 4.03e9, 42.3e9], rel=2e-3)
    assert kv.bytes_per_token(120, kv.kept_values(0, 0, 8, 128), 2) == 491_520


@pytest.mark.parametrize(("machine", "batch"), [("a100-sxm-80gb", 153), ("a100-sxm-40gb", 201), ("h100-sxm-80gb", 295)])
def test_the_batch_at_which_decoding_becomes_compute_bound(machine: str, batch: float) -> None:
    given = {"serving.accelerator": machine}
    assert value("decode.crossover_dense", LEAK, given) == pytest.approx(batch, abs=0.6)
    assert value("decode.crossover", LEAK, given) == pytest.approx(8 * batch, abs=6)


def test_measured_latency_lies_below_the_floor_of_a_full_batch() -> None:
    floor_ms = 1000 * value("decode.latency_floor", LEAK)
    assert latencies["gpt-4-first"].ms_per_token < floor_ms
    few = 1000 * value("decode.latency_floor", LEAK, {"decode.micro_batch": 1})
    assert few == pytest.approx(34, abs=0.5)


def test_speculation_pays_by_the_paper() -> None:
    speed = [value("speculation.speedup", LEAK, {"speculation.draft_length": g}) for g in (2, 4, 8)]
    assert speed == pytest.approx([2.22, 2.80, 3.09], abs=5e-3)


@given(batch=st.integers(1, 1_000_000), context=st.integers(1, 8192), gamma=st.integers(0, 64))
def test_the_roofline_lies_between_all_at_once_and_one_after_the_other(batch: int, context: int, gamma: int) -> None:
    """Each kind of work reads or computes: no faster than all reading or all computing, no slower than both."""
    there = {"serving.tokens_in_flight": batch, "serving.mean_context": context, "speculation.draft_length": gamma}
    names = ("decode.latency", "decode.latency_floor", "decode.kv_s", "decode.compute_s", "decode.scores_per_token")
    found, read, cached, computed, scores = values(names, LEAK, there).values()
    computed *= 1 + scores / value("flop.per_token", LEAK)
    assert max(read + cached, computed) * (1 - 1e-9) <= found <= (read + cached + computed) * (1 + 1e-9)


def test_experts_read_while_what_all_share_computes() -> None:
    """With 1,000 tokens at a stage shared products compute for longer than they read, and experts do not yet."""
    names = ("decode.latency", "decode.latency_floor", "decode.kv_s", "decode.compute_s")
    found, read, cached, computed = values(names, LEAK, {"decode.micro_batch": 1000}).values()
    assert found > 1.05 * max(read + cached, computed)


@given(alpha=st.floats(0.01, 0.99), cost=st.floats(0.001, 0.5), length=st.integers(0, 64))
def test_a_pass_yields_between_one_token_and_all(alpha: float, cost: float, length: int) -> None:
    settings = {"speculation.acceptance": alpha, "speculation.draft_length": length, "speculation.draft_cost": cost}
    tokens, speed = values(("speculation.tokens_per_pass", "speculation.speedup"), LEAK, settings).values()
    assert 1 <= tokens <= length + 1 + 1e-9
    assert speed <= tokens + 1e-9
    one = value("speculation.speedup", LEAK, {**settings, "speculation.draft_length": 1})
    assert one == pytest.approx((1 + alpha) / (1 + cost)), "Corollary 3.9"


@pytest.mark.parametrize(("stages", "times"), [(8, 1 / 2), (16, 1), (32, 2)])
def test_what_is_paid_for_is_what_is_computed_with(stages: int, times: float) -> None:
    """A copy is its ranks times its stages: twice as many cost twice as much, and read the weights no faster.

    Not quite twice: the batch is spread over twice the stages, and what all tokens share computes for less time.
    """
    there = change(LEAK, {"serving.pipeline": stages})
    assert value("serving.gpus", there) == 8 * stages
    assert value("decode.usd_per_1k", there) / value("decode.usd_per_1k", LEAK) == pytest.approx(times, rel=0.1)
    assert value("answer.usd_per_1k", there) / value("answer.usd_per_1k", LEAK) == pytest.approx(times, rel=0.2)
    ratio = value("serving.paid_tokens_per_s", there) / value("serving.paid_tokens_per_s", LEAK)
    assert ratio == pytest.approx(times)
    assert value("serving.paid_mfu", there) == pytest.approx(value("serving.paid_mfu", LEAK))
    assert value("serving.nodes", there) == stages
