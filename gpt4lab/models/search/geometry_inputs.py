"""What a search for a geometry is asked about: sums that somebody stated, and the sizes that a shape may have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, NamedTuple, cast

from attrs import Factory, field, frozen

from gpt4lab.scenario import FIELDS

KINDS = ("MHA", "GQA", "MQA", "MLA")


class GeometryError(ValueError):
    """A question that has no answer, or ten thousand: a senseless sum or fact, or too few of them."""


class Span(NamedTuple):
    """From low to high."""

    low: float
    high: float

    def meet(self, low: float, high: float) -> Span:
        """What both have in common; empty where low exceeds high."""
        return Span(max(self.low, low), min(self.high, high))


@frozen
class Stated:
    """A stated sum, or the two ends of a range, and by what share a shape may miss it."""

    low: float
    high: float = field(default=Factory(lambda self: self.low, takes_self=True))
    tolerance: float = 0.01

    def __attrs_post_init__(self) -> None:
        if not 0 < self.low <= self.high < inf:
            raise GeometryError(
                f"A stated sum of {self.low!r} to {self.high!r}: give parameters, above 0, low to high."
            )
        if not 0 < self.tolerance < 1:
            raise GeometryError(f"tolerance = {self.tolerance!r}: allowed is a share between 0 and 1.")

    def error(self, found: float) -> float:
        """By what share a number misses it; 0 inside the range."""
        return found / min(max(found, self.low), self.high) - 1

    @property
    def span(self) -> Span:
        """The numbers that are near enough, and a hair more: sums are rounded."""
        return Span(self.low * (1 - self.tolerance - 1e-12), self.high * (1 + self.tolerance + 1e-12))


def _several(given: Any) -> Sequence[Any]:
    """A single choice is a fact; several are put in order."""
    if isinstance(given, (range, tuple, list, set)):
        return given if isinstance(given, range) else tuple(sorted(cast("Iterable[Any]", given)))
    return (given,)


def _whole(least: int = 1) -> dict[str, Any]:
    """Converter and validator of a field of whole numbers: one, several, or a range."""

    def check(record: Any, attribute: Any, given: Sequence[Any]) -> None:
        for n in (given[0], given[-1]) if given else (None,):
            if not isinstance(n, (int, float)) or not least <= n < inf or n % 1:
                raise GeometryError(f"{attribute.name} = {n!r}: allowed are whole numbers from {least} up.")

    return {"converter": _several, "validator": check}


def _kinds(record: Any, attribute: Any, given: Sequence[Any]) -> None:
    if not given or set(given) - set(KINDS):
        raise GeometryError(f"{attribute.name} = {', '.join(map(str, given))}: allowed are {', '.join(KINDS)}.")


def _ratio(record: Any, attribute: Any, given: Any) -> None:
    if len(given) != 2 or not 0 < given[0] <= given[1] < inf:
        raise GeometryError(f"{attribute.name} = {given!r}: allowed are two numbers above 0, low and high.")


@frozen
class Allowed:
    """What a shape may be: for each size one value, which is a fact, or several, or a range.

    `kv_heads` are those of GQA: MHA has one for each head, MQA one for all. MLA is tried where it is named, with the
    ranks and head sizes of DeepSeek's models. `expert_ratio` bounds an expert's width over the model's, `heads_ratio`
    that of all heads together. Heads divide over `tensor` ranks. `embedding` is 1 where total and active count the
    vocabulary.
    """

    layers: Any = field(default=range(1, 201), **_whole())
    d_model: Any = field(default=range(128, 32_769, 128), **_whole())
    attention: Any = field(default=KINDS[:3], converter=_several, validator=_kinds)
    heads: Any = field(default=range(1, 1025), **_whole())
    head_dim: Any = field(default=(64, 128, 256), **_whole())
    kv_heads: Any = field(default=(4, 8, 16), **_whole())
    d_ff: Any = field(default=range(128, 262_145, 128), **_whole())
    gated: Any = field(default=(0, 1), **_whole(0))
    experts: Any = field(default=(1, 2, 4, 8, 16, 32, 64, 128, 256), **_whole())
    top_k: Any = field(default=(1, 2, 4, 8), **_whole())
    embedding: Any = field(default=0, **_whole(0))
    tensor: Any = field(default=1, **_whole())
    vocab: int = FIELDS["model.vocab"].default
    expert_ratio: tuple[float, float] = field(default=(0.25, 8.0), validator=_ratio)
    heads_ratio: tuple[float, float] = field(default=(1.0, 1.0), validator=_ratio)
