"""An explanation names the source of the value that it shows, and answers for fields and facts too."""

from __future__ import annotations

from typing import Any

import pytest

from gpt4lab.quantities import QUANTITIES, UnknownQuantity, explain, leaves, value
from gpt4lab.quantities.explain import Explanation
from gpt4lab.quantities.formula import Formula
from gpt4lab.quantities.leaf import Leaf
from gpt4lab.scenario import FIELDS, ScenarioError, change, get, load_scenario, names
from gpt4lab.scenario.counted import SHAPE, SIZES
from gpt4lab.scenario.origin import YOURS, origin

LEAK = load_scenario("leak")
INPUTS = leaves(tuple(QUANTITIES.names()))


def inputs(found: Explanation) -> list[Any]:
    """All inputs of an explanation, however deep."""
    deeper = [item for part in found.inputs if part.made_of for item in inputs(part.made_of)]
    return [*found.inputs, *deeper]


@pytest.mark.parametrize("name", names())
def test_the_inputs_of_an_explanation_have_the_origin_of_their_values(name: str) -> None:
    scenario = load_scenario(name)
    known = [quantity for quantity in QUANTITIES if scenario.unknown.isdisjoint(leaves((quantity,)))]
    assert len(known) > len(QUANTITIES) / 3
    found = [item for quantity in known for item in explain(quantity, scenario).inputs]
    for item in found:
        if item.path in FIELDS:
            assert item.origin == origin(scenario, item.path)
        else:
            assert item.origin == "computed" or item.origin.startswith("catalog: "), item.path
            assert (item.origin == "computed") == (item.path in QUANTITIES)


@pytest.mark.parametrize("door", ["set", "given"])
def test_what_was_set_is_yours_in_text_html_and_latex(door: str) -> None:
    mine = {"training.mfu": 0.4}
    scenario = change(LEAK, mine) if door == "set" else LEAK
    found = explain("training.cost", scenario, depth=3, given=mine if door == "given" else None)
    assert "training.mfu  (yours)" in found.text()
    assert "C29" not in found.text() + found.html()
    assert [item.origin for item in inputs(found) if item.path == "training.mfu"] == [YOURS]


def test_another_machine_brings_its_own_facts() -> None:
    found = explain("cluster.flop_per_s", LEAK, given={"cluster.accelerator": "h100-sxm-80gb"})
    (fact,) = (item for item in found.inputs if item.path not in FIELDS)
    assert fact.origin.startswith("catalog: H100")
    assert found.value == value("cluster.flop_per_s", LEAK, {"cluster.accelerator": "h100-sxm-80gb"})


def test_a_quantity_that_was_given_is_yours() -> None:
    (days,) = (
        i for i in explain("training.cost", LEAK, given={"training.days": 7}).inputs if i.path == "training.days"
    )
    assert (days.origin, days.value, days.made_of) == (YOURS, 7, None)


@pytest.mark.parametrize("path", sorted({*FIELDS, *INPUTS}))
def test_a_field_or_a_fact_tells_value_range_meaning_source_and_line(path: str) -> None:
    found = explain(path, LEAK)
    assert isinstance(found, Leaf)
    assert found.value == value(path, LEAK)
    assert found.meaning
    assert found.origin in found.text()
    assert ("allowed" in found.text()) == (path in FIELDS)
    file, _, line = found.declared.rpartition(":")
    assert file.endswith(".py" if path in FIELDS else ".toml")
    assert int(line) > 1
    assert found.html().count("<p>") == found.html().count("</p>") > 1


def test_a_field_that_was_given_shows_what_was_given() -> None:
    found = explain("training.mfu", LEAK, given={"training.mfu": 0.4})
    assert (found.value, found.origin) == (0.4, YOURS)
    word = explain("cluster.accelerator", LEAK, given={"cluster.accelerator": "b200"})
    assert (word.value, word.origin) == ("b200", YOURS)
    assert get(LEAK, "cluster.accelerator") != "b200"


def test_what_no_field_can_be_is_refused_for_a_field_too() -> None:
    with pytest.raises(ScenarioError, match=r"training\.mfu"):
        explain("training.mfu", LEAK, given={"training.mfu": float("nan")})


@pytest.mark.parametrize(
    "name",
    ["", " ", "x", "training.cots", "trainin", "catalog/models/nobody/mfu", "cluster.accelerator.nope", "a" * 10**6],
)
def test_an_unknown_name_is_told_in_one_short_line(name: str) -> None:
    with pytest.raises(UnknownQuantity) as caught:
        explain(name, LEAK)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_a_number_given_deep_down_is_passed_to_those_that_read_it() -> None:
    found = explain("moe.touched", LEAK, depth=3, given={"decode.micro_batch": 32})
    assert found.value == value("moe.touched", LEAK, {"decode.micro_batch": 32})
    assert {item.origin for item in inputs(found) if item.path == "decode.micro_batch"} == {"yours"}


WEIGHTS = ["memory.weights", "step.weight_bytes", "model.total_params", "training.flop"]


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("base", names())
def test_two_weights_of_one_model_are_said(base: str, name: str) -> None:
    scenario = load_scenario(base)
    if not scenario.unknown.isdisjoint({*SHAPE, *SIZES}):
        return
    scenario = change(scenario, {"training.tokens": 1e12, "training.batch_tokens": 4e6, "model.context": 4096})
    words = explain(name, scenario)
    assert (words.text() + words.html()).count("two models here") == (2 if base == "hotz-8x220b" else 0)
    moved = change(scenario, {"model.counted": 0, "model.d_ff": max(64, scenario.model.d_ff // 3)})
    assert "two models here" in explain(name, moved).text()
    assert "two models here" not in explain(name, change(moved, {"model.counted": 1})).text()


@pytest.mark.parametrize(
    ("shown", "latex"),
    [
        ("a / b / c", r"\frac{a}{b \cdot c}"),
        ("a / (b / c)", r"\frac{a \cdot c}{b}"),
        ("a / b / (c / d)", r"\frac{a \cdot d}{b \cdot c}"),
        ("(a + b) / c / d", r"\frac{a + b}{c \cdot d}"),
        ("a / (b + c / d)", r"\frac{a}{b + \frac{c}{d}}"),
    ],
)
def test_fractions_of_fractions_are_one(shown: str, latex: str) -> None:
    assert Formula(lambda: 0, shown).latex() == latex


def test_symbols_of_the_inputs_are_maths_as_in_the_formula() -> None:
    page = explain("goodput.share", LEAK).html()
    assert r'tabindex="0">$\tau$</span> = 0.5 hours' in page
    assert r"\frac{\class{mjx-g4l-reliability-checkpoint_interval_hours}{\tau} \cdot \exp" in page


def test_a_symbol_has_the_mark_of_the_only_input_behind_it() -> None:
    page = explain("goodput.share", LEAK).html()
    assert r"\class{mjx-g4l-reliability-restart_minutes}{R}" in page
    assert r"{M}{" not in page.replace("$M$", "")  # it follows from several
