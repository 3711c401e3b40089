"""The layouts that a search looks through: every way to multiply the kinds of parallelism to so many GPUs."""

from __future__ import annotations

from math import isqrt
from typing import Any

from attrs import field, frozen

from gpt4lab.formulas.memory import RECOMPUTE
from gpt4lab.formulas.pipeline import INTERLEAVED, SCHEDULES
from gpt4lab.models.inputs import Chip, Network
from gpt4lab.models.rules import LayoutError, count
from gpt4lab.models.step.layout import Layout

#: GPipe is left out where nothing is said: 1F1B takes as long and holds less.
USUAL = tuple(name for name in SCHEDULES if name != "gpipe")
#: What decides whether a layout can exist. All else, the switches, goes with any of them.
STRUCTURE = ("tensor", "pipeline", "context", "expert", "micro_batch", "order", "data")
SWITCHES = ("zero", "recompute", "sequence_parallel", "fused_attention", "overlap", "gradient_bytes", "lean")


def _several(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, (int, float, str)) else tuple(given)


def _each(record: Any, attribute: Any, given: tuple[Any, ...]) -> None:
    """Every choice is one that a layout accepts: its own validator says what is wrong."""
    if not given:
        raise LayoutError(f"Space.{attribute.name} has nothing to choose from.")
    for one in given:
        Layout(**{attribute.name: one})


_CHOICES: dict[str, Any] = {"converter": _several, "validator": _each}


@frozen
class Space:
    """Choices of each dimension of a `Layout`, for a batch of sequences on exactly so many GPUs, or `at_most` so many.

    More than one of `interleave` needs the schedule "interleaved", which is tried with no other. Replicas follow from
    the GPUs; with `at_most` any number is tried that divides the batch.
    """

    gpus: int = field(validator=count)
    batch: int = field(validator=count)
    at_most: bool = False
    tensor: Any = field(default=(1, 2, 4, 8), **_CHOICES)
    pipeline: Any = field(default=1, **_CHOICES)
    context: Any = field(default=1, **_CHOICES)
    expert: Any = field(default=1, **_CHOICES)
    micro_batch: Any = field(default=(1, 2, 4, 8, 16), **_CHOICES)
    interleave: Any = field(default=1, **_CHOICES)
    schedule: Any = field(default=USUAL, **_CHOICES)
    zero: Any = field(default=(0, 1, 2, 3), **_CHOICES)
    recompute: Any = field(default=RECOMPUTE, **_CHOICES)
    sequence_parallel: Any = field(default=(False, True), **_CHOICES)
    fused_attention: Any = field(default=False, **_CHOICES)
    overlap: Any = field(default=0.0, **_CHOICES)
    gradient_bytes: Any = field(default=2, **_CHOICES)
    lean: Any = field(default=False, **_CHOICES)

    def __attrs_post_init__(self) -> None:
        if not self.order:
            raise LayoutError(f"No schedule of {self.schedule} goes with Space.interleave = {self.interleave}.")

    @property
    def order(self) -> tuple[tuple[int, int], ...]:
        """Schedule, as its code, and chunks a stage."""
        codes = self.codes("schedule")
        plain = [(code, 1) for code in codes if code != INTERLEAVED and 1 in self.interleave]
        return (*plain, *((INTERLEAVED, v) for v in self.interleave if v > 1 and INTERLEAVED in codes))

    @property
    def data(self) -> tuple[int, ...]:
        """Numbers of replicas; 0 stands for as many as the GPUs give."""
        return tuple(n for n in divisors(self.batch) if n <= self.gpus) if self.at_most else (0,)

    def codes(self, name: str) -> tuple[Any, ...]:
        """The choices of a dimension as a layout keeps them, names as codes."""
        return tuple(getattr(Layout(**{name: one}), name) for one in getattr(self, name))

    def holds(self, layout: Layout) -> bool:
        """Whether a layout is among those that are looked through."""
        used = layout.tensor * layout.pipeline * layout.context * layout.data
        room = used <= self.gpus and layout.data in self.data if self.at_most else used == self.gpus
        mine = all(getattr(layout, name) in self.codes(name) for name in _ALIKE)
        return bool(room and mine and (layout.schedule, layout.interleave) in self.order and layout.batch == self.batch)


def space_for(network: Network, chip: Chip, gpus: int, batch: int, **choices: Any) -> Space:
    """The space of a model on a machine: all that divides it, tensor ranks in a node; `choices` go first."""
    usual: dict[str, Any] = {
        "tensor": divisors(chip.gpus_per_node),
        "pipeline": divisors(network.layers),
        "expert": divisors(network.experts),
        "interleave": divisors(network.layers),
    }
    return Space(gpus, batch, **{**usual, **choices})


def divisors(n: float) -> tuple[int, ...]:
    """All whole numbers that divide n, rising."""
    small = [i for i in range(1, isqrt(int(n)) + 1) if n % i == 0]
    return tuple(sorted({*small, *(int(n) // i for i in small)}))


#: Dimensions of which a layout has one choice each, by the same name.
_ALIKE = (*STRUCTURE[:5], *SWITCHES)
