"""Derived numbers: each one small function, declared once, computed once.

    @quantity("training.flop", "FLOP", source="kaplan2020", N="model.active_params", D="training.tokens")
    def flop(N: Num, D: Num) -> Num:
        '''Compute of the training run: two FLOP a weight forward, four backward.'''
        return 6 * N * D

An input is a path: another quantity, a scenario field ("training.tokens"), a fact of the catalog entry that a field
names ("cluster.accelerator.memory_bytes"), or a fixed fact ("catalog/models/gpt-3-175b/params_total").
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from importlib import import_module
from itertools import chain
from operator import attrgetter
from os.path import relpath
from pathlib import Path
from typing import Any, TypeVar

import attrs

from gpt4lab.formulas.arith import where
from gpt4lab.quantities.formula import Formula
from gpt4lab.quantities.given import looked, said, worded
from gpt4lab.scenario import (
    FIELDS,
    LONGEST_NAME,
    RENAMED,
    Scenario,
    ScenarioError,
    demand,
    near,
    refuse_no_scenario,
    refuse_no_table,
    sizes_with,
)
from gpt4lab.scenario.rules import Held, check, judged
from gpt4lab.units import cut

F = TypeVar("F", bound=Callable[..., Any])
Pieces = Mapping[str, str]  # of a pattern: {"fit": "besiroglu", "source": "besiroglu2024"}


class UnknownQuantity(KeyError):
    """No quantity, field or fact has this name."""

    def __str__(self) -> str:
        return str(self.args[0])


@attrs.frozen(eq=False)
class Quantity:
    """One derived number: its name, unit, function, the path of each argument, and where the formula is from."""

    name: str
    unit: str
    function: Callable[..., Any]
    inputs: Mapping[str, str]
    source: str
    about: str = ""
    place: tuple[str, int] = ("", 0)
    parts: Mapping[str, str] = {}  # of what a model computes, other numbers to be shown: symbol -> path
    read: str = ""  # ... and what is asked of the model, which stands for the formula

    @property
    def meaning(self) -> str:
        """What it is, in one sentence: as declared, or the first line of the docstring."""
        return self.about or (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def formula(self) -> Formula:
        """The formula, read from the function's own source."""
        return Formula(self.function, self.read)

    @property
    def declared(self) -> str:
        """File and line of the declaration: "gpt4lab/quantities/topics/training.py:16"."""
        return from_root(self.place)

    def __reduce__(self) -> tuple[Any, ...]:
        return find, (self.name,)  # whoever unpickles it has declared it too


def from_root(place: tuple[str, int]) -> str:
    """A file and a line, as seen from the folder of the package: "gpt4lab/scenario/records.py:52"."""
    return f"{relpath(place[0], Path(__file__).parents[2])}:{place[1]}"


#: Families of names that a floor above declares: first word -> its module, imported when such a name is asked for.
FAMILIES: dict[str, str] = {
    **dict.fromkeys(
        ("step", "answer", "chinchilla", "gang", "assembly", "stages", "sites"), "gpt4lab.models.registered"
    ),
    "verdict": "gpt4lab.verdict.registered",
}


class Quantities(dict[str, Quantity]):
    """Every quantity by its name. Listed are those with a formula; what a model computes is found by name alone."""

    def __init__(self) -> None:
        super().__init__()
        self._modelled: dict[str, Quantity] = {}

    def declare(self, quantity: Quantity) -> None:
        """Adds one. Raises ValueError where its name is taken."""
        if quantity.name in self or quantity.name in FIELDS:
            raise ValueError(f"{quantity.name} is computed in two places")
        (self._modelled if _family(quantity.name) else self)[quantity.name] = quantity

    def names(self) -> list[str]:
        """All names, those of the models too."""
        for family in FAMILIES:
            self._of(family)
        return [*self, *self._modelled]

    def _of(self, name: object) -> dict[str, Quantity]:
        """What the models compute, loaded if this may be a name of theirs."""
        if module := _family(name):
            import_module(module)
        return self._modelled

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._of(name)

    def __missing__(self, name: str) -> Quantity:
        return self._of(name)[name]

    def get(self, key: str, default: Any = None) -> Any:
        """The quantity, those of the models too; else `default`."""
        return self[key] if key in self else default  # noqa: SIM401  dict.get asks no __missing__


def _family(name: object) -> str | None:
    return FAMILIES.get(str(name).partition(".")[0])


QUANTITIES = Quantities()


