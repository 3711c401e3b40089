"""The inputs: `load_scenario("leak")`, `change(scenario, {"training.mfu": 0.4})`, and ways to save and share them.

Named scenarios are TOML files in `named`: a title, a description, and only what differs from the post. The public
models are scenarios too, made from the catalog.
"""

# pyright: reportUnusedImport=false

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast
from urllib.parse import quote, unquote

import attrs

from gpt4lab.scenario.counted import refuse_no_attention, sizes_with
from gpt4lab.scenario.field import UNKNOWN, Field, NotKnown, ScenarioError, fields_of, is_number, plain
from gpt4lab.scenario.numbers import from_text
from gpt4lab.scenario.public import public, public_models
from gpt4lab.scenario.records import GROUPS, Scenario
from gpt4lab.scenario.rules import refuse
from gpt4lab.units import cut, quoted

#: Every input by dotted path: `FIELDS["training.mfu"].unit`.
FIELDS: dict[str, Field] = fields_of(GROUPS)

#: What a scenario is called and said to be: no field, but part of a file and of a shared line.
WORDS = ("name", "title", "description")
LIKE_SHARED = '"leak?training.mfu=0.4"'
LIKE_CHANGES = '{"training.mfu": 0.4}'
LIKE = '; write it like {"training": {"mfu": 0.4}}.'

FEW, LONGEST_NAME = 40, 80  # names that an error lists; characters of a name that are looked at

_NAMED = files("gpt4lab.scenario").joinpath("named")
_RENAMED = files("gpt4lab.scenario").joinpath("renamed.toml")
_OLD = tomllib.loads(_RENAMED.read_text("utf-8"))
#: Fields that are now the product of two others.
PRODUCTS: dict[str, list[str]] = _OLD.pop("products")
#: Paths that fields once had, and what they are called now: all that reads a scenario understands them.
RENAMED: dict[str, str] = _OLD


def get(scenario: Scenario, path: str) -> Any:
    """The value at a dotted path, for example `get(leak, "training.mfu")`.

    Where it is not known, what stands in the field and counts for nothing; see `told`. Raises ScenarioError for an
    unknown path, with near matches.
    """
    group, _, name = _known(path).partition(".")
    return getattr(getattr(scenario, group), name)


def told(scenario: Scenario, path: str) -> Any:
    """The value at a dotted path, or "not known". Raises as `get`."""
    return UNKNOWN if _known(path) in scenario.unknown else get(scenario, path)


def demand(scenario: Scenario, paths: Iterable[str]) -> None:
    """Raise NotKnown where one of these fields has no published value, nor one of the reader's."""
    if missing := sorted(scenario.unknown.intersection(paths)):
        words = " and ".join(f"{FIELDS[path].label.lower()} ({path})" for path in missing)
        words = f"{scenario.title}: {words} not published, or not found yet. Give a value, and it goes on."
        raise NotKnown(words, missing)


