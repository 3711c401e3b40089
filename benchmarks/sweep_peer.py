"""The training-step model beside mlsysim, a closed-form calculator, on the runs of Megatron-LM 2021, Table 1.

    python3 book.py bench sweep_peer

Both get the shape, the layout, the micro-batches and the machine of each run, and full recomputation. A prediction is
the paper's FLOP over the predicted time of a step. The book takes its efficiencies from micro-benchmarks; the peer has
one for everything, which its user must give. Three are tried: 0.5, its default (its guide says 0.40 to 0.55); the
book's own reading of a matmul on an A100; and the one with which it does best on this very table. Then its speed, over
the same runs: it answers one layout a call.
"""

from __future__ import annotations

from typing import Any

from mlsysim import Systems
from mlsysim.core.units import Q_
from mlsysim.models.types import TransformerWorkload
from mlsysim.solvers import DistributedModel
from mlsysim.systems.types import Fleet, NetworkFabric

from benchmarks import sweep
from benchmarks._shared import cpu_seconds, row, save, show, summary
from gpt4lab.catalog import Measurement
from gpt4lab.checks.catalogued import measured
from gpt4lab.checks.check import Check, Checks
from gpt4lab.checks.step import megatron_runs
from gpt4lab.models.inputs import Network, machine, measured_efficiency
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import step

DEFAULT = 0.5
TRIED = [percent / 100 for percent in range(40, 81)]
RUNS = megatron_runs()
Run = tuple[Measurement, Network, Layout]


def model(entry: Measurement) -> TransformerWorkload:
    """A run's model in the peer's words."""
    size = {"layers": "layers", "hidden_dim": "d_model", "heads": "heads"}
    shape: dict[str, Any] = {theirs: int(entry.setup[ours]) for theirs, ours in size.items()}
    count = Q_(entry.setup["params"], "count")
    return TransformerWorkload(name=entry.name, architecture="Transformer", parameters=count, **shape)


def cluster(entry: Measurement) -> Fleet:
    """A run's machines: the peer's own entry of the node, the catalog's network."""
    node, network = Systems.Nodes.DGX_A100, machine(str(entry.accelerator)).network_bytes_per_s
    fabric = NetworkFabric(name="InfiniBand", bandwidth=Q_(network / 1e9, "GB/s"))
    return Fleet(name=entry.name, node=node, count=entry.setup["gpus"] // node.accelerators_per_node, fabric=fabric)


MODELS = {entry.slug: (model(entry), cluster(entry)) for entry, _, _ in RUNS}


def step_s(run: Run, efficiency: float) -> float:
    """The peer's time of a step."""
    entry, shape, layout = run
    found = DistributedModel().solve(
        *MODELS[entry.slug],
        efficiency=efficiency,
        batch_size=int(layout.batch),
        tp_size=int(layout.tensor),
        pp_size=int(layout.pipeline),
        v_stages=int(layout.interleave),
        activation_recomputation=True,
        microbatch_count=int(layout.batch / layout.data / layout.micro_batch),
        seq_len=int(shape.sequence),
    )
    return found.step_latency_total.m_as("s")


def predicted(run: Run, efficiency: float) -> Check:
    """A row of Table 1: the FLOP that the book counts, over the peer's time."""
    entry, shape, layout = run
    report = step(shape, layout, machine(str(entry.accelerator)))
    rate = float(report.hardware_flop) / (step_s(run, efficiency) * float(report.gpus))
    return measured(entry, "flop_per_s_per_gpu", rate)


def checks(efficiency: float) -> Checks:
    """The peer's Table 1 with this efficiency."""
    return Checks(predicted(run, efficiency) for run in RUNS)


def errors() -> dict[str, dict[str, float]]:
    """Mean and largest error with each of the three efficiencies."""
    best = min(TRIED, key=lambda efficiency: checks(efficiency).mean_error)
    ways = {"default": DEFAULT, "matmul of an A100": float(measured_efficiency().matmul), "best for this table": best}
    return {name: {"efficiency": efficiency, **summary(checks(efficiency))} for name, efficiency in ways.items()}


def main() -> None:
    """Measure, print, write."""
    far = errors()
    for name, found in far.items():
        print("{:<20} efficiency {efficiency:.2f}: mean {mean:6.1%}, largest {largest:6.1%}".format(name, **found))
    seconds = cpu_seconds(lambda: [step_s(run, DEFAULT) for run in RUNS], 5) / len(RUNS)
    rows = [
        row(sweep.REPORT, seconds * 1e3, "ms"),
        row(sweep.SWEEP.format(sweep.CONFIGURATIONS), 1 / seconds, "configurations/s"),
    ]
    show(rows)
    save("sweep_peer", {"peer": "mlsysim", "rows": rows, "errors": far}, "mlsysim")


if __name__ == "__main__":
    main()
