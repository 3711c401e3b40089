"""Chinchilla's fits and Kaplan's laws, the optimum that counts answering, and how far each law is stretched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt4lab.catalog import constants
from gpt4lab.models.curves import iso_flop, lifetime_optimum, optimum
from gpt4lab.quantities import value, values
from gpt4lab.quantities.topics import scaling
from gpt4lab.quantities.topics.stretch import LAWS, farthest, stretches
from gpt4lab.scenario import load_scenario

LEAK = load_scenario("leak")

C = 2.15e25


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


@pytest.mark.parametrize(
    ("fit", "params", "tokens", "active"),
    [
        ("hoffmann", 165e9, 21.7e12, 40.7e12),
        ("hoffmann_tex", 210e9, 17.0e12, 23.6e12),
        ("besiroglu", 462e9, 7.76e12, 4.77e12),
    ],
)
def test_chinchilla_by_each_fit(fit: str, params: float, tokens: float, active: float) -> None:
    names_ = tuple(f"scaling.{fit}_{what}" for what in ("params", "tokens", "tokens_active"))
    found = values(names_, LEAK, {"training.flop": 2.15e25})
    assert list(found.values()) == pytest.approx([params, tokens, active], rel=5e-3)


@pytest.mark.parametrize("fit", scaling.FITS)
def test_the_closed_form_is_the_minimum_of_the_loss(fit: str) -> None:
    law = {symbol: getattr(constants[scaling.FITS[fit]], symbol) for symbol in ("E", "A", "alpha", "B", "beta")}
    flop, best = 1e24, value(f"scaling.{fit}_params", LEAK, {"training.flop": 1e24})

    def loss(params: float) -> float:
        return scaling.loss(params, flop / (6 * params), **law)

    assert loss(best) < min(loss(0.99 * best), loss(1.01 * best))
    exponents = {"alpha": law["alpha"], "beta": law["beta"]}
    balance = value(f"scaling.{fit}_balance", LEAK)
    assert scaling.best_tokens(best, balance, **exponents) == pytest.approx(flop / (6 * best))


@pytest.mark.parametrize("fit", scaling.FITS)
def test_an_iso_flop_curve_is_least_at_the_optimum(fit: str) -> None:
    curve, best = iso_flop(fit, C), optimum(fit, C)
    assert all(6 * point.params * point.tokens == pytest.approx(C) for point in curve)
    assert min(curve, key=lambda point: point.loss).params == pytest.approx(best.params)
    name = tuple(f"scaling.{fit}_{what}" for what in ("params", "tokens"))
    assert (best.params, best.tokens) == pytest.approx(tuple(values(name, LEAK, {"training.flop": C}).values()))


@pytest.mark.parametrize("fit", scaling.FITS)
def test_without_answers_it_is_chinchilla_s_optimum(fit: str) -> None:
    best = optimum(fit, C)
    found = lifetime_optimum(fit, best.loss, 0)
    assert (found.params, found.tokens) == pytest.approx((best.params, best.tokens), rel=1e-9)


@given(st.sampled_from(list(scaling.FITS)), st.floats(0.01, 2), st.floats(0, 1e20))
def test_the_terms_balance_as_sardana_derives(fit: str, above: float, served: float) -> None:
    """eps_N / eps_D = 1 + D_inf / (3 D), with eps_N = alpha A/N^alpha and eps_D = beta B/D^beta."""
    law = constants[scaling.FITS[fit]]
    found = lifetime_optimum(fit, law.E + above, served)
    ratio = law.alpha * law.A / found.params**law.alpha / (law.beta * law.B / found.tokens**law.beta)
    assert ratio == pytest.approx(1 + served / (3 * found.tokens), rel=1e-9)


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
