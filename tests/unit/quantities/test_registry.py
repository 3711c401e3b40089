"""Derived numbers: declared soundly, found by search, shown truly, the same for arrays."""

from __future__ import annotations

import math
import pickle
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import gpt4lab.quantities.topics
from gpt4lab.catalog import references
from gpt4lab.claims.prose import fill
from gpt4lab.quantities import QUANTITIES, UnknownQuantity, explain, leaves, quantity, unit_of, value, values
from gpt4lab.quantities.registry import again
from gpt4lab.scenario import FIELDS, NotKnown, ScenarioError, change, get, live, load_scenario, names
from gpt4lab.scenario.field import Sentence
from gpt4lab.scenario.records import GROUPS
from gpt4lab.scenario.rules import LayoutError
from gpt4lab.units import factor

LEAK = load_scenario("leak")


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_is_declared_soundly(name: str) -> None:
    declared = QUANTITIES[name]
    origin = declared.source.partition(":")[0]
    assert origin in ("arithmetic", "assumed") or origin in references, f"no such source: {declared.source}"
    assert declared.meaning.endswith((".", ":")) or ":" in declared.meaning, "one sentence says what it is"
    assert factor(declared.unit, f"({declared.unit})") == pytest.approx(1), "a unit that pint knows"
    assert all(unit_of(path) is not None for path in declared.inputs.values())


TOPICS = Path(gpt4lab.quantities.topics.__file__).parent

PATTERN = re.compile(r'"(\w+\.\w*\{[^"]*)"')  # "scaling.{fit}_loss"


@cache
def declared_in(home: Path) -> tuple[list[str], re.Pattern[str]]:
    """The lines of a topic, and what its literal names and its patterns, filled with its own words, allow."""
    text = home.read_text("utf-8")
    word = "(" + "|".join(set(re.findall(r'"(\w+)"', text))) + ")"
    names = [re.escape(name) for name in re.findall(r'"(\w+\.\w+)"', text)]
    patterns = [re.sub(r"\\{\w+\\}", word, re.escape(pattern)) for pattern in PATTERN.findall(text)]
    return text.splitlines(), re.compile("|".join([*names, *patterns]))


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_name_is_found_by_search_in_the_file_of_its_prefix(name: str) -> None:
    """Literally, or as a pattern whose pieces stand in a table of the same file."""
    file, _, line = QUANTITIES[name].declared.rpartition(":")
    home = TOPICS / f"{name.partition('.')[0]}.py"
    lines, names = declared_in(home)
    assert Path(file).parts[-2:] == home.parts[-2:]
    assert re.match(r"@?(quantity|again)\(", lines[int(line) - 1])
    assert names.fullmatch(name)


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_explains_itself(name: str) -> None:
    found = explain(name, LEAK, depth=9)
    text, latex = found.text(), found.latex()
    assert found.value == value(name, LEAK)
    assert all(symbol.rstrip("_") in found.quantity.formula.text() for symbol in found.quantity.inputs)
    assert text.startswith(name)
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left(") == latex.count(r"\right)")
    assert found.html().count("<ul>") == found.html().count("</ul>")


@pytest.mark.parametrize("scenario", names())
def test_every_quantity_is_a_number_in_every_scenario(scenario: str) -> None:
    there = load_scenario(scenario)
    known = [name for name in QUANTITIES if there.unknown.isdisjoint(leaves((name,)))]
    assert not [name for name, number in values(known, there).items() if not math.isfinite(number)]
    for name in set(QUANTITIES) - set(known):
        with pytest.raises(NotKnown, match="not published, or not found yet"):
            value(name, there)


@pytest.mark.parametrize("name", QUANTITIES)
def test_arrays_give_what_scalars_give(name: str) -> None:
    numpy = pytest.importorskip("numpy")
    for path in leaves((name,)):
        if path in FIELDS and not FIELDS[path].catalog:
            here = float(get(LEAK, path))
            points = [here, 1.25 * here, 2 * here] if FIELDS[path].unit != "fraction" else [0.2, 0.5, 0.8]
            expected = [at(name, path, point) for point in points]
            array = value(name, LEAK, {path: numpy.array(points)}) * numpy.ones(3)
            assert array == pytest.approx(expected, rel=1e-12, nan_ok=True), path


