"""A pipeline that answers, its layers cut into stages as one likes: how long each takes and what it holds.

    line(network, deployment, chip, Cutting(cut="8 8 8 8 0")).slowest_s

Micro-batches go round, as many as there are stages with layers: a token that leaves the last stage comes back to the
first. Nobody is faster than the slowest stage lets them, so that a round takes as long as all stages together, or as
the slowest one for each micro-batch. With an even cut this is `decode`; a test holds the two together.
"""

from __future__ import annotations

from heapq import heapify, heapreplace
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from attrs import frozen

from gpt4lab.formulas import answering_layer as per
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.part import PassMemory, PassPart
from gpt4lab.models.decode.seconds import PassRates, Waits, Work, crossing_s, head_s, spent
from gpt4lab.models.inputs import Chip, Network, measured_efficiency
from gpt4lab.models.rules import possible
from gpt4lab.scenario.live import COUNTED_AS, OUTPUT_ON

WHOLE, COMPUTING, READING = COUNTED_AS
LAST, ALL = OUTPUT_ON


class Cutting(NamedTuple):
    """Layers of each stage, with blanks between (nothing: even), what counts as time, where the output is computed."""

    cut: str = ""
    counts: str = WHOLE
    output: str = LAST


class StagePace(NamedTuple):
    """Seconds of a micro-batch: in one layer, in the output, and on its way to the next stage."""

    layer_s: float
    output_s: float
    hop_s: float


class Stage(NamedTuple):
    """One stage: its layers, seconds by kind of work, and bytes on each of its GPUs."""

    layers: int
    layers_s: float
    output_s: float
    hop_s: float
    memory: PassMemory

    @property
    def seconds(self) -> float:
        """All that keeps it from the next micro-batch."""
        return self.layers_s + self.output_s + self.hop_s


@frozen
class StageLine:
    """All stages, and how many micro-batches of how many tokens go round."""

    stages: tuple[Stage, ...]
    pace: StagePace
    micro_batches: int
    tokens: float
    best_cut: tuple[int, ...]
    best_s: float
    room_bytes: float
    usd_per_s: float

    @property
    def seconds(self) -> tuple[float, ...]:
        """Of each stage."""
        return tuple(stage.seconds for stage in self.stages)

    @property
    def slowest_s(self) -> float:
        """Of the slowest stage: one micro-batch leaves the line in so many seconds."""
        return max(self.seconds)

    @property
    def round_s(self) -> float:
        """Time of a token: once through all stages, and the wait for the slowest."""
        return max(sum(self.seconds), self.micro_batches * self.slowest_s)

    @property
    def waiting(self) -> float:
        """Share of that time in which a token waits."""
        return 1 - sum(self.seconds) / self.round_s

    @property
    def tokens_per_s(self) -> float:
        """Tokens a second of the whole line."""
        return self.tokens / self.round_s

    @property
    def usd_per_1k(self) -> float:
        """Rent of its GPUs for 1,000 tokens."""
        return self.usd_per_s / self.tokens_per_s * 1000

    @property
    def fullest_bytes(self) -> float:
        """On a GPU of the stage that holds most."""
        return max(stage.memory.total for stage in self.stages)

    @property
    def fits(self) -> bool:
        """Whether every stage has room."""
        return self.fullest_bytes <= self.room_bytes

    @property
    def output_in_layers(self) -> float:
        """Seconds of the output over those of a layer."""
        return self.pace.output_s / self.pace.layer_s

    @property
    def behind(self) -> float:
        """How much longer the slowest stage takes than that of the best cut, as a share."""
        return self.slowest_s / self.best_s - 1


