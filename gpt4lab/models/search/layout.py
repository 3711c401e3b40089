"""Layout search: the fastest ways to spread a training step over some GPUs, found by asking the step model about all.

    a100 = machine("a100-sxm-80gb")
    found = search(gpt3, a100, space_for(gpt3, a100, gpus=1024, batch=1536))
    found.best[0].layout, found.best[0].report.mfu, found.text()

There is no clever search: `step` takes arrays, so a million layouts are a second's work. Only what can exist is asked
about, as a column of structures against a row of switches that go with any of them, so that most of the model is
computed once for all switches. The arrays are NumPy's, which is loaded on first use.

The best layout is the model's best: see `step` for what it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import inf, isnan, prod
from types import ModuleType
from typing import Any

from attrs import frozen

from gpt4lab import place
from gpt4lab.models.inputs import Chip, Efficiency, Network
from gpt4lab.models.rules import LayoutError, possible
from gpt4lab.models.search.layout_space import STRUCTURE, SWITCHES, Space
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import StepReport, step

#: Layouts in one question: the few arrays that are alive at a time stay in the core's cache.
CHUNK = 8192
#: What a search may look for, as a number that should be small.
GOALS: dict[str, Callable[[StepReport], Any]] = {
    "time_s": lambda report: report.time_s,
    "mfu": lambda report: -report.mfu,
    "usd": lambda report: report.usd,
}
#: An array of NumPy. (Any, since the checker must not need it.)
Array = Any


@frozen
class Ranked:
    """One layout, and what the model says of it."""

    layout: Layout
    report: StepReport


@frozen
class Search:
    """What a search found.

    best : those that fit, the best first; of equals the one that needs the least memory.
    nearest : of those that do not fit, the one that needs the least memory.
    front : memory against the goal, over all that can exist: each is better than all that need as little memory.
    beside : the layout to be compared, and in `rank` its place, from 1, among those that fit.
    """

    best: tuple[Ranked, ...]
    tried: int
    impossible: int
    too_large: int
    nearest: Ranked | None
    front: tuple[Ranked, ...]
    beside: Ranked | None
    rank: int | None

    @property
    def fitting(self) -> int:
        """Layouts that can exist and fit in memory."""
        return self.tried - self.impossible - self.too_large

    def text(self) -> str:
        """How many were tried, and what became of them."""
        counts = f"{self.impossible:,} cannot exist, {self.too_large:,} do not fit in memory, {self.fitting:,} do"
        nearest = f" The nearest {self.nearest.report.reason}" if self.nearest and not self.best else ""
        return f"{self.tried:,} layouts tried: {counts}.{nearest}"


def search(
    network: Network,
    chip: Chip,
    space: Space,
    *,
    goal: str = "time_s",
    best: int = 5,
    beside: Layout | None = None,
    efficiency: Efficiency | None = None,
) -> Search:
    """The best layouts of a space by time, MFU or dollars.

    Raises LayoutError for an unknown goal, dollars without a price, or a layout `beside` that cannot exist.
    ModuleNotFoundError where NumPy is not installed.
    """
    np, value = _numpy(), _goal(goal, chip, best)
    rows, switches = _structures(np, network, space), list(product(*map(space.codes, SWITCHES)))

    def ask(layout: Layout) -> Ranked:
        return Ranked(layout, step(network, layout, chip, efficiency))

    compared = ask(beside) if beside else None
    bar = value(compared.report) if compared else -inf
    table, better, too_large = _survey(np, ask, _questions(np, rows, switches, space.batch), value, bar, best)
    winners, nearest, front = (
        tuple(ask(_layout(rows, switches, int(index), space.batch)) for index in table[0, columns])
        for columns in _notable(np, table, best)
    )
    tried, there = _size(space) * len(switches), rows["tensor"].size * len(switches)
    return Search(
        best=winners,
        tried=tried,
        impossible=tried - there,
        too_large=too_large,
        front=front,
        beside=compared,
        nearest=nearest[0] if nearest else None,
        rank=better + 1 if compared else None,
    )


def _survey(
    np: ModuleType,
    ask: Callable[[Layout], Ranked],
    questions: Iterator[tuple[int, Layout]],
    value: Callable[[StepReport], Any],
    bar: float,
    best: int,
) -> tuple[Array, int, int]:
    """Ask all questions. Return a table of what is notable, how many are better than the bar, how many too large."""
    tables, better, too_large = [np.empty((4, 0))], 0, 0
    for first, layouts in questions:
        table = _table(np, first, value, ask(layouts).report)
        better += int(np.sum((table[1] < bar - 1e-12 * abs(bar)) & (table[3] == 1)))
        too_large += int(np.sum(table[3] == 0))
        tables.append(table[:, np.unique(np.concatenate(_notable(np, table, best)))])
    return np.concatenate(tables, axis=1), better, too_large


def _goal(goal: str, chip: Chip, best: int) -> Callable[[StepReport], Any]:
    if goal not in GOALS:
        raise LayoutError(f"goal = {goal!r} is not one of: {', '.join(GOALS)}.")
    if goal == "usd" and isnan(chip.usd_per_hour):
        raise LayoutError("goal = 'usd' needs Chip.usd_per_hour, which nobody gave.")
    if best < 1 or best % 1:
        raise LayoutError(f"best = {best!r} is not a whole number from 1 up.")
    return GOALS[goal]


def _size(space: Space) -> int:
    """Structures of a space, those that cannot exist counted."""
    return prod(len(getattr(space, name)) for name in STRUCTURE)


def _structures(np: ModuleType, network: Network, space: Space) -> dict[str, Array]:
    """The structures that can exist, as columns by the names of a layout's fields."""
    found = [_possible(np, network, space, first) for first in range(0, _size(space), 8 * CHUNK)]
    return {name: np.concatenate([columns[name] for columns in found]) for name in found[0]}


