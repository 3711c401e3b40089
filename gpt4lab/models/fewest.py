"""The fewest GPUs that hold a network: so many tensor-parallel ranks, times so many stages.

A million of pairs may have to be asked; where NumPy is installed, many are asked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import evolve, frozen

from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.part import held as held_answering
from gpt4lab.models.inputs import Chip, Network
from gpt4lab.models.rules import LayoutError, possible
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.part import StepPart
from gpt4lab.models.step.part import held as held_training

#: Ranks and stages that are looked at, as many as a scenario can have.
MOST = 1024
#: Pairs that are asked at once: the first few are the likely ones, and no array grows without end.
FIRST, LARGEST = 64, 1 << 16
Fits = Callable[[Any, Any], Any]


@frozen
class Fewest:
    """Tensor ranks and stages of a copy, and how many times it is there: replicas, ranks of a sequence, groups."""

    ranks: int
    stages: int
    copies: int

    @property
    def gpus(self) -> int:
        """GPUs altogether."""
        return self.ranks * self.stages * self.copies

    def words(self) -> str:
        """From how many GPUs it fits."""
        copies = f" x {self.copies:,}" if self.copies > 1 else ""
        return f"fits from {self.gpus:,} GPUs ({self.ranks} x {self.stages}{copies})"


def fewest_to_answer(network: Network, deployment: Deployment, chip: Chip) -> Fewest | None:
    """The fewest GPUs that serve it so, whatever the tensor ranks of a node and the stages; None where none do."""
    room = chip.memory_bytes * deployment.usable_memory

    def fits(ranks: Any, stages: Any) -> Any:
        way = evolve(deployment, tensor=ranks, pipeline=stages)
        return possible(network, way, chip) & (held_answering(network, way).total <= room)

    return _fewest(network, deployment, chip, fits, int(deployment.expert))


def fewest_to_train(network: Network, layout: Layout, chip: Chip) -> Fewest | None:
    """The fewest GPUs that train it so, with as many replicas and ranks of a sequence; None where none do."""

    def fits(ranks: Any, stages: Any) -> Any:
        way = evolve(layout, tensor=ranks, pipeline=stages)
        return possible(network, way) & (held_training(StepPart(network, way)).total <= chip.memory_bytes)

    return _fewest(network, layout, chip, fits, int(layout.data * layout.context))


def told(found: Fewest | None, network: Network, way: Layout | Deployment, chip: Chip) -> str:
    """From how many GPUs it fits, or as how many were looked at."""
    ranks, stages = _most(network, way, chip)
    return found.words() if found else f"fits on no number of them up to {ranks:,} x {stages:,}"


def _most(network: Network, way: Layout | Deployment, chip: Chip) -> tuple[int, int]:
    """Ranks and stages that are looked at: of a node, or as many as were asked for; a layer a stage."""
    ranks = max(int(min(way.tensor, MOST)), int(min(chip.gpus_per_node, network.heads)))
    return ranks, int(min(network.layers, MOST))


def _fewest(network: Network, way: Layout | Deployment, chip: Chip, fits: Fits, copies: int) -> Fewest | None:
    for ranks, stages in _pairs(*_most(network, way, chip)):
        first = _first(fits, ranks, stages)
        if first is not None:
            return Fewest(*first, copies)
    return None


def _first(fits: Fits, ranks: Any, stages: Any) -> tuple[int, int] | None:
    """The first of some pairs that fits; what cannot exist does not."""
    try:
        found = fits(ranks, stages)
    except LayoutError:
        return None
    if getattr(found, "ndim", 0) == 0:
        return (int(ranks), int(stages)) if found else None
    index = int(found.argmax())
    return (int(ranks[index]), int(stages[index])) if found[index] else None


def _pairs(ranks: int, stages: int) -> Iterator[tuple[Any, Any]]:
    """Ranks and stages, the fewest GPUs first, and of as many the fewest stages; as arrays where there are any."""
    try:
        import numpy as np
    except ModuleNotFoundError:
        both = ((t, p) for t in range(1, ranks + 1) for p in range(1, stages + 1))
        yield from sorted(both, key=lambda pair: (pair[0] * pair[1], pair[1]))
        return
    t, p = (side.ravel() for side in np.meshgrid(np.arange(1.0, ranks + 1), np.arange(1.0, stages + 1)))
    order = np.lexsort((p, t * p))
    start, size = 0, FIRST
    while start < len(order):
        some = order[start : start + size]
        yield t[some], p[some]
        start, size = start + size, min(4 * size, LARGEST)
