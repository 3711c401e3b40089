"""Derived numbers: declared soundly, found by search, shown truly, the same for arrays."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

import pytest

import gpt4lab.quantities.topics
from gpt4lab.catalog import references
from gpt4lab.quantities import QUANTITIES, UnknownQuantity, explain, leaves, quantity, unit_of, value, values
from gpt4lab.quantities.registry import again
from gpt4lab.scenario import FIELDS, change, get, live, load_scenario, names
from gpt4lab.scenario.records import GROUPS
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
    found = values(tuple(QUANTITIES), load_scenario(scenario))
    assert not [name for name, number in found.items() if not math.isfinite(number)]


@pytest.mark.parametrize("name", QUANTITIES)
def test_arrays_give_what_scalars_give(name: str) -> None:
    numpy = pytest.importorskip("numpy")
    for path in leaves((name,)):
        if path in FIELDS and not FIELDS[path].catalog:
            here = float(get(LEAK, path))
            points = [here, 1.25 * here, 2 * here] if path != "speculation.acceptance" else [0.2, 0.5, 0.8]
            expected = [value(name, LEAK, {path: point}) for point in points]
            array = value(name, LEAK, {path: numpy.array(points)}) * numpy.ones(3)
            assert array == pytest.approx(expected, rel=1e-12), path


def test_every_input_of_the_scenario_is_used() -> None:
    behind = set(leaves(tuple(QUANTITIES)))
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
    assert dict(copy.inputs) == {"t_w": "speculation.read_s", "t_kv": "decode.kv_s", "t_c": "speculation.compute_s"}
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
