"""Where a value comes from follows the value: over every field of every named scenario."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest

from gpt4lab import catalog
from gpt4lab.catalog import references
from gpt4lab.claims import ledger
from gpt4lab.scenario import FIELDS, Scenario, ScenarioError, change, differences, file_of, load_scenario, names
from gpt4lab.scenario import told as value_of
from gpt4lab.scenario.counted import SIZES
from gpt4lab.scenario.origin import INSTEAD, YOURS, origin
from gpt4lab.scenario.public import facts_behind, public_models

LEAK = load_scenario("leak")
PLAIN = [name for name in names() if name not in public_models()]


def told(path: str, scenario: Any) -> str:
    """The source without the name of the scenario or entry that it comes through."""
    return origin(scenario, path).removeprefix(f"{scenario.name}: ")


@pytest.mark.parametrize("name", names())
def test_only_what_nobody_changed_has_the_source_of_its_declaration(name: str) -> None:
    scenario = load_scenario(name)
    changed = differences(scenario, LEAK)
    for path, field in FIELDS.items():
        assert path not in changed or origin(scenario, path) != field.source, path
        assert path in changed or origin(scenario, path) == field.source or name in public_models(), path
        assert origin(scenario, path) != YOURS, path


@pytest.mark.parametrize("name", public_models())
def test_what_a_public_model_sets_is_the_catalogs(name: str) -> None:
    scenario, entry = load_scenario(name), catalog.models[name]
    references_of = {source.reference for source in entry.sources}
    of_the_model = {path for path in FIELDS if path.startswith("model.")} - {INSTEAD}
    set_by_it = {*facts_behind(entry), *of_the_model} - scenario.unknown
    for path in FIELDS:
        words = origin(scenario, path)
        assert words.startswith(f"catalog: {entry.name}, ") == (path in set_by_it), path
        assert (words == "not published, or not found yet") == (path in scenario.unknown)
        if path in facts_behind(entry) and path not in SIZES:
            ours = "computed" in words or "assumed: " in words
            assert ours or any(reference in words for reference in references_of), words


@pytest.mark.parametrize("name", PLAIN)
def test_a_named_scenario_gives_a_source_for_all_that_it_sets(name: str) -> None:
    scenario, sources = load_scenario(name), file_of(name).get("sources", {})
    assert set(sources) >= set(differences(scenario, LEAK))
    assert set(sources) <= set(FIELDS)
    for path in sources:
        word, _, _ = told(path, scenario).partition(":")
        assert word in ("assumed", "computed") or word in ledger() or word in references, path


@pytest.mark.parametrize("path", FIELDS)
def test_what_a_reader_changes_is_the_readers(path: str) -> None:
    tried = [base for base in map(load_scenario, names()) if changed(base, path)]
    assert tried, "rules may leave a field few values, but not in every scenario"


def changed(base: Scenario, path: str) -> bool:
    """Whether the field can be changed; if so, that this is seen, and not once it is changed back."""
    for other in others(path, value_of(base, path)):
        with suppress(ScenarioError):  # a rule between fields
            mine = change(base, {path: other})
            assert origin(mine, path) == YOURS
            assert origin(change(mine, {path: value_of(base, path)}), path) == origin(base, path)
            return True
    return False


def others(path: str, here: Any) -> list[Any]:
    """Values that a field may have instead."""
    field = FIELDS[path]
    words = field.choices or (tuple(getattr(catalog, field.catalog)) if field.catalog else ())
    return [value for value in words or (field.lo, field.hi, 2 * field.lo) if value != here]


def test_a_scenario_with_a_name_of_ones_own_is_compared_with_the_post() -> None:
    mine = attrs.evolve(change(LEAK, {"training.mfu": 0.4}), name="my own")
    assert origin(mine, "training.mfu") == YOURS
    assert origin(mine, "training.tokens") == FIELDS["training.tokens"].source


def test_a_broken_file_of_a_named_scenario_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gpt4lab.scenario

    (tmp_path / "broken.toml").write_text("title = ")
    monkeypatch.setattr(gpt4lab.scenario, "_NAMED", tmp_path)
    with pytest.raises(ScenarioError, match=r"broken\.toml: "):
        load_scenario("broken")