def dealt(cut: str, layers: int, stages: int) -> tuple[int, ...]:
    """Layers of each stage; their sum is always `layers`.

    Without a cut they are as even as can be, the fuller stages first. What a cut says too much is taken off its end;
    what it leaves is the last stage's; a stage of which it says nothing has none.
    """
    if not cut.split():
        return tuple(layers // stages + (stage < layers % stages) for stage in range(stages))
    said = [int(word) for word in cut.split()][: stages - 1]
    filled = [0, *(min(so_far, layers) for so_far in accumulate([*said, *[0] * (stages - 1 - len(said))])), layers]
    return tuple(after - before for before, after in pairwise(filled))


def evenest(pace: StagePace, layers: int, stages: int, output: str = LAST) -> tuple[int, ...]:
    """The cut whose slowest stage is quickest: each layer goes where it ends soonest, so no other cut is better."""
    found = [0] * stages
    queue = [(beside + pace.layer_s, stage) for stage, beside in enumerate(_beside(pace, stages, output))]
    heapify(queue)
    for _ in range(layers):
        end, stage = queue[0]
        found[stage] += 1
        heapreplace(queue, (end + pace.layer_s, stage))
    return tuple(found)


def _beside(pace: StagePace, stages: int, output: str) -> list[float]:
    """Seconds of each stage beside its layers."""
    shared = pace.output_s / stages if output == ALL else 0.0
    return [
        shared + (pace.hop_s if stage < stages - 1 else pace.output_s * (output == LAST)) for stage in range(stages)
    ]


def line(
    network: Network,
    deployment: Deployment,
    chip: Chip,
    cutting: Cutting | None = None,
    *,
    drafted: float = 0,
    beside: int = 0,
) -> StageLine:
    """The line of a deployment's stages under a cut; each pass may check `drafted` guesses of every sequence.

    beside: so many micro-batches more than stages with layers; as where they also go through a stage that has no part
    of the model. Below 0 there are fewer.

    Raises LayoutError for a way to serve that cannot exist. Plain numbers only.
    """
    cutting, gpu = cutting or Cutting(), PassPart(network, deployment)
    possible(network, deployment, chip)
    p, L = int(gpu.p), int(gpu.L)
    cut = dealt(cutting.cut, L, p)
    m = int(max(1, min(gpu.b, sum(layers > 0 for layers in cut) + beside)))
    pace = pace_of(gpu, chip, gpu.b / m, drafted, cutting.counts)
    best = evenest(pace, L, p, cutting.output)
    return StageLine(
        stages=_stages(gpu, pace, cut, cutting.output),
        pace=pace,
        micro_batches=m,
        tokens=gpu.b,
        best_cut=best,
        best_s=max(_seconds(pace, best, cutting.output)),
        room_bytes=chip.memory_bytes * deployment.usable_memory,
        usd_per_s=gpu.t * p * chip.usd_per_hour / 3600,
    )


def _seconds(pace: StagePace, cut: tuple[int, ...], output: str) -> list[float]:
    return [n * pace.layer_s + more for n, more in zip(cut, _beside(pace, len(cut), output), strict=True)]


def pace_of(gpu: PassPart, chip: Chip, sequences: float, drafted: float, counts: str) -> StagePace:
    """Seconds of a micro-batch of so many sequences with drafts: at measured rates, or of one kind at its peak."""
    n = sequences * (1 + drafted)
    work = Work(n, n, n * gpu.seen, sequences * gpu.seen * gpu.token_bytes, unpacked=False)
    reach = measured_efficiency()
    rate = PassRates(chip, reach, gpu)
    if counts == COMPUTING:
        each, output = n * gpu.flop(0, 0, unpacked=False) / gpu.L, 2 * n * gpu.h * gpu.V
        return StagePace(each / gpu.t / rate.peak, output / gpu.t / rate.peak, 0.0)
    if counts == READING:
        each, output = gpu.read(n) * gpu.w + work.cache, 2 * gpu.h * gpu.V / gpu.t
        return StagePace(each / chip.memory_bytes_per_s, output / chip.memory_bytes_per_s, 0.0)
    seconds, output = spent(gpu, rate, reach, work, Waits(0, 0, launches=False)), sum(head_s(gpu, rate, n))
    once = seconds.total - seconds.pipeline - seconds.waiting - output
    return StagePace(float(once / gpu.L), float(output), float(crossing_s(gpu, rate, reach, n)))


def _stages(gpu: PassPart, pace: StagePace, cut: tuple[int, ...], output: str) -> tuple[Stage, ...]:
    last, found = len(cut) - 1, list[Stage]()
    for at, layers in enumerate(cut):
        share = 1 / len(cut) if output == ALL else float(at == last)
        hop_s = pace.hop_s * (at < last)
        matrices = (at == 0) + (at == last) if output == LAST else 2 / len(cut)
        matrices -= gpu.network.tied_embeddings * (last == 0)
        memory = held_in(gpu, layers, matrices)
        found.append(Stage(layers, layers * pace.layer_s, share * pace.output_s, hop_s, memory))
    return tuple(found)


def held_in(gpu: PassPart, layers: Any, matrices: float) -> PassMemory:
    """What a GPU of a stage holds that has so many layers and so many matrices of the vocabulary, in 16 bits."""
    each = gpu.common + (1 - gpu.dense) * gpu.here * gpu.expert_weights
    return PassMemory(
        weights=layers * each * gpu.w + matrices * 2 * gpu.V * gpu.h / gpu.t,
        cache=layers * gpu.b * gpu.seen * gpu.token_bytes,
        overhead=gpu.deployment.overhead_bytes,
    )


def draft_s(gpu: PassPart, chip: Chip, params: float, sequences: float) -> float:
    """Seconds in which a node's GPUs draft a token for each sequence with a dense model; its cache is left out."""
    rate = PassRates(chip, measured_efficiency(), gpu)
    compute, read = 2 * sequences * params / gpu.t / rate.product, 2 * params / gpu.t / rate.memory
    return float(per.together(read, compute))