def quantity(
    name: str, unit: str, *, source: str, about: str = "", each: Sequence[Pieces] = ({},), **inputs: str
) -> Callable[[F], F]:
    """Declares a function as the one home of the number `name`; its arguments are the symbols in `inputs`.

    One formula may serve several names with other inputs: decorate it once for each, and say what the name means
    in `about`; without it the docstring's first line does. Where names, inputs and sources follow a pattern, such as
    "scaling.{fit}_loss", `each` is a table of the pieces, one row a quantity.

    Raises ValueError where a name is taken or the arguments and the inputs differ.
    """
    place = declaring()

    def declare(function: F) -> F:
        if list(inspect.signature(function).parameters) != list(inputs):
            raise ValueError(f"{name}: the arguments of {function.__name__} are not {list(inputs)}")
        for pieces in each:
            named, origin, words = (text.format_map(pieces) for text in (name, source, about))
            paths = {symbol: path.format_map(pieces) for symbol, path in inputs.items()}
            QUANTITIES.declare(Quantity(named, unit, function, paths, origin, words, place))
        return function

    return declare


def constants(entry: str, *symbols: str, **keys: str) -> dict[str, Any]:
    """Inputs that are constants of a catalog entry, under the symbols of their paper, or symbol = key."""
    named = {symbol: symbol.rstrip("_") for symbol in symbols} | keys
    return {symbol: f"catalog/constants/{entry}/{key}" for symbol, key in named.items()}


def again(named: Mapping[str, tuple[str, str]], *, instead: Mapping[str, str]) -> None:
    """Declares quantities once more, under other names and with other inputs.

    `named`: the first name -> the new one and what that means ("" where the words are the same). The copies read each
    other where the first ones do, what `instead` puts in the place of other inputs, and else the same as the first.

    Raises ValueError where a name is taken, or nothing about a copy is new.
    """
    others = {**instead, **{name: new for name, (new, _) in named.items()}}
    for name, (new, about) in named.items():
        if not _family(name):
            import_module(f"{__package__}.topics.{name.partition('.')[0]}")  # a file for each prefix
        first = QUANTITIES[name]
        inputs = {symbol: others.get(path, path) for symbol, path in first.inputs.items()}
        if inputs == first.inputs:
            raise ValueError(f"{new} would be {name} under another name")
        QUANTITIES.declare(attrs.evolve(first, name=new, inputs=inputs, about=about or first.about, place=declaring()))


def declaring() -> tuple[str, int]:
    """File and line of the declaration: the nearest caller that is a module."""
    frame = inspect.currentframe()
    while frame and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("", 0)


def find(name: str) -> Quantity:
    """The quantity of this name. Raises UnknownQuantity with near matches."""
    name = known(name)
    if name not in QUANTITIES:
        raise UnknownQuantity(f"{name} is a field of the scenario, not a quantity.")
    return QUANTITIES[name]


def value(name: str, scenario: Scenario, given: Mapping[str, Any] | None = None) -> Any:
    """The value of one quantity, field or fact under a scenario.

    `given` sets paths for this look only, fields or quantities, numbers or arrays: `{"training.mfu": array}` gives
    an array of results. A look may leave a field's bounds, but not what the field can mean: a share is at most 1, a
    count at least 1. A field that has no effect is no mistake (one may sweep it and see); a computed quantity is,
    because it would seem to have one.

    Raises UnknownQuantity for an unknown name; ScenarioError for what a field cannot be (NaN, no number, a negative
    amount), for a quantity that nothing here reads, and where the result would be no finite number; LayoutError for
    numbers that cannot go together; NotKnown where the scenario does not know what the quantity needs, and `given` does
    not give it. In an array, entries that cannot go together are NaN, as long as one can.
    """
    return values((name,), scenario, given)[name]


