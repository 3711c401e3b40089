"""The post's numbers as one network of equations: what each is written as, how finely, and what binds it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

import attrs

from gpt4lab.claims import judge, ledger
from gpt4lab.quantities import unit_of
from gpt4lab.quantities.registry import unchecked
from gpt4lab.scenario import FIELDS, Scenario, demand, get, load_scenario
from gpt4lab.scenario.published import published

COUNTED, PINNED, FREE = MODES = ("counted", "pinned", "free")
GPT3 = "as in GPT-3"  # the layers, in the field `adjust.block`
#: A half width that is as likely anywhere inside has this standard deviation (JCGM 100, 4.3.7).
RECTANGLE = 1 / math.sqrt(3)
#: Step of a derivative, in log space.
STEP = 1e-6


@attrs.frozen
class Node:
    """One number of the network; `half` is half of the last digit that is written, in the unit of its path."""

    path: str
    label: str
    short: str
    claim: str
    half: float = 0
    at_first: str = attrs.field(default=COUNTED, validator=attrs.validators.in_(MODES))

    @property
    def unit(self) -> str:
        """The unit of its path."""
        return unit_of(self.path)

    def value(self, scenario: Scenario) -> float:
        """As the scenario has it; else as the claim states it, a slip of unit put right.

        Of one that nobody states, the middle of what was published for its kind.
        """
        if not self.claim and (known := published(self.path, scenario)):
            return math.sqrt(known.lo * known.hi)
        if self.path in FIELDS:
            demand(scenario, frozenset([self.path]))
            return float(get(scenario, self.path))
        return judge(ledger()[self.claim], scenario).meant

    def spread(self, scenario: Scenario) -> float:
        """Standard deviation relative to the value; of one that nobody states, by what was published for its kind."""
        if self.half:
            return self.half / self.value(load_scenario("leak")) * RECTANGLE
        known = published(self.path, scenario)
        return math.log(known.hi / known.lo) / 2 * RECTANGLE if known and known.hi > known.lo else 0


@attrs.frozen
class Bond:
    """result = what `solver` makes of the others; `block`: only if the layers are those of GPT-3."""

    title: str
    text: str
    result: str
    solver: str
    block: bool = False

    def members(self) -> tuple[str, ...]:
        """The numbers that it binds, the result first."""
        return _members(self)

    def residual(self, x: Mapping[str, float], scenario: Scenario) -> float:
        """ln(what the others make of it) - ln(result); x: path -> ln(value)."""
        given = {path: math.exp(x[path]) for path in self.members() if path != self.result}
        made = unchecked((self.solver,), scenario, given)[self.solver]
        return (math.log(made) if made > 0 else -math.inf) - x[self.result]

    def slopes(self, x: Mapping[str, float], scenario: Scenario) -> dict[str, float]:
        """Derivative of the residual by each member."""
        found = {self.result: -1.0}
        for path in self.members()[1:]:
            up, down = (self.residual({**x, path: x[path] + step}, scenario) for step in (STEP, -STEP))
            found[path] = (up - down) / (2 * STEP)
        return found


@cache
def _declared() -> tuple[tuple[Node, ...], tuple[Bond, ...]]:
    told = tomllib.loads(files("gpt4lab.verdict").joinpath("network.toml").read_text("utf-8"))
    return tuple(Node(**entry) for entry in told["number"]), tuple(Bond(**entry) for entry in told["equation"])


@cache
def numbers() -> Mapping[str, Node]:
    """All numbers by path, in the order of the file."""
    return {number.path: number for number in _declared()[0]}


def equations(block: bool = False) -> tuple[Bond, ...]:
    """All equations; those of GPT-3's layers only where they are wanted."""
    return tuple(one for one in _declared()[1] if block or not one.block)


@cache
def _members(equation: Bond) -> tuple[str, ...]:
    """The result, and every number that the solver's value answers to."""
    leak = load_scenario("leak")
    here = {path: one.value(leak) for path, one in numbers().items() if path != equation.result}
    made = unchecked((equation.solver,), leak, here)[equation.solver]
    moved = [
        path
        for path in here
        if unchecked((equation.solver,), leak, {**here, path: here[path] * 1.01})[equation.solver] != made
    ]
    return (equation.result, *moved)


def slopes(found: Sequence[Bond], x: Mapping[str, float], scenario: Scenario) -> list[list[float]]:
    """A row an equation, a column a number: derivatives in log space."""
    each = [one.slopes(x, scenario) for one in found]
    return [[row.get(path, 0.0) for path in x] for row in each]


def logs(scenario: Scenario, paths: Iterable[str] | None = None) -> dict[str, float]:
    """ln of the stated values."""
    return {path: math.log(numbers()[path].value(scenario)) for path in (paths or numbers())}
