"""What is not computed: a field of the scenario, a fact behind a field, a fixed fact of the catalog."""

from __future__ import annotations

import html
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from gpt4lab import catalog
from gpt4lab.quantities.registry import from_root, unit_of, values
from gpt4lab.scenario import FIELDS, Scenario, get
from gpt4lab.scenario import origin as origins
from gpt4lab.scenario.field import allowed
from gpt4lab.scenario.published import published
from gpt4lab.scenario.records import GROUPS
from gpt4lab.units import show


@attrs.frozen
class Leaf:
    """Where a computation begins: an input's value, allowed and published range, meaning, source, and file and line."""

    path: str
    value: Any
    unit: str
    allowed: str
    published: str
    meaning: str
    origin: str
    declared: str

    def text(self) -> str:
        """Value, range and source in lines."""
        return "\n".join(self._lines())

    __str__ = text

    def _lines(self) -> Iterator[str]:
        yield f"{self.path} = {show(self.value, self.unit)}: {self.meaning}"
        yield from [f"  allowed: {self.allowed}"] if self.allowed else []
        yield from [f"  published: {self.published}"] if self.published else []
        yield f"  ({self.origin})"

    def html(self) -> str:
        """The same as HTML."""
        name, *lines = map(html.escape, self._lines())
        return f'<div class="g4l-explain"><p>{name}</p>{"".join(f"<p>{line.strip()}</p>" for line in lines)}</div>'

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


def on_page(path: str) -> str:
    """A path as classes of the page have it: symbols and sliders of one input find each other by it."""
    return path.replace(".", "-")


def is_one(path: str) -> bool:
    """Whether this is the path of a field or of a fact."""
    return path in FIELDS or _entry_behind(path, Scenario()) is not None


def read(path: str, scenario: Scenario, given: Mapping[str, Any]) -> Leaf:
    """The input at `path` under a scenario."""
    value = values((path,), scenario, given)[path]
    limits, meaning, place = _of_field(path) if path in FIELDS else _of_fact(path, scenario)
    known = _published(path, scenario)
    return Leaf(path, value, unit_of(path), limits, known, meaning, origin(path, scenario, given), from_root(place))


def _published(path: str, scenario: Scenario) -> str:
    """What was published for a number of its kind, and where; "" where that is not known."""
    one = published(path, scenario)
    return f"{show(sorted({one.lo, one.hi}), unit_of(path))} ({one.source})" if one else ""


def origin(path: str, scenario: Scenario, given: Mapping[str, Any]) -> str:
    """Who says that an input has the value that it has: whatever was given is the reader's."""
    if path in given:
        return origins.YOURS
    if path in FIELDS:
        return origins.origin(scenario, path)
    return origins.of_facts(*_fact(path, scenario))


def _fact(path: str, scenario: Scenario) -> tuple[str, str, str]:
    """(table, entry, fact) behind a path: a fixed fact, or one of the entry that a field names."""
    if path.startswith("catalog/"):
        _, table, key, fact = path.split("/")
        return table, key, fact
    field, _, fact = path.rpartition(".")
    return FIELDS[field].catalog, get(scenario, field), fact


def _entry_behind(path: str, scenario: Scenario) -> catalog.Entry | None:
    """The entry of the catalog that has this fact, if there is one."""
    try:
        table, key, fact = _fact(path, scenario)
        entry: catalog.Entry = getattr(catalog, table)[key]
        return entry if entry.unit(fact) else None
    except (LookupError, ValueError, AttributeError, TypeError):
        return None


def _of_field(path: str) -> tuple[str, str, tuple[str, int]]:
    """Allowed range, meaning, file and line."""
    field, (group, _, name) = FIELDS[path], path.partition(".")
    lines, first = inspect.getsourcelines(GROUPS[group])
    line = next(number for number, line in enumerate(lines, first) if line.strip().startswith(f"{name}:"))
    return (
        allowed(field).removeprefix("allowed: "),
        f"{field.label}: {field.meaning}",
        (inspect.getfile(GROUPS[group]), line),
    )


def _of_fact(path: str, scenario: Scenario) -> tuple[str, str, tuple[str, int]]:
    """No range, but what it is a fact of, and where that is written down."""
    table, key, fact = _fact(path, scenario)
    entries: catalog.Table[catalog.Entry] = getattr(catalog, table)
    return "", f"{entries[key].label(fact)} of {entries[key].name}", entries.place(key)
