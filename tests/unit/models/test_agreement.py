"""One network behind every number: quantities of a scenario and the models of a step and of an answer mean the same.

Over every decoder of the catalog and over every config.json of the tests. Parameters, cache and FLOP are equal, or both
are not known.
"""

from __future__ import annotations

from math import inf

import pytest

from gpt4lab import catalog
from gpt4lab.catalog import MissingFact
from gpt4lab.claims import VERDICTS, audit
from gpt4lab.formulas.parts import SHAPE
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.part import PassPart, held, kv_bytes_per_token
from gpt4lab.models.in_scenario import served_in, trained_in
from gpt4lab.models.inputs import Network, network_of
from gpt4lab.models.search.parameters import parts
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.part import StepPart
from gpt4lab.quantities import QUANTITIES, explain, value
from gpt4lab.scenario import NotKnown, Scenario, change, load_scenario
from gpt4lab.scenario.public import public_models
from tests.unit.scenario.own import CONFIGS, own

OWN = {f"{name}.json": own(name) for name in CONFIGS}
SCENARIOS = {name: load_scenario(name) for name in public_models()} | OWN
KNOWN = [name for name, scenario in SCENARIOS.items() if "model.heads" not in scenario.unknown]
EVERY = pytest.mark.parametrize("name", SCENARIOS)
SHAPED = pytest.mark.parametrize("name", KNOWN)


def network(name: str) -> Network:
    """What the library says of a model, apart from any scenario; of a config.json, its shape."""
    scenario = SCENARIOS[name]
    if name in catalog.models:
        return network_of(name, **({} if "model.context" in scenario.unknown else {"sequence": scenario.model.context}))
    shape = {field: getattr(scenario.model, field) for field in (*SHAPE, "parallel_block", "window_layers")}
    context = scenario.model.context
    return Network(**shape, window=scenario.model.window or inf, sequence=context, max_context=context)


def test_a_shape_is_known_to_both_or_to_none() -> None:
    for name in set(SCENARIOS) - set(KNOWN):
        with pytest.raises(MissingFact):
            network_of(name)


@SHAPED
def test_parameters_are_the_same(name: str) -> None:
    scenario, found = SCENARIOS[name], parts(network(name))
    assert value("model.total_params", scenario) == found.total
    assert value("model.active_params", scenario) == found.active
    assert value("flop.per_token", scenario) - value("flop.looked_up_per_token", scenario) == 2 * found.multiplied


@SHAPED
def test_so_is_the_cache(name: str) -> None:
    scenario, there = SCENARIOS[name], network(name)
    assert value("kv.bytes_per_token", scenario) == kv_bytes_per_token(there)
    if "model.long_context" not in scenario.unknown:
        whole = held(there, Deployment(context=scenario.model.context, overhead_bytes=0))
        assert value("kv.bytes_per_sequence", scenario) == whole.cache


@SHAPED
def test_so_is_the_network_that_trains_and_answers(name: str) -> None:
    scenario, found = SCENARIOS[name], parts(network(name))
    if "model.context" in scenario.unknown:
        with pytest.raises(NotKnown, match=r"model\.context"):
            trained_in(scenario)
        return
    assert parts(trained_in(scenario)) == found
    served = served_in(scenario)
    assert served.rest == pytest.approx(0, abs=1e-6 * served.d_model)
    assert parts(served).total == pytest.approx(found.total, rel=1e-12)
    assert parts(served).active == pytest.approx(found.active, rel=1e-12)


@SHAPED
def test_so_are_weights_and_flop_of_an_answer_which_leaves_out_routers(name: str) -> None:
    there, found = network(name), parts(network(name))
    one_gpu = Deployment(context=1, overhead_bytes=0)
    assert held(there, one_gpu).weights == pytest.approx(2 * (found.total - found.routers), rel=1e-12)
    computed = PassPart(there, one_gpu).flop(cached=0, logits=1, unpacked=False)
    assert computed == pytest.approx(2 * (found.multiplied - found.routers), rel=1e-12)


@SHAPED
def test_so_are_the_flop_of_a_step(name: str) -> None:
    scenario = SCENARIOS[name]
    if "model.context" not in scenario.unknown:
        computed = StepPart(network(name), Layout()).model_flop()
        assert value("flop.training_unmasked_per_token", scenario) == pytest.approx(computed, rel=1e-12)


@EVERY
def test_every_quantity_and_its_explanation_is_told_or_not_known(name: str) -> None:
    scenario, told = SCENARIOS[name], 0
    for quantity in QUANTITIES:
        try:
            told += bool(explain(quantity, scenario))
        except NotKnown as missing:
            assert scenario.title in str(missing)  # noqa: PT017 - what it says is the point
    assert told > len(QUANTITIES) / 3


@EVERY
def test_the_audit_judges_or_says_that_it_is_not_known(name: str) -> None:
    verdicts = {result.verdict for result in audit(SCENARIOS[name])}
    assert verdicts <= set(VERDICTS)
    assert not SCENARIOS[name].unknown or "not-known" in verdicts


@pytest.mark.parametrize("name", OWN)
def test_what_the_reader_adds_is_known(name: str) -> None:
    scenario: Scenario = change(SCENARIOS[name], {"training.tokens": 1e12, "training.batch_tokens": 4e6})
    assert not scenario.unknown
    assert value("training.flop", scenario) == 6 * value("model.active_params", scenario) * 1e12
    assert "not-known" not in {result.verdict for result in audit(scenario)}
