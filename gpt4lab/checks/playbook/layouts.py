"""A thousand measured layouts beside the step model, size by size and node by node; the wrong rows by name.

A row of the figure that did not run has crashed or run out of memory, and the figure does not say which. So a failure
that the model did not foresee need not be the model's error; a layout that ran and that it calls too large is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from statistics import correlation, mean, median, quantiles

from attrs import evolve, frozen

from gpt4lab import catalog
from gpt4lab.catalog.playbook import GIB, MeasuredLayout, playbook_layouts, playbook_scaling
from gpt4lab.checks.check import Check, Checks
from gpt4lab.checks.fsdp import layout_report, layouts
from gpt4lab.models.inputs import Rates, machine, measured_efficiency
from gpt4lab.rows import Row

#: What an allocator of an 80 GB card can reserve.
LIMIT = 78 * GIB
MODELS = ("1B", "8B")
NODES = (1, 2, 4, 8, 16, 32, 64)
#: MFU that is written to a tenth of a percent says nothing exact below this.
COARSE = 0.1
#: Bytes of each collective that was timed.
PAYLOAD = 256e6


@frozen
class Compared:
    """A measured layout, and what the model says of it."""

    row: MeasuredLayout
    mfu: float
    bytes: float

    @property
    def ran(self) -> bool:
        """Whether it was measured."""
        return self.row.mfu is not None

    @property
    def points(self) -> float:
        """Predicted less measured MFU, in points."""
        return 100 * (self.mfu - (self.row.mfu or 0))

    @property
    def share(self) -> float:
        """Predicted over measured peak memory."""
        return self.bytes / (self.row.memory_bytes or self.bytes)

    @property
    def too_large(self) -> bool:
        """Whether the model says that it does not fit."""
        return self.bytes > LIMIT

    @property
    def both(self) -> bool:
        """Tensor ranks and pipeline stages on several nodes: what the model does not know."""
        return self.row.tensor > 1 and self.row.pipeline > 1 and self.row.nodes > 1

    @property
    def words(self) -> str:
        """How it was laid out."""
        r = self.row
        shape = f"tensor {r.tensor} × pipeline {r.pipeline} × data {r.data}"
        return f"{r.model}, {r.nodes} nodes: {shape}, micro-batch {r.micro_batch}, ZeRO {r.zero}"


@cache
def judged() -> tuple[Compared, ...]:
    """All rows that are shipped, in their order. MFU on the figure's own basis, by tokens a second."""
    return tuple(
        _judged(row, report.tokens_per_s / report.gpus, report.memory_bytes.total) for row, report in layouts()
    )


def _judged(row: MeasuredLayout, tokens_per_s: float, held: float) -> Compared:
    return Compared(row, tokens_per_s * mfu_of_a_token(row.model, row.pipeline > 1), held)


@cache
def mfu_of_a_token(model: str, staged: bool) -> float:
    """MFU for each token a second and GPU, as the figure counts it: the median over rows that rounding leaves alone.

    It counts a tied embedding twice where there are stages, and once where there are none.
    """
    alike = (row for row in playbook_layouts() if (row.model, row.pipeline > 1) == (model, staged))
    ran = ((row.mfu or 0, row.tokens_per_s_per_gpu or 1) for row in alike)
    return median(mfu / speed for mfu, speed in ran if mfu > COARSE)


def by_size_and_nodes() -> list[Row]:
    """One row for each model and number of nodes: how many ran, how far off speed and memory are, what failed."""
    return [_group(model, nodes) for model in MODELS for nodes in NODES]


def _group(model: str, nodes: int) -> Row:
    here = [one for one in judged() if (one.row.model, one.row.nodes) == (model, nodes)]
    ran, failed = [one for one in here if one.ran], [one for one in here if not one.ran]
    low, *_, high = quantiles([one.share for one in ran], n=10)
    foreseen = sum(one.too_large for one in failed)
    return {
        "model": model,
        "nodes": nodes,
        "ran": len(ran),
        "best MFU": f"{max(one.row.mfu or 0 for one in ran):.1%}",
        "off, points (mean)": f"{mean(abs(one.points) for one in ran):.1f}",
        "without both ways at once": _mean_points(one for one in ran if not one.both),
        "memory, predicted / measured (middle 80%)": f"{low:.2f} to {high:.2f}",
        "ran, said not to fit": sum(one.too_large for one in ran),
        "failed, said not to fit": f"{foreseen} of {len(failed)}",
    }


def _mean_points(some: Iterable[Compared]) -> str:
    off = [abs(one.points) for one in some]
    return f"{mean(off):.1f}" if off else "–"


def picked() -> list[Row]:
    """Layouts with ranks and stages: whether the model puts them in order, and what its fastest would have reached."""
    return [_picked(model, nodes) for model in MODELS for nodes in NODES]


