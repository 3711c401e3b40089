"""What readers write down and load again: files, shared lines, changes. Nothing is lost, nothing ignored."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.scenario import (
    FIELDS,
    Field,
    Scenario,
    ScenarioError,
    change,
    from_json,
    get,
    load_scenario,
    names,
    share,
    to_json,
)

LEAK = load_scenario("leak")
NUMBERS = [field for field in FIELDS.values() if not (field.choices or field.catalog)]

NO_SCENARIO = [
    *("", "{", "[]", "5", "null", '"x"', "[" * 10**5, '{"a":' * 10**5, '{"training": 5}', '{"training": []}'),
    *('{"training": null}', '{"traning": {"mfu": 0.4}}', '{"training": {"mfuu": 0.4}}', '{"training.mfu": 0.4}'),
    *('{"training": {"mfu": NaN}}', '{"training": {"tokens": 1e999}}', '{"training": {"mfu": true}}'),
    *('{"training": {"mfu": "0.4"}}', '{"training": {"mfu": [1]}}', '{"training": {"mfu": {}}}', '{"": {"": 1}}'),
    *('{"name": 5}', '{"title": [1]}', '{"name": null}', '{"cluster": {"accelerator": []}}'),
    *(
        '{"training": {"mfu": 1%s}}' % ("0" * 400),
        '{"training": {"mfu": 1%s}}' % ("0" * 5000),
        '{"%s": 1}' % ("a" * 10**6),
    ),
    *('{"training": {"mfu": 0.4, "mfu": 0.5}}', '{"toy": {"experts": 4}, "mixture": {"experts": 8}}'),
    *('{"unknown": ["training.mfu"]}', '{"cluster": {"accelerator": "%s"}}' % ("x" * 10**5)),
]


@pytest.mark.parametrize("text", NO_SCENARIO, ids=range(len(NO_SCENARIO)))
def test_what_is_no_scenario_is_refused_in_words(text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        from_json(text)
    assert len(str(caught.value)) < 900


def test_a_mark_of_byte_order_is_no_fault() -> None:
    assert from_json("\ufeff" + to_json(LEAK)) == LEAK


def test_two_names_of_one_field_say_one_thing() -> None:
    with pytest.raises(ScenarioError, match="is set twice"):
        change(LEAK, {"toy.experts": 4, "mixture.experts": 8})
    assert change(LEAK, {"toy.experts": 4, "mixture.experts": 4}).mixture.experts == 4
    with pytest.raises(ScenarioError, match="is set twice"):
        load_scenario("leak?toy.experts=4&mixture.experts=8")


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.path)
def test_numbers_without_end_name_the_field(field: Field) -> None:
    for value in (10**400, -(10**400), 10**5000):
        with pytest.raises(ScenarioError, match=f"^{field.path} = .{{1,90}}; allowed: "):
            change(LEAK, {field.path: value})


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.path)
def test_scalars_of_numpy_are_numbers(field: Field) -> None:
    value = get(LEAK, field.path)
    for scalar in (np.float64(value), np.array(value)):
        assert change(LEAK, {field.path: scalar}) == change(LEAK, {field.path: value})


@pytest.mark.parametrize("name", names())
def test_a_named_scenario_is_shared_and_written(name: str) -> None:
    scenario = load_scenario(name)
    assert load_scenario(share(scenario)) == scenario == from_json(to_json(scenario))


ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def near(number: float) -> float:
    """A number that can be read: what is nearer to nothing than 1e-300 cannot be computed with."""
    return number if abs(number) > 1e-300 else 0.0


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A named scenario with some fields moved, as far as they may be, and words of any kind."""
    scenario = load_scenario(draw(st.sampled_from(names())))
    for field in draw(st.lists(st.sampled_from(list(FIELDS.values())), max_size=6)):
        low, high = field.lo, field.hi
        number = (
            st.just(field.default)
            if field.choices or field.catalog
            else st.integers(int(low), int(high))
            if field.whole
            else st.floats(low, high, allow_subnormal=False).map(near)
        )
        try:
            scenario = change(scenario, {field.path: draw(number)})
        except ScenarioError:
            continue
    return from_json(json.dumps(json.loads(to_json(scenario)) | {"title": draw(ODD), "description": draw(ODD)}))


@settings(max_examples=100, deadline=None)
@given(scenarios())
def test_whatever_is_shared_or_written_comes_back(scenario: Scenario) -> None:
    assert load_scenario(share(scenario)) == scenario == from_json(to_json(scenario))