def change(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """The scenario with some fields changed by dotted path; all changes are made before they are judged together.

    What gets a value is known from then on; the value "not known" takes it away. Sizes that are counted from the shape
    follow it, unless they are changed themselves. A number may be written as it is printed: "34%", "400 ms".

    Raises ScenarioError for an unknown path or a value out of range, LayoutError for what cannot go together; the
    scenario given stays as it was.
    """
    refuse_no_scenario(scenario)
    refuse_no_table(changes)
    return _changed(scenario, {path: _meant(path, value) for path, value in changes.items()})


def _meant(path: str, value: Any) -> Any:
    """The number that a text stands for; whatever else it is, and texts that are none, stay and are judged."""
    try:
        return parse(path, value) if isinstance(value, str) else value
    except ScenarioError:
        return value


def _changed(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    named = _named(_today(scenario, changes))
    missing = {path for path, value in named.items() if isinstance(value, str) and value == UNKNOWN}
    changed = _evolved(scenario, {**named, **{path: FIELDS[path].default for path in missing}})
    changed = _evolved(changed, sizes_with(changed.model, {path: get(changed, path) for path in named}))
    refuse_no_attention(changed.model)
    refuse(_moved(scenario, changed, named), lambda path: get(changed, path))
    return attrs.evolve(changed, unknown=scenario.unknown - set(named) | missing)


def refuse_no_scenario(scenario: object) -> None:
    """Raise ScenarioError for what is none."""
    if not isinstance(scenario, Scenario):
        raise ScenarioError(f"a scenario is expected, not {quoted(scenario)}; load_scenario({LIKE_SHARED}) is one.")


def refuse_no_table(changes: object) -> None:
    """Raise ScenarioError for what is no table of paths."""
    if not isinstance(changes, Mapping):
        raise ScenarioError(f"changes are a table of paths, not {quoted(changes)}; write it like {LIKE_CHANGES}.")


def _named(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes by the names of today. Raises ScenarioError where an old name and the new one disagree."""
    found: dict[str, Any] = {}
    for old, value in changes.items():
        path = _known(old)
        if path in found and found[path] is not value and found[path] != value:
            raise ScenarioError(
                f"{path} is set twice, once by an older name: to {quoted(found[path])} and {quoted(value)}."
            )
        found[path] = value
    return found


def _evolved(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    by_group: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        group, _, name = path.partition(".")
        by_group.setdefault(group, {})[name] = value
    groups = {group: attrs.evolve(getattr(scenario, group), **values) for group, values in by_group.items()}
    return attrs.evolve(scenario, **groups)


def _today(scenario: Scenario, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes without what is a product of two fields today: it sets the first of them.

    Raises ScenarioError where the product is no number, no multiple of the second, or not what both fields make.
    """
    now = {path: value for path, value in changes.items() if path not in PRODUCTS}
    for path in PRODUCTS.keys() & changes.keys():
        first, second = PRODUCTS[path]
        sides = now.get(first), plain(now.get(second, get(scenario, second)))
        now[first] = _quotient(path, plain(changes[path]), *sides)
    return now


def _quotient(path: str, value: Any, one: Any, other: Any) -> Any:
    """What the first field of a product is, where the second is `other`; `one` is what is given for it, or None."""
    first, second = PRODUCTS[path]
    if (isinstance(value, str) and value == UNKNOWN) or not (is_number(other) and other > 0):
        return value if one is None else one  # the second field says what it cannot be
    if not is_number(value):
        raise ScenarioError(f"{path} = {quoted(value)} is not a number; it is {first} × {second}.")
    if one is None and value % other:
        low = value // other * other
        works = " or ".join(f"{number:,.12g}" for number in (low, low + other) if number > 0)
        raise ScenarioError(f"{path} = {quoted(value)} is no multiple of {second} = {other:,.12g}: {works}.")
    if one is not None and not (is_number(one := plain(one)) and one * other == value):
        raise ScenarioError(
            f"{path} = {quoted(value)} contradicts {first} = {quoted(one)}: with {second} = {other:,.12g}, "
            f"that would be {value / other:,.12g}. Leave one of the two out."
        )
    return value / other if one is None else one


def _moved(before: Scenario, after: Scenario, changes: Iterable[str]) -> set[str]:
    """The fields among some changes that are no longer what they were."""
    return {path for path in changes if get(before, path) != get(after, path)}


def parse(path: str, text: str) -> Any:
    """The value that a text such as "0.4", "34%", "25k" or "1.8T" means for the field at `path`."""
    field = FIELDS[_known(PRODUCTS.get(path, [path])[0])]
    return text if field.choices or field.catalog or text == UNKNOWN else from_text(text, field.unit)


def differences(scenario: Scenario, other: Scenario) -> dict[str, tuple[Any, Any]]:
    """path -> (value here, value there) for every field in which two scenarios differ; one may be "not known"."""
    same = {group for group in GROUPS if getattr(scenario, group) == getattr(other, group)}  # all but one, mostly
    news = scenario.unknown ^ other.unknown
    asked = [path for path in FIELDS if path in news or path.partition(".")[0] not in same]
    pairs = {path: (told(scenario, path), told(other, path)) for path in asked}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def tree(scenario: Scenario) -> dict[str, Any]:
    """The whole scenario as a dict of groups; None is what is not known."""
    refuse_no_scenario(scenario)
    found = attrs.asdict(scenario)
    for path in found.pop("unknown"):
        group, _, name = path.partition(".")
        found[group][name] = None
    return found


def to_json(scenario: Scenario) -> str:
    """The whole scenario as JSON text; `from_json` reads it back."""
    return json.dumps(tree(scenario), indent=2)


def from_json(text: str) -> Scenario:
    """The scenario that `to_json` wrote, or a part of one. Raises ScenarioError for all else."""
    try:
        return from_tree(parsed(text))
    except ScenarioError:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ScenarioError(f"This is not JSON: {cut(str(error))}{LIKE}") from None


def parsed(text: str) -> Any:
    """What JSON says. Raises ValueError, RecursionError for what is none, ScenarioError for a key set twice."""
    return json.loads(text.lstrip("\ufeff"), object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ScenarioError for a key that is there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, _ in pairs if [other for other, _ in pairs].count(key) > 1)
        raise ScenarioError(f"{cut(twice)} is set twice.")
    return found


def share(scenario: Scenario) -> str:
    """A short text to copy: "leak?training.mfu=0.4&cluster.gpus=20000". `load_scenario` reads it back.

    A scenario of one's own is written as what differs from the post, with its name: "leak?name=mine&model.layers=32".
    """
    refuse_no_scenario(scenario)
    base = load_scenario(scenario.name if scenario.name in names() else "leak")
    words = {key: (getattr(scenario, key), getattr(base, key)) for key in WORDS}
    changed = {**words, **differences(scenario, base)}
    settings = "&".join(f"{key}={quote(str(here))}" for key, (here, there) in changed.items() if here != there)
    return quote(base.name) + ("?" + settings if settings else "")


def load_scenario(name: str = "leak") -> Scenario:
    """A named scenario, or one shared as text: "leak", "nvidia-proxy", "leak?training.mfu=0.4".

    Raises ScenarioError for an unknown name, with near matches; and for what is no text.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a reader may give anything
        raise ScenarioError(f"a scenario is named by a text, not {quoted(name)}; write it like {LIKE_SHARED}.")
    return _loaded(name)


@cache
def _loaded(name: str) -> Scenario:
    base, settled, settings = name.strip().partition("?")
    scenario, pairs = _read(unquote(base)), _pairs(settings) if settled else {}
    words = {key: pairs.pop(key) for key in WORDS if key in pairs}
    if pairs:
        scenario = change(scenario, {path: parse(path, text) for path, text in pairs.items()})
    return attrs.evolve(scenario, **words)


def _pairs(text: str) -> dict[str, str]:
    """What stands behind the question mark of a shared line. A plus is a plus: "2e+13" as well as "2e%2B13"."""
    found: dict[str, str] = {}
    for part in text.split("&"):
        path, _, written = map(unquote, part.partition("="))
        path = RENAMED.get(path, path)
        if not path or (not written.strip() and path not in WORDS):
            raise ScenarioError(f"“{cut(part)}” sets nothing; write it like training.mfu=0.4.")
        if path in found:
            raise ScenarioError(f"{cut(path)} is set twice in one line.")
        found[path] = written
    return found


def names() -> list[str]:
    """The named scenarios, the post first; then the public models of the catalog."""
    found = [file.name.removesuffix(".toml") for file in _NAMED.iterdir() if file.name.endswith(".toml")]
    return [*sorted(found, key=lambda name: (name != "leak", name)), *public_models()]


def _read(name: str) -> Scenario:
    if name not in names():
        raise ScenarioError(f"unknown scenario {quoted(name)}{near(name, names())}")
    if name in public_models():
        return public(name)
    return from_tree({"name": name} | file_of(name))


def file_of(name: str) -> dict[str, Any]:
    """What the file of a named scenario says: title, description, groups of fields, and the `sources` of these."""
    try:
        return tomllib.loads(_NAMED.joinpath(name + ".toml").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{_NAMED.joinpath(name + '.toml')}: {error}") from None


def from_tree(tree: Any) -> Scenario:
    """The scenario that parsed JSON or TOML means: groups of fields, and words about it. Raises ScenarioError."""
    groups = {
        key: value
        for key, value in _table("a scenario is a table of groups", tree).items()
        if key not in (*WORDS, "sources")
    }
    words = {key: tree[key] for key in WORDS if key in tree}
    fields = {f"{key}.{name}": value for key, group in groups.items() for name, value in _group(key, group).items()}
    return _changed(Scenario(**words), {path: UNKNOWN if value is None else value for path, value in fields.items()})


def _group(key: str, group: Any) -> dict[str, Any]:
    if key not in GROUPS and not any(path.startswith(f"{key}.") for path in (*RENAMED, *PRODUCTS)):
        raise ScenarioError(f"there is no group {cut(key)}{near(key, GROUPS)}")
    return _table(f"{key} is a group of fields", group)


def _table(what: str, found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ScenarioError(f"{what}, not {quoted(found)}{LIKE}")
    return cast("dict[str, Any]", found)


def _known(path: str) -> str:
    path = RENAMED.get(path, path)
    if path not in FIELDS:
        raise ScenarioError(f"unknown field {quoted(path)}{near(path, FIELDS)}")
    return path


def near(name: str, known: Any) -> str:
    """End of an error message: the closest known names; where none is close and the list is short, all of it."""
    names, name = sorted(known), name[:LONGEST_NAME]
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if not close and len(names) <= FEW:
        return f"; known: {', '.join(names)}."
    close = close or [*(n for n in names if name in n), *difflib.get_close_matches(name, names, n=3, cutoff=0)][:3]
    return f"; did you mean {' or '.join(close)}?"
