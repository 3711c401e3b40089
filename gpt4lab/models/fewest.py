"""The fewest GPUs that hold a network: so many tensor-parallel ranks, times so many stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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

    def fits(ranks: int, stages: int) -> bool:
        way = evolve(deployment, tensor=ranks, pipeline=stages)
        return bool(possible(network, way, chip)) and held_answering(network, way).total <= room

    return _fewest(network, deployment, chip, fits, int(deployment.expert))


def fewest_to_train(network: Network, layout: Layout, chip: Chip) -> Fewest | None:
    """The fewest GPUs that train it so, with as many replicas and ranks of a sequence; None where none do."""

    def fits(ranks: int, stages: int) -> bool:
        way = evolve(layout, tensor=ranks, pipeline=stages)
        return bool(possible(network, way)) and held_training(StepPart(network, way)).total <= chip.memory_bytes

    return _fewest(network, layout, chip, fits, int(layout.data * layout.context))


def _fewest(
    network: Network, way: Layout | Deployment, chip: Chip, fits: Callable[[int, int], bool], copies: int
) -> Fewest | None:
    most = max(int(min(way.tensor, MOST)), int(min(chip.gpus_per_node, network.heads)))
    stages = int(min(network.layers, MOST))
    return next((Fewest(*pair, copies) for pair in _pairs(most, stages) if _can(fits, *pair)), None)


def _pairs(ranks: int, stages: int) -> Iterator[tuple[int, int]]:
    """Ranks and stages, the fewest GPUs first, and of as many the fewest stages."""
    both = ((t, p) for t in range(1, ranks + 1) for p in range(1, stages + 1))
    return iter(sorted(both, key=lambda pair: (pair[0] * pair[1], pair[1])))


def _can(fits: Callable[[int, int], bool], ranks: int, stages: int) -> bool:
    """Whether it fits; what cannot exist does not."""
    try:
        return fits(ranks, stages)
    except LayoutError:
        return False
