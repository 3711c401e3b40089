"""The training-step model against runs under PyTorch's FSDP, and against a thousand measured layouts.

FSDP runs: every second row, from the first, is one that `catalog.constants["read-off-runs"]` was read off; the others
judge. The model knows no allocator that has hardly room left: a run whose states nearly fill its GPUs is slower than
it says (30B on eight GPUs). Layouts: memory follows the kept tensors, counted from what a Llama layer computes; the
factor of the allocator was read off every second row, and that pipelines gather again was seen in them. What a layout
with tensor ranks *and* pipeline stages over several nodes waits for, some 2 ms a layer and rank, the model does not
know, nor why some rows are a hundred times slower than their twins: those rows are far off, and stay. So the mean error
of the speed of layouts is good in points of utilisation only.
"""

from __future__ import annotations

from attrs import evolve

from gpt4lab import catalog
from gpt4lab.catalog import Measurement
from gpt4lab.catalog.playbook import MeasuredLayout, playbook_layouts
from gpt4lab.checks.catalogued import entries, measured, setup
from gpt4lab.checks.check import Check, Checks
from gpt4lab.checks.step import hardware_in, layout_in, padded, shape_in
from gpt4lab.models.inputs import Network, machine
from gpt4lab.models.search.parameters import parts
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import StepReport, step

#: Runs of so many parameters are large; sequences of so many tokens are long.
LARGE, LONG = 6e9, 8192
#: Groups that share a bar: title -> letters the accelerator begins with, long sequences, what is recomputed.
GROUPS = {
    "FSDP on A100, sequences up to 4,096, all recomputed": ("a100", False, "full"),
    "FSDP on A100, sequences from 8,192, all recomputed": ("a100", True, "full"),
    "FSDP on H100, sequences up to 4,096, all recomputed": ("h100", False, "full"),
    "FSDP on H100, sequences from 8,192, all recomputed": ("h100", True, "full"),
    "FSDP on A100, nothing recomputed": ("a100", False, "none"),
    "FSDP on H100, nothing recomputed": ("h100", False, "none"),
}
#: The figure's models: layers, width, heads, width of the feed-forward, 1 where the embedding is the head too.
SHAPES = {
    "1B": (16, 2048, 32, 8192, 1.0),
    "3B": (28, 3072, 32, 8192, 1.0),
    "8B": (32, 4096, 32, 14336, 0.0),
    "80B": (80, 8192, 64, 28672, 0.0),
}


def fsdp_runs() -> tuple[Measurement, ...]:
    """The runs of the catalog, in its order: large and small."""
    return tuple(entries("fsdp-"))


def group(title: str) -> Checks:
    """The large runs of a group."""
    return Checks(fsdp_check(entry) for entry in fsdp_runs() if _is_large(entry) and _kind(entry) == GROUPS[title])


def small() -> Checks:
    """The runs of models below 6 billion parameters."""
    return Checks(fsdp_check(entry) for entry in fsdp_runs() if not _is_large(entry))


def fsdp_check(entry: Measurement) -> Check:
    """Tokens per second and GPU of one run."""
    report = step(shape_in(entry.setup), _fsdp_layout(entry), hardware_in(entry))
    return measured(entry, "tokens_per_s_per_gpu", report.tokens_per_s / report.gpus)


def _fsdp_layout(entry: Measurement) -> Layout:
    known = setup(entry)
    return layout_in(known, zero=3, overlap=1, fused_attention=True, recompute=known["recompute"])


def _is_large(entry: Measurement) -> bool:
    return parts(shape_in(entry.setup)).total > LARGE


def _kind(entry: Measurement) -> tuple[str, bool, str]:
    known = setup(entry)
    return str(entry.accelerator)[:4], known["sequence"] >= LONG, known["recompute"]


def layouts(*, most_nodes: int = 64) -> tuple[tuple[MeasuredLayout, StepReport], ...]:
    """Every measured layout on at most so many nodes beside the model's report of it, those that failed included."""
    return tuple((row, layout_report(row)) for row in playbook_layouts() if row.nodes <= most_nodes)


def layout_report(row: MeasuredLayout) -> StepReport:
    """The model's report of a measured layout: FlashAttention, sequence parallelism, gradients summed in fp32."""
    layers, d_model, heads, d_ff, tied = SHAPES[row.model]
    shape = Network(layers, d_model, heads, d_ff=d_ff, gated=1.0, vocab=131072, tied_embeddings=tied, sequence=4096)
    sizes = {"data": row.data, "tensor": row.tensor, "pipeline": row.pipeline, "micro_batch": row.micro_batch}
    ways = {"sequence_parallel": True, "fused_attention": True, "overlap": 1, "gradient_bytes": 4}
    layout = Layout(**sizes, **ways, batch=row.batch, zero=row.zero)
    hop = catalog.constants["read-off-runs"].network_hop
    return step(padded(shape, layout), layout, evolve(machine("h100-sxm-80gb"), network_hop_s=hop))


def speed_check(row: MeasuredLayout, report: StepReport) -> Check:
    """Tokens per second and GPU of a layout that ran."""
    found, name = row.tokens_per_s_per_gpu or 0.0, f"{row.model} on {row.gpus} H100"
    return Check("tokens per second and GPU", report.tokens_per_s / report.gpus, found, "token/s", "playbook2025", name)


def memory_check(row: MeasuredLayout, report: StepReport) -> Check:
    """Peak memory of a layout that ran."""
    found, name = row.memory_bytes or 0.0, f"{row.model} on {row.gpus} H100"
    return Check("peak memory of a GPU", report.memory_bytes.total, found, "byte", "playbook2025", name)
