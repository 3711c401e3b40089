"""Experts: how many a batch touches, and the laws on having more."""

from __future__ import annotations

import pytest

from gpt4lab.catalog import constants
from gpt4lab.quantities import value, values
from gpt4lab.quantities.topics import moe
from gpt4lab.scenario import change, load_scenario

LEAK = load_scenario("leak")


@pytest.mark.parametrize(("tokens", "share"), [(1, 0.125), (8, 0.6564), (16, 0.882), (32, 0.9861), (256, 1)])
def test_experts_touched(tokens: int, share: float) -> None:
    assert value("moe.touched", LEAK, {"decode.micro_batch": tokens}) == pytest.approx(share, rel=1e-3)


@pytest.mark.parametrize(
    ("routing", "base", "gain"), [("s_base", 1.3e9, -0.031), ("s_base", 166e9, -0.0085), ("rl_r", 166e9, 0.011)]
)
def test_clark_on_64_against_16_experts(routing: str, base: float, gain: float) -> None:
    found = value(f"moe.{routing}_gain", LEAK, {"model.base_params": base})
    assert found == pytest.approx(gain, abs=5e-4)


@pytest.mark.parametrize("routing", moe.ROUTINGS)
def test_clark_gain_is_the_ratio_of_two_losses(routing: str) -> None:
    here, there = (value(f"moe.{routing}_loss", LEAK, {"model.experts": count}) for count in (16, 64))
    assert value(f"moe.{routing}_gain", LEAK) == pytest.approx(there / here - 1)


def test_clark_stops_helping_near_the_published_size() -> None:
    law = constants["clark2022-s-base"]
    base = 10 ** (-law.b / law.c)
    assert value("moe.s_base_gain", LEAK, {"model.base_params": base}) == pytest.approx(0)
    assert base == pytest.approx(law.N_cutoff, rel=0.1), "c is printed with one digit"


@pytest.mark.parametrize("routing", moe.ROUTINGS)
def test_one_expert_is_about_clark_s_dense_model(routing: str) -> None:
    """The routed law at E = 1 and the dense law are two fits of the same models: 15% apart at 1.3 billion."""
    given_ = {"model.base_params": 1.3e9, "model.experts": 1}
    routed, dense = (value(f"moe.{law}_loss", LEAK, given_) for law in (routing, "clark_dense"))
    assert routed == pytest.approx(dense, rel=0.15)


def test_ludziejewski_joint_law_gives_its_own_row_for_16_experts() -> None:
    row = constants["ludziejewski2025-e16"]
    terms = values(("moe.ludziejewski_params_term", "moe.ludziejewski_tokens_term"), LEAK)
    assert list(terms.values()) == pytest.approx([row.m * 277e9**row.mu, row.n * 13e12**row.nu], rel=0.01)
    assert value("moe.ludziejewski_loss", LEAK) == pytest.approx(1.722, abs=1e-3)
    assert value("moe.ludziejewski_other_loss", LEAK) == pytest.approx(1.710, abs=1e-3)


def test_a_dense_model_is_its_own_equivalent() -> None:
    dense = change(LEAK, {"model.experts": 1, "model.top_k": 1})
    assert value("moe.dense_equivalent", dense) == pytest.approx(value("model.active_params", dense), rel=1e-6)


def test_abnar_s_optimum_is_the_minimum_of_its_loss() -> None:
    best = value("moe.abnar_best_share", LEAK)
    assert 1 - best == pytest.approx(0.94, abs=2e-3)
    here, less, more = (value("moe.abnar_loss", LEAK, {"moe.share_of_tokens": best * x}) for x in (1, 0.99, 1.01))
    assert here < min(less, more)
