"""Dollars for a million tokens: prompts, cached prompts and answers; every accelerator; memory that may be used."""

from __future__ import annotations

import math

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab import catalog
from gpt4lab.catalog import MissingFact
from gpt4lab.checks import decode as check
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.part import largest_batch, longest_context
from gpt4lab.models.decode.prices import Prompts, token_prices
from gpt4lab.models.decode.report import decode, prefill
from gpt4lab.models.in_scenario import chip_in, deployment_in, served_in
from gpt4lab.models.inputs import chip, machine, network_of
from gpt4lab.models.rules import LayoutError
from gpt4lab.quantities import QUANTITIES, value
from gpt4lab.scenario import FIELDS, change, load_scenario

LEAK = load_scenario("leak")
LLAMA, A100 = network_of("llama-2-70b"), chip("a100-sxm-80gb", usd_per_hour=1.0)
WAY = Deployment(tensor=4, batch=64, context=1500)


def test_prices_by_hand_add_up_to_the_rent():
    prices = token_prices(LLAMA, WAY, A100, Prompts(prompt=1000, cached=250))
    rent = 4 * 1.0 / 3600
    prompts = prefill(LLAMA, evolve(WAY, context=1000), A100, cached=250)
    fresh = prefill(LLAMA, evolve(WAY, context=750), A100)
    assert prices.usd_per_million_input == pytest.approx(1e6 * rent * fresh.time_s / (64 * 750))
    assert prices.usd_per_million_output == pytest.approx(1e6 * rent * decode(LLAMA, WAY, A100).time_s / 64)
    paid = 64 * (750 * prices.usd_per_million_input + 250 * prices.usd_per_million_cached) / 1e6
    assert paid == pytest.approx(rent * prompts.time_s)
    assert prices.usd_per_million_cached < 0.1 * prices.usd_per_million_input < prices.usd_per_million_output


@settings(deadline=None, max_examples=40)
@given(st.integers(16, 4000), st.floats(0.05, 0.95), st.sampled_from([1, 2, 4, 8]))
def test_a_cached_token_is_never_dearer(prompt: int, share: float, p: int):
    prices = token_prices(LLAMA, evolve(WAY, pipeline=p), A100, Prompts(prompt, prompt * share))
    assert 0 <= prices.usd_per_million_cached <= prices.usd_per_million_input * (1 + 1e-9)
    assert prices.first.time_s <= prices.prompts.time_s * (1 + 1e-9)


def test_a_scenario_has_them_and_the_thousand_agrees():
    dear = value("answer.usd_per_million_output", LEAK)
    assert dear == pytest.approx(1000 * value("answer.usd_per_1k", LEAK))
    for name in ("input", "cached", "output"):
        now, idle = (
            value(f"answer.usd_per_million_{name}", s) for s in (LEAK, change(LEAK, {"serving.idle_share": 0.5}))
        )
        assert idle == pytest.approx(2 * now), "idle machines are paid for"
    assert 0 < value("answer.usd_per_million_cached", LEAK) < value("answer.usd_per_million_input", LEAK) < dear


def test_deepseeks_day_lies_within_what_idle_machines_explain():
    """$87,072 published; machines that are never idle would cost less, by a tenth where no traffic hides."""
    shown, hidden = check.deepseek_day()
    assert 1 < shown.ratio < 1.2
    assert 1 < hidden.ratio < 2.2


@pytest.mark.parametrize("bad", [0, -1, math.nan])
def test_something_is_cached_and_something_is_not(bad: float):
    with pytest.raises(LayoutError, match=r"Prompts\.cached"):
        Prompts(1000, bad)
    with pytest.raises(LayoutError, match=r"Deployment\.context"):
        token_prices(LLAMA, WAY, A100, Prompts(1000, 1000))


# Every accelerator


@pytest.mark.parametrize("name", list(catalog.accelerators))
def test_every_accelerator_answers_or_says_what_is_missing(name: str):
    there = change(LEAK, {"serving.accelerator": name, "cluster.accelerator": name})
    assert value("answer.latency", there) > value("answer.floor", there) > 0
    assert value("answer.usd_per_million_input", there) > 0
    assert math.isfinite(value("kv.free_bytes", there))
    if catalog.accelerators[name].network_bits_per_s:
        assert value("step.seconds", there) > 0
        return
    assert name.startswith(("tpu", "rtx")), "no network of its own"
    with pytest.raises(MissingFact, match="network") as missing:
        machine(name)
    assert str(missing.value).count("\n") == 0
    with pytest.raises(MissingFact, match="network"):
        value("step.seconds", there)


@pytest.mark.parametrize("name", list(catalog.accelerators))
def test_every_quantity_takes_every_accelerator_or_says_in_one_sentence_what_is_missing(name: str):
    there = change(
        LEAK, dict.fromkeys((path for path, field in FIELDS.items() if field.catalog == "accelerators"), name)
    )
    missing = set[str]()
    for quantity in QUANTITIES.names():
        try:
            assert math.isfinite(value(quantity, there)), quantity
        except MissingFact as error:
            missing.add(str(error))
    assert len(missing) <= 1
    assert all("\n" not in words and "network_bits_per_s" in words for words in missing)


@pytest.mark.parametrize("name", [name for name in catalog.accelerators if not name.startswith("tpu")])
def test_memory_is_what_a_process_sees(name: str):
    """Makers print GB and mean GiB; a few percent are reserved."""
    entry = catalog.accelerators[name]
    printed = {"v100-sxm2-32gb": 32, "a100-sxm-40gb": 40, "h200-sxm-141gb": 141, "b200": 180, "gb200": 186, "l40s": 48}
    printed |= {"mi300x": 192, "mi325x": 256, "l4": 24, "a10": 24, "rtx-4090": 24}
    gib = entry.need("memory_bytes") / 2**30 / printed.get(name, 80)
    assert 0.91 < gib <= 1.001


# Memory that may be used


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([slug for slug, model in catalog.models.items() if model.window]), st.floats(0.8, 1))
def test_windows_and_the_usable_share_count_in_both_answers(model: str, share: float):
    network, h100 = network_of(model), chip("h100-sxm-80gb")
    way = Deployment(tensor=4, batch=32, context=min(1000, network.max_context), usable_memory=share)
    longest = longest_context(network, way, h100)
    if longest < 1:
        assert not decode(network, evolve(way, context=1), h100).fits
        return
    assert decode(network, evolve(way, context=longest), h100).fits
    if longest < network.max_context:
        assert not decode(network, evolve(way, context=longest + 1), h100).fits
    assert largest_batch(network, evolve(way, context=longest), h100) >= 32


def test_the_usable_share_moves_both_doors_alike():
    less = change(LEAK, {"serving.usable_memory": 0.9})
    total = chip_in(LEAK).memory_bytes
    assert value("kv.free_bytes", LEAK) - value("kv.free_bytes", less) == pytest.approx(0.1 * total)
    before, after = (largest_batch(served_in(s), deployment_in(s), chip_in(s)) for s in (LEAK, less))
    assert before > after > 0