def values(names: Sequence[str], scenario: Scenario, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Several quantities at once; what they share is computed once. See `value`."""
    refuse_no_scenario(scenario)
    if not given:
        _hold(tuple(names), scenario)
        return _plan(tuple(names), ()).run(scenario, ())
    refuse_no_table(given)
    scenario, numbers = looked(scenario, given)
    return _together(tuple(names), scenario, numbers)


@lru_cache(maxsize=4096)
def _hold(names: tuple[str, ...], scenario: Scenario) -> None:
    """Raise LayoutError where what is asked binds numbers of a scenario that cannot go together."""
    paths, rules = _judging(names, ())
    if rules:
        check(rules, _plan(paths, ()).run(scenario, ()).__getitem__)


def unchecked(names: Sequence[str], scenario: Scenario, given: Mapping[str, Any]) -> dict[str, Any]:
    """As `values`, for a search that judges what it finds: numbers of any sense, whatever comes out."""
    if any(isinstance(found, str) for found in given.values()):
        scenario, given = worded(scenario, given)
    if sizes := sizes_with(scenario.model, given):
        given = {**given, **sizes}
    return _plan(tuple(names), tuple(given)).run(scenario, tuple(given.values()))


def _together(names: tuple[str, ...], scenario: Scenario, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values under numbers that are held against the rules between fields; all finite."""
    paths, rules = _judging(names, tuple(given))
    found, possible = dict[str, Any](), True
    with suppress(ArithmeticError, RuntimeWarning):  # numpy warns of what Python raises
        possible = _possible(rules, unchecked(paths, scenario, given)) if rules else True
        found = unchecked(names, scenario, given)
    if not (found and all(_finite(number, possible) for number in found.values())):
        raise ScenarioError(f"{said(given)} leaves nothing that could be computed in {cut(', '.join(names))}.")
    return found if possible is True else {name: _masked(number, possible) for name, number in found.items()}


def _possible(rules: Sequence[Held], found: Mapping[str, Any]) -> Any:
    """True, or where in an array no rule is broken. Raises LayoutError where that is nowhere."""
    possible = check(rules, found.__getitem__)
    if possible is not True and not possible.any():
        check(rules, lambda path: found[path].flat[0] if getattr(found[path], "ndim", 0) else found[path])
    return possible


def _finite(number: Any, possible: Any) -> bool:
    if isinstance(number, (int, float)):
        return math.isfinite(number)
    finite = isinstance(number, str) or abs(number) < math.inf
    return finite is True or bool((finite | (possible is not True and ~possible)).all())


def _masked(number: Any, possible: Any) -> Any:
    return where(possible, number, math.nan) if getattr(number, "ndim", 0) else number


def crossing(name: str, level: float, scenario: Scenario, path: str, low: float, high: float) -> float:
    """Where on `path`, between `low` and `high`, a falling quantity reaches a level (by 60 halvings of their ratio)."""
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if value(name, scenario, {path: middle}) > level else (low, middle)
    return low


_Steps = tuple[tuple[Callable[..., Any], tuple[int, ...]], ...]


@attrs.frozen
class _Plan:
    """An order of work for some quantities: read the leaves, then call each function on slots filled before.

    What answers to the scenario alone is worked out once: a search asks one scenario with many numbers beside it.
    """

    names: tuple[str, ...]
    given: tuple[str, ...]
    fields: frozenset[str]
    leaves: tuple[Callable[[Scenario], Any], ...]
    settled: _Steps
    moving: _Steps
    results: tuple[int, ...]
    kept: list[tuple[Scenario, list[Any]]] = attrs.field(
        default=attrs.Factory(list[tuple[Scenario, list[Any]]]), init=False, eq=False
    )

    def run(self, scenario: Scenario, given: tuple[Any, ...]) -> dict[str, Any]:
        kept, slots = tuple(self.kept), list[Any]()
        slots += kept[0][1] if kept and kept[0][0] is scenario else self._settle(scenario)
        slots += given
        for function, arguments in self.moving:
            slots.append(function(*[slots[index] for index in arguments]))
        return {name: slots[index] for name, index in zip(self.names, self.results, strict=True)}

    def _settle(self, scenario: Scenario) -> list[Any]:
        if scenario.unknown:
            demand(scenario, self.fields)
        slots = [leaf(scenario) for leaf in self.leaves]
        for function, arguments in self.settled:
            slots.append(function(*[slots[index] for index in arguments]))
        self.kept[:] = [(scenario, slots)]
        return slots

    def __reduce__(self) -> tuple[Any, ...]:
        return _plan, (self.names, self.given)


@cache
def _plan(names: tuple[str, ...], given: tuple[str, ...]) -> _Plan:
    asked = [RENAMED.get(name, name) for name in names]
    order = list(_ordered(asked, set(map(known, given))))
    leaves = [path for path in order if path not in QUANTITIES]
    moving, settled, told = list[str](), list[str](), set(map(known, given))
    for path in (path for path in order if path in QUANTITIES):
        moves = not told.isdisjoint(QUANTITIES[path].inputs.values())
        (moving if moves else settled).append(path)
        told |= {path} if moves else set()
    slot = {path: index for index, path in enumerate([*leaves, *settled, *given, *moving])}
    return _Plan(
        names,
        given,
        frozenset(path if path in FIELDS else path.rpartition(".")[0] for path in leaves),
        tuple(leaf(path) for path in leaves),
        _steps(settled, slot),
        _steps(moving, slot),
        tuple(slot[name] for name in asked),
    )


def _steps(paths: Sequence[str], slot: Mapping[str, int]) -> _Steps:
    """Each quantity's function, and the slots of its inputs."""
    found = ((QUANTITIES[path].function, QUANTITIES[path].inputs.values()) for path in paths)
    return tuple((function, tuple(slot[source] for source in sources)) for function, sources in found)


@cache
def _judging(names: tuple[str, ...], given: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Held, ...]]:
    """The rules between the numbers that are asked about, and all paths in them.

    A look that gives a number which is computed asks about the formula alone: no rule with that number binds it.
    Raises ScenarioError for a given quantity that nothing reads.
    """
    read, computed = read_by(names, given), {path for path in given if path in QUANTITIES}
    for path in computed - read:
        raise ScenarioError(f"{cut(', '.join(names))} is not computed from {path}: to give it would change nothing.")
    rules = tuple(held for held in judged(read) if not computed & {*held.paths})
    return tuple(dict.fromkeys(path for held in rules for path in held.paths)), rules


