"""Scaling laws: the published numbers, how far each law is stretched, and the optimum that counts answering."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab import catalog
from gpt4lab.catalog import constants
from gpt4lab.models.curves import iso_flop, lifetime_optimum, optimum
from gpt4lab.quantities import QUANTITIES, value, values
from gpt4lab.quantities.topics import moe, scaling
from gpt4lab.quantities.topics.stretch import LAWS, farthest, stretches
from gpt4lab.scenario import load_scenario

LEAK = load_scenario("leak")
C = 2.15e25


# Kaplan, and the laws about experts


def test_kaplan_would_have_built_eleven_trillion_parameters() -> None:
    """Table 5 of the paper at one PFLOP/s-day, and the exponents; far from every later optimum."""
    day = 8.64e19
    one = values(("scaling.kaplan_params", "scaling.kaplan_tokens"), LEAK, {"training.flop": day})
    assert list(one.values()) == pytest.approx([1.3e9, 2e10])
    assert value("scaling.kaplan_params", LEAK, {"training.flop": C}) == pytest.approx(11.3e12, rel=0.01)
    ten = value("scaling.kaplan_tokens", LEAK, {"training.flop": 10 * day})
    assert ten / one["scaling.kaplan_tokens"] == pytest.approx(10**0.27)


@pytest.mark.parametrize(
    ("name", "given_", "loss"),
    [
        ("scaling.kaplan_loss_params", {"model.active_params": 8.8e13}, 1.0),
        ("scaling.kaplan_loss_tokens", {"training.tokens": 5.4e13}, 1.0),
        ("scaling.kaplan_loss_flop", {"training.flop": 3.1e8 * 8.64e19}, 1.0),
        ("scaling.kaplan_loss_params", {"model.active_params": 1.5e9}, 2.304),
    ],
)
def test_kaplan_s_three_laws(name: str, given_: dict[str, float], loss: float) -> None:
    assert value(name, LEAK, given_) == pytest.approx(loss, rel=1e-3)


@pytest.mark.parametrize(("loss", "batch"), [(1.9, 9.4e6), (1.8, 12.2e6), (1.7, 16.0e6)])
def test_kaplan_s_critical_batch(loss: float, batch: float) -> None:
    found = value("batch.critical_kaplan", LEAK, {"scaling.besiroglu_loss": loss})
    assert found == pytest.approx(batch, rel=5e-3)


def test_mccandlish_trades_steps_for_tokens() -> None:
    """(S/S_min - 1)(E/E_min - 1) = 1 at every batch; at 60M and a critical 12M 1.2 times the steps, 6 the tokens."""
    for batch in (1e6, 12e6, 60e6):
        given_ = {"training.batch_tokens": batch, "batch.critical_kaplan": 12e6}
        steps, tokens = (value(f"batch.extra_{what}", LEAK, given_) for what in ("steps", "tokens"))
        assert (steps - 1) * (tokens - 1) == pytest.approx(1)
    assert (steps, tokens) == pytest.approx((1.2, 6))


def test_deepseek_s_learning_rate() -> None:
    law = constants["deepseek2024-batch"]
    assert value("batch.deepseek_learning_rate", LEAK, {"training.flop": 1e19}) == pytest.approx(law.h * 1e19**-0.125)


def test_abnar_s_optimum_is_the_minimum_of_its_loss() -> None:
    best = value("moe.abnar_best_share", LEAK)
    assert 1 - best == pytest.approx(0.94, abs=2e-3)
    here, less, more = (value("moe.abnar_loss", LEAK, {"moe.share_of_tokens": best * x}) for x in (1, 0.99, 1.01))
    assert here < min(less, more)


@pytest.mark.parametrize("routing", moe.ROUTINGS)
def test_one_expert_is_about_clark_s_dense_model(routing: str) -> None:
    """The routed law at E = 1 and the dense law are two fits of the same models: 15% apart at 1.3 billion."""
    given_ = {"model.base_params": 1.3e9, "model.experts": 1}
    routed, dense = (value(f"moe.{law}_loss", LEAK, given_) for law in (routing, "clark_dense"))
    assert routed == pytest.approx(dense, rel=0.15)


def test_excess_parameters_count_for_less() -> None:
    few = {"data.web_tokens": 1e11, "data.code_tokens": 1e9}
    assert value("data.effective_params", LEAK) == value("model.active_params", LEAK)
    supported, effective = values(("data.supported_params", "data.effective_params"), LEAK, few).values()
    assert supported < effective < value("model.active_params", LEAK)
    assert value("data.repeated_loss", LEAK, few) > value("data.repeated_loss", LEAK)


# Chinchilla's curves


@pytest.mark.parametrize("fit", scaling.FITS)
def test_an_iso_flop_curve_is_least_at_the_optimum(fit: str) -> None:
    curve, best = iso_flop(fit, C), optimum(fit, C)
    assert all(6 * point.params * point.tokens == pytest.approx(C) for point in curve)
    assert min(curve, key=lambda point: point.loss).params == pytest.approx(best.params)
    name = tuple(f"scaling.{fit}_{what}" for what in ("params", "tokens"))
    assert (best.params, best.tokens) == pytest.approx(tuple(values(name, LEAK, {"training.flop": C}).values()))


# Answering counted


@pytest.mark.parametrize("fit", scaling.FITS)
def test_without_answers_it_is_chinchilla_s_optimum(fit: str) -> None:
    best = optimum(fit, C)
    found = lifetime_optimum(fit, best.loss, 0)
    assert (found.params, found.tokens) == pytest.approx((best.params, best.tokens), rel=1e-9)


@settings(deadline=None)
@given(st.sampled_from(list(scaling.FITS)), st.floats(0.01, 2), st.floats(0, 1e20))
def test_the_terms_balance_as_sardana_derives(fit: str, above: float, served: float) -> None:
    """eps_N / eps_D = 1 + D_inf / (3 D), with eps_N = alpha A/N^alpha and eps_D = beta B/D^beta."""
    law = constants[scaling.FITS[fit]]
    found = lifetime_optimum(fit, law.E + above, served)
    ratio = law.alpha * law.A / found.params**law.alpha / (law.beta * law.B / found.tokens**law.beta)
    assert ratio == pytest.approx(1 + served / (3 * found.tokens), rel=1e-9)


@settings(deadline=None)
@given(st.sampled_from(list(scaling.FITS)), st.floats(0, 1e18), st.floats(1.001, 2))
def test_no_neighbour_of_equal_loss_is_cheaper(fit: str, served: float, factor: float) -> None:
    law = {symbol: getattr(constants[scaling.FITS[fit]], symbol) for symbol in scaling.LAW}
    target = optimum(fit, C).loss
    best = lifetime_optimum(fit, target, served)

    def cost(D: float) -> float:
        return scaling.lifetime_flop(scaling.params_at_loss(target, D, **law), D, served)

    assert cost(best.tokens) <= cost(best.tokens * factor) * (1 + 1e-12)
    if target - law["E"] > law["B"] / (best.tokens / factor) ** law["beta"]:
        assert cost(best.tokens) <= cost(best.tokens / factor) * (1 + 1e-12)


def test_more_answers_ask_for_a_smaller_model_trained_for_longer() -> None:
    target = optimum("besiroglu", C).loss
    found = [lifetime_optimum("besiroglu", target, served) for served in (0, 1e13, 1e15)]
    assert [point.params for point in found] == sorted((point.params for point in found), reverse=True)
    assert [point.tokens for point in found] == sorted(point.tokens for point in found)
    assert value("scaling.besiroglu_lifetime_saving", LEAK) >= 1


# How far


def test_every_law_says_how_far_it_is_stretched() -> None:
    rows = stretches(LEAK)
    assert {row.law for row in rows} == set(LAWS)
    assert all(row.stretch == pytest.approx(row.used / row.highest) for row in rows)
    assert all(row.lowest is None or row.lowest < row.highest for row in rows)
    assert [row.stretch for row in rows] == sorted((row.stretch for row in rows), reverse=True)
    fitted = {slug for slug, entry in constants.items() if any(key.endswith("_fitted") for key in entry.values)}
    others = {"clark2022-rl-r", "clark2022-hash"}  # of the same runs as S-BASE
    assert fitted - others <= {slug for slug, _ in LAWS.values()}


def test_the_laws_on_experts_are_stretched_a_hundredfold() -> None:
    for law in ("clark", "krajewski", "ludziejewski", "abnar"):
        assert farthest(law, LEAK) >= 100
    assert farthest("hoffmann", LEAK) == pytest.approx(26)
    inside = {"model.active_params": 1e9, "training.tokens": 1e11}
    assert max(values(("stretch.hoffmann_params", "stretch.hoffmann_tokens"), LEAK, inside).values()) < 1


@pytest.mark.parametrize("name", [name for name in QUANTITIES if name.startswith("stretch.")])
def test_a_stretch_has_a_source(name: str) -> None:
    assert QUANTITIES[name].source in catalog.references
    assert math.isfinite(value(name, LEAK))