def at(name: str, path: str, point: float) -> float:
    try:
        return value(name, LEAK, {path: point})
    except LayoutError:
        return math.nan


def test_every_input_of_the_scenario_is_used() -> None:
    behind = set(leaves(tuple(QUANTITIES.names())))
    words = {path for path, field in FIELDS.items() if field.catalog or field.choices}
    studies = {group for group, record in GROUPS.items() if record.__module__ == live.__name__}  # say nothing of it
    inputs = {path for path in set(FIELDS) - words if path.partition(".")[0] not in studies}
    assert inputs <= behind, f"no quantity reads {inputs - behind}"


def test_a_name_is_computed_in_one_place() -> None:
    with pytest.raises(ValueError, match="computed in two places"):
        quantity("training.flop", "FLOP", source="arithmetic")(lambda: 1)
    with pytest.raises(ValueError, match="computed in two places"):
        quantity("training.mfu", "fraction", source="arithmetic")(lambda: 1)
    with pytest.raises(ValueError, match="the arguments of"):
        quantity("training.new", "FLOP", source="arithmetic", N="training.tokens")(lambda D: D)
    with pytest.raises(ValueError, match="computed in two places"):
        again({"training.cost": ("cluster.rental", "")}, instead={"training.days": "cluster.days"})
    with pytest.raises(ValueError, match=r"training\.cost under another name"):
        again({"training.cost": ("training.new", "")}, instead={"model.layers": "model.heads"})


def test_what_is_declared_again_reads_its_own_kind_and_else_the_same() -> None:
    first, copy = QUANTITIES["decode.latency"], QUANTITIES["speculation.pass_s"]
    assert copy.function is first.function
    assert set(copy.inputs.values()) == {f"speculation.{part}_s" for part in ("shared", "experts", "attention")}
    assert QUANTITIES["speculation.attention_s"].inputs["t_kv"] == "decode.kv_s"
    assert copy.meaning != first.meaning
    assert QUANTITIES["rerun.days_needed"].meaning == QUANTITIES["training.days"].meaning
    alike = {"speculation.draft_length": 0}
    assert value("speculation.pass_s", LEAK, alike) == value("decode.latency", LEAK, alike)


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(UnknownQuantity, match=r"did you mean training\.cost"):
        value("training.costs", LEAK)
    with pytest.raises(UnknownQuantity, match=r"training\.mfu"):
        value("training.cost", LEAK, {"training.mfuu": 1})


def test_given_paths_override_fields_quantities_and_machines() -> None:
    assert value("training.days", LEAK, {"training.mfu": 0.68}) == pytest.approx(value("training.days", LEAK) / 2)
    assert value("training.cost", LEAK, {"training.days": 100}) == 60e6
    on_h100 = value("training.days", LEAK, {"cluster.accelerator": "h100-sxm-80gb"})
    assert on_h100 == value("training.days", change(LEAK, {"cluster.accelerator": "h100-sxm-80gb"}))


LOOKS = [
    ("training.days", "cluster.gpus"),
    ("geometry.expert_width_ratio", "model.layers"),
    ("step.mfu", "cluster.days"),
]
NO_NUMBERS = (None, True, "5", 1j, Decimal(3), [1], {}, object(), 10**400, math.nan, -math.inf, -1)


@pytest.mark.parametrize("bad", NO_NUMBERS, ids=lambda bad: type(bad).__name__)
@pytest.mark.parametrize(("name", "path"), LOOKS)
def test_what_is_no_number_is_one_clear_error(name: str, path: str, bad: Any) -> None:
    with pytest.raises(
        ScenarioError, match=rf"^{re.escape(path)} = .{{1,80}} is not a finite number from . up; allowed"
    ):
        value(name, LEAK, {path: bad})


