"""Where a value comes from: from whoever set it last.

A value that the reader changed is the reader's; one that a named scenario sets is that scenario's, one of a public
model the catalog's; only where nobody changed it does it have the source of its declaration. Nothing is kept for this:
the scenario is compared with the one that it is named after.
"""

from __future__ import annotations

from functools import cache

from gpt4lab import catalog
from gpt4lab.scenario import FIELDS, Scenario, file_of, load_scenario, names, told
from gpt4lab.scenario.counted import SIZES
from gpt4lab.scenario.public import facts_behind, public_models

YOURS = "yours"
#: The one field of the model that compares it with another one.
INSTEAD = "model.other_experts"
OF_THE_MODEL = frozenset(path for path in FIELDS if path.startswith("model.")) - {INSTEAD}


def origin(scenario: Scenario, path: str) -> str:
    """Who says that the field at `path` has the value that it has here: "yours", "C29", "catalog: DBRX, dbrx2024"."""
    base = _base(scenario.name)
    if told(scenario, path) != told(base, path) or (_own_shape(scenario, base) and path in OF_THE_MODEL):
        return YOURS
    return _sources(base.name).get(path, FIELDS[path].source)


def of_facts(table: str, key: str, *facts: str) -> str:
    """The source of facts of a catalog entry: "catalog: DBRX, dbrx2024"."""
    entry: catalog.Entry = getattr(catalog, table)[key]
    sources = dict.fromkeys(_words(entry.source_of(fact)) for fact in facts)
    return f"catalog: {entry.name}, {' and '.join(sources)}"


def _own_shape(scenario: Scenario, base: Scenario) -> bool:
    """Whether the model is another one altogether: its sizes follow from its shape, and the base's are stated."""
    return scenario.model.counted > base.model.counted


@cache
def _base(name: str) -> Scenario:
    """The scenario that one of this name began as; the post, where the name is the reader's own."""
    return load_scenario(name if name in names() else "leak")


@cache
def _sources(name: str) -> dict[str, str]:
    """Sources of what a named scenario or a public model sets."""
    if name in public_models():
        return _of_public(name)
    return {path: f"{name}: {source}" for path, source in file_of(name).get("sources", {}).items()}


def _of_public(name: str) -> dict[str, str]:
    """Sources of a public model: its facts; and the shape, where its sizes are counted from that."""
    entry, base = catalog.models[name], _base(name)
    found = {path: of_facts("models", name, *facts) for path, facts in facts_behind(entry).items()}
    counted = dict.fromkeys(SIZES, f"catalog: {entry.name}, counted from its shape") if base.model.counted else {}
    none = dict.fromkeys(OF_THE_MODEL, f"catalog: {entry.name}, which has none")
    return none | found | counted | dict.fromkeys(base.unknown, "not published, or not found yet")


def _words(source: catalog.Source) -> str:
    if source.kind in ("computed", "assumed"):
        return f"{source.kind}: {source.note}".removesuffix(": ")
    return f"{source.reference}, from memory" if source.kind == "memory" else source.reference