def _picked(model: str, nodes: int) -> Row:
    here = [one for one in judged() if one.ran and (one.row.model, one.row.nodes) == (model, nodes)]
    some = [one for one in here if one.row.tensor > 1 and one.row.pipeline > 1]
    found = [one.row.mfu or 0 for one in some]
    (got, best), (any_got, any_best) = _pick_and_best(some), _pick_and_best(here)
    return {
        "model": model,
        "nodes": nodes,
        "ran, with ranks and stages": len(some),
        "rank correlation": f"{rank_correlation([one.mfu for one in some], found):.2f}",
        "the model's pick reached": f"{got:.1%}",
        "the best reached": f"{best:.1%}",
        "pick / best": f"{got / best:.2f}",
        "pick / best, of all layouts": f"{any_got / any_best:.2f}",
    }


def _pick_and_best(some: Sequence[Compared]) -> tuple[float, float]:
    """Measured MFU of the layout that the model thinks the fastest, and of the one that was."""
    return max(some, key=lambda one: one.mfu).row.mfu or 0, max(one.row.mfu or 0 for one in some)


def twins(nodes: int) -> list[float]:
    """Speed with ZeRO stage 1 over that with stage 0, for layouts with ranks and stages that are else the same."""
    here = (one.row for one in judged() if one.row.mfu and one.row.nodes == nodes)
    both = [row for row in here if row.tensor > 1 and row.pipeline > 1]
    without, shared = ({_shape(row): row.mfu or 0 for row in both if row.zero == zero} for zero in (0, 1))
    return sorted(shared[shape] / without[shape] for shape in shared.keys() & without)


def _shape(row: MeasuredLayout) -> MeasuredLayout:
    return evolve(row, zero=0, mfu=None, tokens_per_s_per_gpu=None, memory_bytes=None)


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's: 1 where both are in the same order, 0 where neither tells of the other. Equals share their places."""
    return correlation(_ranks(one), _ranks(other))


def _ranks(some: Sequence[float]) -> list[float]:
    ordered = sorted(some)
    return [(bisect_left(ordered, one) + bisect_right(ordered, one)) / 2 for one in some]


def false_alarms() -> list[Row]:
    """Every layout that ran, though the model says that it does not fit."""
    wrong = [one for one in judged() if one.ran and one.too_large]
    return [
        {"layout": one.words, "predicted, GiB": one.bytes / GIB, "measured, GiB": (one.row.memory_bytes or 0) / GIB}
        for one in sorted(wrong, key=lambda one: -one.share)
    ]


def farthest(count: int) -> list[Row]:
    """The layouts whose speed is the farthest off, too fast and too slow."""
    ran = sorted((one for one in judged() if one.ran), key=lambda one: one.points)
    return [
        {"layout": one.words, "predicted MFU": f"{one.mfu:.1%}", "measured": f"{one.row.mfu or 0:.1%}"}
        for one in (*ran[:count], *reversed(ran[-count:]))
    ]


def tallied(that: Callable[[Compared], bool]) -> int:
    """How many of the rows are so."""
    return sum(map(that, judged()))


def data_parallel() -> Checks:
    """Replicas alone, on 8 to 256 GPUs: the rows of the figure whose speeds the text of the playbook names."""
    series = playbook_scaling()["dp_scaling_1B"]
    return Checks(_alone(gpus, speed) for gpus, speed in series.items())


def _alone(gpus: int, speed: float) -> Check:
    there = (row for row in playbook_layouts() if row.gpus == gpus)
    row = next(row for row in there if abs((row.tokens_per_s_per_gpu or 0) - speed) < 1)
    found = layout_report(row).tokens_per_s / gpus
    return Check("tokens a second and GPU", found, speed, "token/s", "playbook2025", f"{gpus} GPUs")


def collectives() -> Checks:
    """Rates of an all-gather of 256 MB on 1 to 64 nodes, against rings whose hops were read off these seven rates."""
    hop = catalog.constants["read-off-runs"].network_hop
    rates = Rates(evolve(machine("h100-sxm-80gb"), network_hop_s=hop), measured_efficiency(), 8)
    found = playbook_scaling()["all_gather_256MB_nodes"]
    rings = ((f"on {nodes * 8} GPUs", ring_rate_of(rates, 8 * nodes) / 1e9, rate) for nodes, rate in found.items())
    return Checks(Check("all-gather", ring, rate, "GB/s", "playbook2025", name) for name, ring, rate in rings)


def ring_rate_of(rates: Rates, ranks: int) -> float:
    """Bytes a second of a ring over so many ranks in a row."""
    sent = PAYLOAD * (ranks - 1) / ranks
    return float(sent / (sent / rates.ring(1, ranks) + rates.hops(1, ranks)))
