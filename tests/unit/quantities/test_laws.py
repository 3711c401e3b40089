"""What must be true of derived numbers whatever the inputs: sign, bounds, direction, proportion."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt4lab import catalog
from gpt4lab.catalog import MissingFact
from gpt4lab.claims import VERDICTS, audit
from gpt4lab.quantities import QUANTITIES, value, values
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError, change, get, load_scenario, share

LEAK = load_scenario("leak")

FACTORS = st.floats(1.05, 20)


MODELLED = [name for name in QUANTITIES.names() if name not in [*QUANTITIES]]


def inside(path: str) -> st.SearchStrategy[Any]:
    """Values within the bounds of a field, evenly over its decades."""
    field = FIELDS[path]
    if field.lo > 0 and field.log:
        spread = st.floats(math.log(field.lo), math.log(field.hi)).map(math.exp)
        numbers = spread.map(lambda number: min(max(number, field.lo), field.hi))
    else:
        numbers = st.floats(field.lo, field.hi)
    return st.just(field.lo) | st.just(field.hi) | numbers.map(lambda n: round(n) if field.whole else n)


NUMBERS = [path for path, field in FIELDS.items() if not (field.catalog or field.choices)]


def words(path: str) -> st.SearchStrategy[str]:
    """What a field of words may say."""
    field = FIELDS[path]
    return st.sampled_from(field.choices or [*getattr(catalog, field.catalog)])


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """The leak with a few numbers anywhere within their bounds."""
    paths = draw(st.lists(st.sampled_from([*FIELDS]), max_size=6, unique=True))
    try:
        found = change(LEAK, {path: draw(inside(path) if path in NUMBERS else words(path)) for path in paths})
        values(tuple(QUANTITIES), found)
    except ScenarioError:  # more experts per token than experts, stages without a layer
        return LEAK
    return found


@given(scenarios())
def test_the_audit_has_an_answer_for_every_scenario(scenario: Scenario) -> None:
    results = audit(scenario)
    assert {result.verdict for result in results} <= set(VERDICTS)
    assert all(isinstance(result.shown(), str) for result in results)


@given(scenarios())
def test_every_quantity_is_a_finite_number(scenario: Scenario) -> None:
    found = values(tuple(QUANTITIES), scenario)
    assert not [name for name, number in found.items() if not math.isfinite(number)]
    for name in MODELLED:
        with suppress(ScenarioError, MissingFact):  # a layout that no cluster can run, or a chip without a network
            assert math.isfinite(value(name, scenario)), name


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
    ("serving.paid_tokens_per_s", "serving.pipeline", 1),
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
    here = get(LEAK, path)
    times = min(times, FIELDS[path].sense[1] / here)  # a share is at most 1
    ratio = value(name, LEAK, {path: here * times}) / value(name, LEAK)
    if power is None:
        assert 1 < ratio < times, "grows, but less than in proportion: other parts stay"
    else:
        assert ratio == pytest.approx(times**power, rel=1e-9)


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