def test_numbers_of_another_library_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    name, path = "geometry.expert_width_ratio", "model.layers"
    here = value(name, LEAK, {path: 120})
    for kind in ("int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64"):
        one = numpy.array(120, dtype=kind)
        assert [value(name, LEAK, {path: look}) for look in (one, one[()])] == [here, here]
        assert value(name, LEAK, {path: one.reshape(1)}) == pytest.approx([here], rel=1e-12)
    for bad in ([1, math.nan], [1, math.inf], [-1, 1], [0, 1], [], [True], ["a"], [1j]):
        with pytest.raises(ScenarioError, match=r"^model\.layers = .* is not a finite number from 1 up"):
            value(name, LEAK, {path: numpy.array(bad)})


@pytest.mark.parametrize("path", [path for path, field in FIELDS.items() if field.catalog or field.choices])
@pytest.mark.parametrize("bad", [5, None, "no such thing"])
def test_a_word_is_one_of_its_kind(path: str, bad: Any) -> None:
    if bad in FIELDS[path].choices and isinstance(FIELDS[path].choices, Sentence):
        return  # a line of the reader's own may say so
    told = rf"{re.escape(path)} = .* is not (a name|known|one of)|{re.escape(FIELDS[path].label)}: .*; allowed: "
    with pytest.raises(ScenarioError, match=rf"^({told})"):
        value("training.days", LEAK, {path: bad})


def test_a_look_may_leave_the_slider_but_not_the_meaning() -> None:
    assert value("training.days", LEAK, {"cluster.gpus": 1e8}) < value("training.days", LEAK)
    for path, bad in (("speculation.acceptance", 1), ("speculation.acceptance", 2), ("training.mfu", 5)):
        with pytest.raises(ScenarioError, match=rf"^{re.escape(path)} = {bad} is not a share"):
            value("training.cost", LEAK, {path: bad})
    with pytest.raises(ScenarioError, match=r"training\.mfu = 1e-308 leaves nothing that could be computed"):
        value("training.cost", LEAK, {"training.mfu": 1e-308})


def test_rules_between_fields_hold_for_a_look() -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(LayoutError, match="cannot meet 2 experts of 1"):
        value("moe.touched", LEAK, {"model.experts": 1})
    found = value("moe.touched", LEAK, {"model.experts": numpy.arange(1, 5)})
    assert math.isnan(found[0])
    assert numpy.isfinite(found[1:]).all()
    with pytest.raises(LayoutError, match="cannot meet 2 experts of 1"):
        value("moe.touched", LEAK, {"model.experts": numpy.array([1.0, 1.0])})
    assert value("training.cost", LEAK, {"cluster.pipeline": 500}) == value("training.cost", LEAK), "asks nothing of it"


@pytest.mark.parametrize(("name", "path"), [("step.mfu", "step.seconds"), ("training.cost", "kv.bytes_per_token")])
def test_a_computed_number_that_nothing_reads_is_not_ignored(name: str, path: str) -> None:
    for ask in (value, lambda *asked: explain(asked[0], asked[1], given=asked[2])):
        with pytest.raises(ScenarioError, match=rf"^{re.escape(name)} is not computed from {re.escape(path)}"):
            ask(name, LEAK, {path: 1})


def test_old_names_are_names() -> None:
    assert value("toy.experts", LEAK) == LEAK.mixture.experts
    assert value("toy.experts", LEAK, {"toy.experts": 4}) == 4
    assert unit_of("toy.experts") == unit_of("mixture.experts")
    assert fill("{toy.seed}") == fill("{luck.seed}")


NO_FACTS = [f"cluster.accelerator.{name}" for name in ("nope", "__class__", "need", "sources")]


@pytest.mark.parametrize("path", [*NO_FACTS, "catalog/x", "catalog/models/gpt-9/x", "nope", "a.b"])
def test_what_is_no_fact_is_unknown(path: str) -> None:
    for ask in (lambda: value(path, LEAK), lambda: unit_of(path)):
        with pytest.raises(UnknownQuantity):
            ask()


def test_quantities_of_models_are_found_and_travel() -> None:
    assert QUANTITIES.get("step.mfu") is QUANTITIES["step.mfu"]
    assert QUANTITIES.get("step.nope", 7) == 7
    for name in QUANTITIES.names():
        assert pickle.loads(pickle.dumps(QUANTITIES[name])) is QUANTITIES[name]
    assert pickle.loads(pickle.dumps(LEAK)) == LEAK
