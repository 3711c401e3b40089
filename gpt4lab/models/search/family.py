"""From two stated sums back to shapes, head size free: the whole family, and what would pick one of it.

`geometry` finds few shapes and tells all about each; this counts many. Attention and one expert are all that is asked.
Every shape has the scenario's layers and plain or gated experts; widths and expert widths are multiples of 128, as
matrix units want them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from math import ceil, floor
from typing import Any, NamedTuple

from gpt4lab.quantities.registry import values
from gpt4lab.scenario import Scenario

STEP = 128
WIDTHS = range(4096, 24_577, STEP)
HEAD_SIZES = (64, 96, 128, 160, 192, 256)
KINDS = {"every head its own": 0, "8 key-value heads": 8, "one key-value head": 1}
BESIDE = (0.25, 4.0)  # width of all heads over that of the model
EXPERT = (1.0, 8.0)  # width of an expert over that of the model


class Some(NamedTuple):
    """Shapes alike but for their experts: attention, width, heads of one size; `experts` widths go with them."""

    kind: str
    width: int
    heads: int
    head_dim: int
    experts: int

    @property
    def beside(self) -> float:
        """Width of all heads over that of the model."""
        return self.heads * self.head_dim / self.width


@lru_cache(64)
def family(scenario: Scenario) -> tuple[Some, ...]:
    """Every shape whose attention and whose expert miss the stated ones by no more than the tolerance."""
    return tuple(_family(scenario))


def _family(scenario: Scenario) -> Iterator[Some]:
    attention, layers, expert, expert_layers = stated(scenario)
    near, ranks = scenario.nearness.tolerance, scenario.cluster.tensor
    sizes = sorted({*HEAD_SIZES, scenario.model.head_dim})
    for width in WIDTHS:
        if experts := _expert_widths(expert / expert_layers / width, width, near):
            for head_dim in sizes:
                each = attention / layers / (2 * width * head_dim)
                for kind, shared in KINDS.items():
                    for heads in _heads(each, near, shared, ranks):
                        if BESIDE[0] <= heads * head_dim / width <= BESIDE[1]:
                            yield Some(kind, width, heads, head_dim, experts)


def stated(scenario: Scenario) -> tuple[float, float, float, float]:
    """Attention and its layers, an expert and its layers."""
    names = ("model.attention_params", "model.layers", "model.expert_params", "geometry.expert_layers")
    attention, layers, expert, expert_layers = values(names, scenario).values()
    return attention, layers, expert, expert_layers


def _heads(each: float, near: float, shared: int, ranks: int) -> Iterator[int]:
    """Numbers of query heads whose projections fit; `each` counts query and key-value heads together."""
    low, high = (each * (1 + sign * near) for sign in (-1, 1))
    first, last = (low / 2, high / 2) if not shared else (low - shared, high - shared)
    for heads in range(max(1, ceil(first)), floor(last) + 1):
        if heads % ranks == 0 and (not shared or (heads > shared and heads % shared == 0)):
            yield heads


def _expert_widths(each: float, width: int, near: float) -> int:
    """How many widths of an expert fit, plain and gated; `each` is what a matrix row of it would have to count."""
    return sum(
        max(0, floor(min(each * (1 + near) / n, EXPERT[1] * width) / STEP)
            - ceil(max(each * (1 - near) / n, EXPERT[0] * width) / STEP) + 1)
        for n in (2, 3)
    )  # fmt: skip


def count(shapes: tuple[Some, ...]) -> int:
    """How many shapes they stand for."""
    return sum(some.experts for some in shapes)


def by_width(shapes: tuple[Some, ...]) -> Counter[int]:
    """Width -> how many shapes have it: what would be left if it were known."""
    return _counted(shapes, lambda some: some.width)


def _counted(shapes: tuple[Some, ...], of: Callable[[Some], Any]) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for some in shapes:
        counts[of(some)] += some.experts
    return counts


def kept(some: Some) -> int:
    """Values of a token that a layer keeps of its keys: what a price of long contexts would tell."""
    return (KINDS[some.kind] or some.heads) * some.head_dim


MEASURED: dict[str, Callable[[Some], Any]] = {
    "nothing more": lambda _: 0,
    "whether heads share keys": lambda some: some.kind,
    "the cache of a token": kept,
    "the width": lambda some: some.width,
    "the number of heads": lambda some: some.heads,
    "the width and the cache": lambda some: (some.width, kept(some)),
}


def decides(scenario: Scenario) -> list[dict[str, Any]]:
    """What one further measurement would leave of the family, on average over its shapes."""
    shapes = family(scenario)
    total, rows = count(shapes), list[dict[str, Any]]()
    for what, of in MEASURED.items():
        left = _counted(shapes, of)
        mean = sum(n * n for n in left.values()) / total if total else 0.0
        rows.append({"if one knew": what, "answers possible": len(left), "shapes left, on average": round(mean)})
    return rows