@cache
def read_by(names: tuple[str, ...], given: tuple[str, ...]) -> frozenset[str]:
    """All paths that these quantities are computed from, and they themselves; `given` ones are not looked behind."""
    order = list(_ordered([RENAMED.get(name, name) for name in names], set(map(known, given))))
    inputs = (QUANTITIES[path].inputs.values() for path in order if path in QUANTITIES)
    return frozenset({*names, *order, *chain(*inputs)})


def _ordered(names: Sequence[str], seen: set[str]) -> Iterator[str]:
    """Paths in an order in which every input comes before what needs it."""
    for name in names:
        if name in seen:
            continue
        seen.add(name)
        if name in QUANTITIES:
            yield from _ordered(list(QUANTITIES[name].inputs.values()), seen)
        yield name


def leaves(names: Sequence[str], given: Sequence[str] = ()) -> list[str]:
    """The inputs that these quantities start from, directly or through others; `given` paths are not looked behind."""
    return [path for path in _ordered(names, set(given)) if path not in QUANTITIES]


def known(path: str) -> str:
    """The path itself, if it is a quantity or a field; of a field that has moved, the new one.

    Raises UnknownQuantity with near matches.
    """
    path = RENAMED.get(path, path)
    if path not in QUANTITIES and path not in FIELDS:
        if not path.strip():
            raise UnknownQuantity("which quantity? Name one, for example training.cost.")
        names = [*FIELDS, *QUANTITIES.names()]
        same = [name for name in names if name.endswith(f".{path}")][:3]  # "mfu" is the end of training.mfu
        wanted = f"; did you mean {' or '.join(same)}?" if same else near(path, names)
        raise UnknownQuantity(f"unknown quantity {path[:LONGEST_NAME]!r}{wanted}")
    return path


def leaf(path: str) -> Callable[[Scenario], Any]:
    """How to read an input that is not computed: a field, a fact behind a field, or a fixed fact."""
    path = RENAMED.get(path, path)
    if path in FIELDS:
        return attrgetter(path)
    table, key, attribute = _fact_at(path)
    if path.startswith("catalog/"):
        fact = _fact(table, key, attribute)
        return lambda scenario: fact
    read = attrgetter(path.rpartition(".")[0])
    return lambda scenario: _fact(table, read(scenario), attribute)


def _fact_at(path: str) -> tuple[str, str, str]:
    """Table, entry and name of a fact; of one behind a field, the entry that the post names.

    Raises UnknownQuantity for what is none.
    """
    field, _, attribute = path.rpartition(".")
    if path.startswith("catalog/"):
        table, key, attribute = [*path.split("/")[1:], "", ""][:3]
    elif field in FIELDS and FIELDS[field].catalog:
        table, key = FIELDS[field].catalog, FIELDS[field].default
    else:
        table, key = "", known(path)
    try:
        _entry(table, key).label(attribute)
    except (LookupError, AttributeError, TypeError):
        raise UnknownQuantity(f"{path[:LONGEST_NAME]} is no fact of the catalog.") from None
    return table, key, attribute


@cache
def _fact(table: str, key: str, attribute: str) -> Any:
    return _entry(table, key).need(attribute)


def _entry(table: str, key: str) -> Any:
    from gpt4lab import catalog

    return getattr(catalog, table)[key]


def unit_of(path: str) -> str:
    """The unit of a quantity, field or fact. Raises UnknownQuantity for what is none."""
    path = RENAMED.get(path, path)
    if path in QUANTITIES:
        return QUANTITIES[path].unit
    if path in FIELDS:
        return FIELDS[path].unit
    table, key, attribute = _fact_at(path)
    return _entry(table, key).unit(attribute)
