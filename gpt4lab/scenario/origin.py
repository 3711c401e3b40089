"""Where a value comes from: from whoever set it last.

A value that the reader changed is the reader's; one that a named scenario sets is that scenario's, one of a public
model the catalog's; only where nobody changed it does it have the source of its declaration. Nothing is kept for this:
the scenario is compared with the one that it is named after.
"""

from __future__ import annotations

from functools import cache

from gpt4lab import catalog
from gpt4lab.scenario import FIELDS, Scenario, file_of, get, load_scenario, names
from gpt4lab.scenario.public import changes_for, facts_behind, public_models

YOURS = "yours"


def origin(scenario: Scenario, path: str) -> str:
    """Who says that the field at `path` has the value that it has here: "yours", "C29", "catalog: DBRX, dbrx2024"."""
    base = _base(scenario.name)
    if get(scenario, path) != get(base, path):
        return YOURS
    return _told(base.name).get(path, FIELDS[path].source)


def of_facts(table: str, key: str, *facts: str) -> str:
    """The source of facts of a catalog entry: "catalog: DBRX, dbrx2024"."""
    entry: catalog.Entry = getattr(catalog, table)[key]
    sources = dict.fromkeys(_words(entry.source_of(fact)) for fact in facts)
    return f"catalog: {entry.name}, {' and '.join(sources)}"


@cache
def _base(name: str) -> Scenario:
    """The scenario that one of this name began as; the post, where the name is the reader's own."""
    return load_scenario(name if name in names() else "leak")


@cache
def _told(name: str) -> dict[str, str]:
    """Sources of what a named scenario or a public model sets."""
    if name in public_models():
        model = catalog.models[name]
        return {path: of_facts("models", name, *facts_behind(model, path)) for path in changes_for(name)}
    return {path: f"{name}: {source}" for path, source in file_of(name).get("sources", {}).items()}


def _words(source: catalog.Source) -> str:
    if source.kind in ("computed", "assumed"):
        return f"{source.kind}: {source.note}".removesuffix(": ")
    return f"{source.reference}, from memory" if source.kind == "memory" else source.reference
