"""What must be true of derived numbers whatever the inputs: sign, bounds, direction, proportion."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt4lab.claims import VERDICTS, audit
from gpt4lab.quantities import QUANTITIES, value, values
from gpt4lab.quantities.topics import goodput
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError, change, load_scenario, share

LEAK = load_scenario("leak")
FACTORS = st.floats(1.05, 20)


def inside(path: str) -> st.SearchStrategy[Any]:
    """Values within the bounds of a field, evenly over its decades."""
    field = FIELDS[path]
    if field.lo > 0 and field.log:
        spread = st.floats(math.log(field.lo), math.log(field.hi)).map(math.exp)
        numbers = spread.map(lambda number: min(max(number, field.lo), field.hi))
    else:
        numbers = st.floats(field.lo, field.hi)
    return numbers.map(lambda number: round(number) if field.whole else number)


NUMBERS = [path for path, field in FIELDS.items() if not (field.catalog or field.choices)]


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """The leak with a few numbers anywhere within their bounds."""
    paths = draw(st.lists(st.sampled_from(NUMBERS), max_size=4, unique=True))
    try:
        return change(LEAK, {path: draw(inside(path)) for path in paths})
    except ScenarioError:  # more experts per token than experts
        return LEAK


@given(scenarios())
def test_the_audit_has_an_answer_for_every_scenario(scenario: Scenario) -> None:
    results = audit(scenario)
    assert {result.verdict for result in results} <= set(VERDICTS)
    assert all(isinstance(result.shown(), str) for result in results)


@given(scenarios())
def test_a_shared_scenario_comes_back(scenario: Scenario) -> None:
    assert load_scenario(share(scenario)) == scenario


@given(scenarios())
def test_shares_stay_between_nothing_and_all(scenario: Scenario) -> None:
    shares = ("moe.share_of_tokens", "moe.idle", "moe.touched", "pipeline.bubble", "goodput.share", "flop.left_out")
    assert all(0 <= share <= 1 for share in values(shares, scenario).values())


NEVER_NEGATIVE = [
    name
    for name in QUANTITIES
    if name.partition(".")[0] in ("flop", "memory", "batch", "training", "cluster", "pipeline", "vision", "scaling")
]


@given(scenarios())
def test_amounts_are_never_negative(scenario: Scenario) -> None:
    found = values(tuple(NEVER_NEGATIVE), scenario)
    assert not [name for name, number in found.items() if number < 0]


PROPORTIONAL = [
    ("training.flop", "training.tokens", 1),
    ("training.cost", "training.tokens", 1),
    ("training.cost", "training.mfu", -1),
    ("training.cost", "cluster.usd_per_gpu_hour", 1),
    ("training.cost", "cluster.gpus", 0),
    ("training.days", "cluster.gpus", -1),
    ("cluster.rental", "cluster.days", 1),
    ("training.implied_mfu", "cluster.days", -1),
    ("geometry.attention_params", "model.d_model", 1),
    ("geometry.full_attention_params", "model.d_model", 2),
    ("geometry.width_from_attention", "model.layers", -0.5),
    ("flop.scores_per_token", "model.context", 1),
    ("kv.bytes_per_token", "model.kv_heads", 1),
    ("kv.bytes_per_sequence", "model.context", 1),
    ("decode.latency_floor", "serving.tensor", -1),
    ("decode.latency_floor", "serving.bytes_per_weight", 1),
    ("serving.paid_tokens_per_s", "serving.gpus", 1),
    ("serving.paid_mfu", "serving.usd_per_1k_tokens", -1),
    ("batch.tokens_per_expert", "training.batch_tokens", 1),
    ("goodput.failures_per_day", "cluster.gpus", 1),
    ("goodput.young_interval", "cluster.gpus", -0.5),
    ("vision.params", "model.d_model", 2),
    ("data.effective_text", "data.web_tokens", 1),
    ("scaling.rule_tokens_active", "model.expert_params", None),
    ("rerun.improvement", "rerun.mfu", 1),
]


@pytest.mark.parametrize(("name", "path", "power"), PROPORTIONAL)
@given(times=FACTORS)
def test_a_quantity_follows_a_power_of_its_input(name: str, path: str, power: float | None, times: float) -> None:
    here = getattr(*_owner(path))
    ratio = value(name, LEAK, {path: here * times}) / value(name, LEAK)
    if power is None:
        assert 1 < ratio < times, "grows, but less than in proportion: other parts stay"
    else:
        assert ratio == pytest.approx(times**power, rel=1e-9)


def _owner(path: str) -> tuple[Any, str]:
    group, _, field = path.partition(".")
    return getattr(LEAK, group), field


RISING = [
    ("moe.touched", "decode.micro_batch", 1.0),
    ("speculation.tokens_per_pass", "speculation.draft_length", 1.0),
    ("data.effective_text", "data.text_epochs", 1.0),
    ("training.mfu_after_bubble", "pipeline.micro_batches", 1.0),
    ("decode.tokens_per_s", "serving.tokens_in_flight", 1.0),
    ("batch.critical_kaplan", "training.tokens", 1e12),
    ("scaling.besiroglu_tokens_active", "model.expert_params", 1e9),
    ("moe.dense_equivalent", "model.active_params", 1e9),
]


@pytest.mark.parametrize(("name", "path", "least"), RISING)
@given(low=st.floats(1, 50), times=FACTORS)
def test_a_quantity_rises_with_its_input(name: str, path: str, least: float, low: float, times: float) -> None:
    below, above = (value(name, LEAK, {path: least * low * factor}) for factor in (1, times))
    assert below <= above


@given(alpha=st.floats(0.01, 0.99), cost=st.floats(0.001, 0.5), length=st.integers(0, 64))
def test_a_pass_yields_between_one_token_and_all(alpha: float, cost: float, length: int) -> None:
    settings = {"speculation.acceptance": alpha, "speculation.draft_length": length, "speculation.draft_cost": cost}
    tokens, speed = values(("speculation.tokens_per_pass", "speculation.speedup"), LEAK, settings).values()
    assert 1 <= tokens <= length + 1 + 1e-9
    assert speed <= tokens + 1e-9
    one = value("speculation.speedup", LEAK, {**settings, "speculation.draft_length": 1})
    assert one == pytest.approx((1 + alpha) / (1 + cost)), "Corollary 3.9"


@given(epochs=st.floats(1, 100), fresh=st.floats(1e9, 1e14))
def test_repetition_is_worth_less_than_fresh_tokens_but_something(epochs: float, fresh: float) -> None:
    settings = {"data.web_tokens": fresh, "data.text_epochs": epochs}
    worth = value("data.effective_text", LEAK, settings)
    assert fresh <= worth * (1 + 1e-12)
    assert worth <= fresh * epochs * (1 + 1e-12)


@given(mtbf=st.floats(0.5, 1000), minutes=st.floats(0.1, 10), restart=st.floats(0.1, 60), times=st.floats(1.5, 20))
def test_young_s_interval_is_near_the_best(mtbf: float, minutes: float, restart: float, times: float) -> None:
    best = goodput.young_interval(minutes, mtbf)
    at_best, too_rare, too_often = (
        goodput.share(interval, minutes, restart, mtbf) for interval in (best, best * times, best / times)
    )
    assert 0 <= at_best <= 1
    assert at_best >= 0.97 * max(too_rare, too_often), "Young's rule is an approximation"
    by_daly = goodput.daly_interval(best, minutes, mtbf)
    assert goodput.share(by_daly, minutes, restart, mtbf) >= at_best * (1 - 1e-4), "Daly's corrections do not harm"


@given(mfu=st.floats(0.05, 0.9), gpus=st.integers(100, 10**6), tokens=st.floats(1e10, 1e15))
def test_days_and_utilisation_are_two_sides_of_one_equation(mfu: float, gpus: int, tokens: float) -> None:
    scenario = change(LEAK, {"training.mfu": mfu, "cluster.gpus": gpus, "training.tokens": tokens})
    settings = {"cluster.days": value("training.days", scenario)}
    assert value("training.implied_mfu", scenario, settings) == pytest.approx(mfu)
    assert value("training.gpus_needed", scenario, settings) == pytest.approx(gpus)
    assert value("training.flop_from_machines", scenario, settings) == pytest.approx(value("training.flop", scenario))