def _possible(np: ModuleType, network: Network, space: Space, first: int) -> dict[str, Array]:
    """Those of some thousand structures from the `first` on that the GPUs have room for, and that divide evenly."""
    choices = [np.array(getattr(space, name), float) for name in STRUCTURE]
    index = np.unravel_index(np.arange(first, min(first + 8 * CHUNK, _size(space))), [len(some) for some in choices])
    columns = {name: some[i] for name, some, i in zip(STRUCTURE, choices, index, strict=True)}
    columns["schedule"], columns["interleave"] = columns.pop("order").T
    used = columns["tensor"] * columns["pipeline"] * columns["context"]
    columns["data"] = columns["data"] if space.at_most else space.gpus / used
    room = (columns["data"] % 1 == 0) & (columns["data"] >= 1) & (used * columns["data"] <= space.gpus)
    columns = {name: column[room] for name, column in columns.items()}
    ok = possible(network, Layout(**columns, batch=space.batch))
    return {name: column[ok] for name, column in columns.items()}


def _questions(
    np: ModuleType, rows: dict[str, Array], switches: list[tuple[Any, ...]], batch: int
) -> Iterator[tuple[int, Layout]]:
    """Layouts in chunks, some structures against all switches, each with the number of its first."""
    across = {name: np.array([some], float) for name, some in zip(SWITCHES, zip(*switches, strict=True), strict=True)}
    height = max(CHUNK // len(switches), 1)
    for top in range(0, rows["tensor"].size, height):
        down = {name: column[top : top + height, None] for name, column in rows.items()}
        yield top * len(switches), Layout(**down, **across, batch=batch)


def _table(np: ModuleType, first: int, value: Callable[[StepReport], Any], report: StepReport) -> Array:
    """Number, value, memory, and 1 where it fits, of each layout of a report."""
    facts = np.broadcast_arrays(value(report), report.memory_bytes.total, report.fits * 1.0)
    return np.stack([first + np.arange(facts[0].size), *(fact.ravel() for fact in facts)])


def _notable(np: ModuleType, table: Array, best: int) -> tuple[Array, Array, Array]:
    """Columns of the best that fit, of the nearest that does not, and of the front of memory against value."""
    _, value, memory, fits = table
    inside, outside = np.flatnonzero(fits == 1), np.flatnonzero(fits == 0)
    if inside.size > best:
        inside = inside[value[inside] <= np.partition(value[inside], best - 1)[best - 1]]
    inside = inside[np.lexsort((memory[inside], value[inside]))][:best]
    nearest = outside[np.lexsort((value[outside], memory[outside]))][:1]
    few = _falling(np, value, np.argsort(memory))  # a quick sort first: it leaves only some of equal memory too many
    return inside, nearest, _falling(np, value, few[np.lexsort((value[few], memory[few]))])


def _falling(np: ModuleType, value: Array, order: Array) -> Array:
    """Those of some columns whose value is below that of all before."""
    return order[np.flatnonzero(np.diff(np.minimum.accumulate(value[order]), prepend=inf) < 0)]


def _layout(rows: dict[str, Array], switches: list[tuple[Any, ...]], index: int, batch: int) -> Layout:
    row, column = divmod(index, len(switches))
    structure = {name: int(some[row]) for name, some in rows.items()}
    return Layout(**structure, **dict(zip(SWITCHES, switches[column], strict=True)), batch=batch)


def _numpy() -> ModuleType:
    try:
        import numpy
    except ModuleNotFoundError:
        raise ModuleNotFoundError(place.needs("numpy", "A search over layouts")) from None
    return numpy
