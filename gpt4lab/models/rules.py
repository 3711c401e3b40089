"""What no record of the models may hold, what cannot go together, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import inf, isnan
from typing import TYPE_CHECKING, Any, Self

from gpt4lab.formulas.arith import Num
from gpt4lab.scenario.rules import Held, LayoutError, check, rules_for
from gpt4lab.units import quoted

if TYPE_CHECKING:
    from gpt4lab.models.decode.deployment import Deployment
    from gpt4lab.models.decode.part import PassMemory
    from gpt4lab.models.inputs import Network
    from gpt4lab.models.step.layout import Layout
    from gpt4lab.models.step.part import StepMemory


#: What a record holds lies between these, lest a product of several is no number.
LEAST, MOST = 1e-30, 1e30


def _demand(words: str, holds: Callable[[float], bool]) -> Any:
    """A validator that refuses a number for which `holds` is not true, and anything that is none; arrays pass."""

    def check(record: Any, attribute: Any, value: Any) -> None:
        plain = isinstance(value, (int, float))
        if not (holds(value) if plain else _of_a_library(value, holds)):
            raise LayoutError(f"{type(record).__name__}.{attribute.name} = {quoted(value)} is not {words}.")

    return check


def _of_a_library(value: Any, holds: Callable[[float], bool]) -> bool:
    """Whether it is an array of numbers, or a single one for which `holds` is true."""
    if not hasattr(value, "__array_namespace__") or getattr(value.dtype, "kind", "f") not in "biuf":
        return False
    return value.ndim > 0 or holds(value.item())


def _unknown(value: float) -> bool:
    return isinstance(value, float) and isnan(value)


positive = _demand("a positive, finite number (1e-30 to 1e30)", lambda value: LEAST <= value <= MOST)
rate = _demand("a positive number (1e-30 to 1e30, or infinite)", lambda value: LEAST <= value <= MOST or value == inf)
rate_or_unknown = _demand(
    "a positive number, or NaN where there is none",
    lambda value: _unknown(value) or LEAST <= value <= MOST or value == inf,
)
finite = _demand("a finite number (-1e30 to 1e30)", lambda value: -MOST <= value <= MOST)
not_negative = _demand("a finite number from 0 up (to 1e30)", lambda value: 0 <= value <= MOST)
fraction = _demand("a number from 0 to 1", lambda value: 0 <= value <= 1)
share = _demand("a share above 0 and up to 1", lambda value: LEAST <= value <= 1)
count = _demand("a whole number from 1 up (to 1e30)", lambda value: 1 <= value <= MOST and value % 1 == 0)
price = _demand("a price from 0 up; NaN where nobody gave one", lambda value: _unknown(value) or 0 <= value <= MOST)
zero_stage = _demand("a stage of ZeRO: 0, 1, 2 or 3", lambda value: value in (0, 1, 2, 3))


def coded(names: tuple[str, ...]) -> dict[str, Any]:
    """Converter and validator of a field that holds a name, its code, or an array of codes."""

    def code(value: Any) -> Any:
        return names.index(value) if isinstance(value, str) and value in names else value

    return {"converter": code, "validator": _demand(f"one of: {', '.join(names)}", lambda n: n in range(len(names)))}


#: What must hold, or where it does in arrays, and what to say where it does not; for what only one record knows.
Rules = tuple[tuple[Any, str], ...]
_NETWORK = {symbol: f"Network.{name}" for symbol, name in {
    "a": "heads", "n": "kv_heads", "E": "experts", "k": "top_k", "L": "layers", "S": "max_context",
    "N": "dense_layers", "f": "dense_d_ff", "W": "window_layers", "w": "window",
    "r": "kv_rank", "q": "query_rank", "x": "rope_dim", "y": "nope_dim",
}.items()}  # fmt: skip
_SOME = [rules_for({"D": f"Network.{kind}_layers", "L": "Network.layers"}) for kind in ("window", "dense")]


def held(**names: str) -> tuple[Held, ...]:
    """The rules of the book for a network and a record: symbol -> the record's field, or one of the network's."""
    return (*rules_for({**_NETWORK, **names}), *_SOME[0], *_SOME[1])


@cache
def _fields(record: type[Layout | Deployment]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What the rules of a record read: (path, field) of the network, and of the record itself."""
    paths = {path: path.partition(".")[2] for rule in record.HELD for path in rule.paths}
    shared = [pair for pair in paths.items() if pair[0].startswith("Network.")]
    return shared, [pair for pair in paths.items() if pair not in shared]


def possible(network: Network, way: Layout | Deployment, chip: Any = None) -> Any:
    """Whether a way to spread a network over chips can exist; array fields give an array.

    Raises LayoutError where no entry can, with the first reason.
    """
    of_network, of_way = _fields(type(way))
    numbers = {path: getattr(network, name) for path, name in of_network}
    ok = check(way.HELD, (numbers | {path: getattr(way, name) for path, name in of_way}).__getitem__)
    for holds, message in way.rules(network, chip):
        if getattr(holds, "ndim", 0) == 0 and not holds:
            raise LayoutError(message.format(s=network, w=way))
        ok = ok & holds
    return ok


class Judged:
    """A report that can be asked why it does not fit. Only then is it looked for how many GPUs it would take."""

    __slots__ = ("_why",)
    _why: Callable[[], str]

    def because(self, why: Callable[[], str]) -> Self:
        """The report, with what finds its reason."""
        object.__setattr__(self, "_why", why)
        return self

    @property
    def reason(self) -> str:
        """Why it does not fit, and from how many GPUs it would; empty where it does, and where fields are arrays."""
        return self._why() if hasattr(self, "_why") else ""


def fitting(
    ok: Any, memory: StepMemory | PassMemory, there: Num, fewest: Callable[[], str]
) -> tuple[Any, Callable[[], str]]:
    """Whether a GPU that has so many bytes holds all that it must, and what says why not, if it does not.

    `fewest` says from how many GPUs it would.
    """
    needed = memory.total
    fits = ok & (needed <= there)
    if getattr(fits, "ndim", 0) or fits:
        return fits, str

    def why() -> str:
        return f"needs {needed / 1e9:,.1f} GB a GPU and has {there / 1e9:,.1f} GB: {fewest()}; {memory.words()}."

    return fits, why
