"""What readers write down and load again: files, shared lines, changes. Nothing is lost, nothing ignored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt4lab.quantities import explain, value
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
from gpt4lab.units import counted, show

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
    for endless in (10**400, -(10**400), 10**5000):
        with pytest.raises(ScenarioError, match=f"^{field.path} = .{{1,90}}; allowed: "):
            change(LEAK, {field.path: endless})


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.path)
def test_scalars_of_numpy_are_numbers(field: Field) -> None:
    number = get(LEAK, field.path)
    for scalar in (np.float64(number), np.array(number)):
        assert change(LEAK, {field.path: scalar}) == change(LEAK, {field.path: number})


@pytest.mark.parametrize("name", names())
def test_a_named_scenario_is_shared_and_written(name: str) -> None:
    scenario = load_scenario(name)
    assert load_scenario(share(scenario)) == scenario == from_json(to_json(scenario))


ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


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
            else st.floats(low, high)
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


NO_SCENARIOS: list[Any] = [5, None, 0.5, b"leak", ["leak"], {"training": 5}, object()]


@pytest.mark.parametrize("bad", NO_SCENARIOS, ids=lambda bad: type(bad).__name__)
def test_no_door_takes_what_is_no_scenario(bad: Any) -> None:
    doors: list[Callable[[], Any]] = [
        *(lambda: load_scenario(bad), lambda: change(bad, {}), lambda: share(bad), lambda: to_json(bad)),
        *(lambda: value("training.flop", bad), lambda: explain("training.flop", bad)),
    ]
    for door in doors:
        with pytest.raises(ScenarioError, match="scenario"):
            door()


@pytest.mark.parametrize("bad", [5, None, "training.mfu=0.4", ["training.mfu"]])
def test_changes_that_are_no_table_are_refused_in_words(bad: Any) -> None:
    with pytest.raises(ScenarioError, match="a table of paths"):
        change(LEAK, bad)
    if bad:
        with pytest.raises(ScenarioError, match="a table of paths"):
            value("training.flop", LEAK, bad)


@pytest.mark.parametrize("word", ["name", "title", "description"])
@pytest.mark.parametrize("half", ["\ud800", "mine \udfff", "\udc00\ud800"])
def test_what_no_file_can_hold_is_no_name(word: str, half: str) -> None:
    doors: list[Callable[[], Any]] = [
        lambda: from_json(json.dumps({word: half})),
        lambda: load_scenario(f"leak?{word}={half}"),
        lambda: attrs.evolve(LEAK, **{word: half}),
    ]
    for door in doors:
        with pytest.raises(ScenarioError, match=f"the {word} of a scenario, .* cannot be written"):
            door()


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.path)
@pytest.mark.parametrize("tiny", [5e-324, 1e-310, 1e-301, -1e-310])
def test_what_is_taken_can_be_shared(field: Field, tiny: float) -> None:
    with pytest.raises(ScenarioError, match=f"^{field.path} = "):
        change(LEAK, {field.path: tiny})
    if field.lo == 0:
        none = change(LEAK, {field.path: 0})
        assert load_scenario(share(none)) == none


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.path)
def test_a_refusal_says_the_unit_once_and_in_the_right_number(field: Field) -> None:
    with pytest.raises(ScenarioError) as caught:
        change(LEAK, {field.path: -1.5})
    ends = str(caught.value).partition("allowed: ")[2].replace(f" ({show([field.lo, field.hi], 'fraction')})", "")
    least = counted(field.lo, field.unit) if field.unit == "date" else f"{field.lo:,.12g}"  # a month has no unit
    assert ends in (f"{least} to {counted(field.hi, field.unit)}.", f"{counted(field.hi, field.unit)}.")
    words = re.findall("[A-Za-z]+", ends.partition(" to ")[2])
    assert len(words) == len(set(words))
