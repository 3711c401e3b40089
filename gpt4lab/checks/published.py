"""The training-step model against later published runs: seconds of a step, utilisation, accelerator-hours, electricity.

Nothing is fitted to these rows, and rows that come out wrong stay. Makers seldom publish how they spread a run over
their machines; what had to be assumed is said in each row's `assumed`. Hours count every pause of the real run, the
prediction none.
"""

from __future__ import annotations

from itertools import product
from math import inf
from typing import cast

from attrs import evolve

from gpt4lab import catalog
from gpt4lab.catalog import Measurement
from gpt4lab.checks.catalogued import entries, measured, setup, stated
from gpt4lab.checks.check import Check, Checks
from gpt4lab.checks.step import (
    bloom,
    hardware_in,
    layout_in,
    llama,
    llama_layout,
    padded,
    shape_in,
    with_flash_attention_2,
)
from gpt4lab.models.inputs import Chip, Network, chip, machine, measured_efficiency, network_of
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import StepReport, step

HOUR = 3600
#: Runs of which only shape, tokens and hours are published: slug -> tokens of a sequence, where the row has no shape.
LLAMAS = {"llama1-7b": 2048, "llama1-13b": 2048, "llama1-33b": 2048, "llama1-65b": 2048, "llama2-7b": 4096}
PLAIN = "layout not published: the cheapest of some plain ones, sequences of {s:,}; pauses not counted"


def throughput() -> Checks:
    """FLOP/s per GPU of BLOOM and of Llama 3.1's three layouts, each with two interleavings."""
    return Checks((bloom(), *(llama(entry.slug, chunks) for entry in entries("llama3-t4-") for chunks in (1, 8))))


def mt_nlg() -> Checks:
    """The seconds of a step of MT-NLG 530B on 280, 350 and 420 servers."""
    words = "no interleaving, all recomputed"
    return Checks(measured(entry, "step", _mt_nlg(entry).time_s, words) for entry in entries("mt-nlg-"))


def _mt_nlg(entry: Measurement) -> StepReport:
    layout = layout_in(entry.setup, recompute="full", gradient_bytes=4)
    return step(shape_in(entry.setup), layout, hardware_in(entry))


def palm() -> Checks:
    """PaLM's two utilisations, with and without what it computed twice."""
    entry = catalog.measurements["palm-540b"]
    layout = layout_in({**entry.setup, "micro_batch": 4}, zero=3, recompute="full", sequence_parallel=True)
    report = step(network_of("palm-540b"), layout, chip("tpu-v4"))
    assumed = "one batch of four sequences a replica; its links stand in for the network between the two pods"
    return Checks(measured(entry, key, found, assumed) for key, found in (("mfu", report.mfu), ("hfu", report.hfu)))


def hours() -> Checks:
    """Accelerator-hours: tokens of the run over the rate of a step."""
    fsdp = (_fsdp(slug, s) for slug, s in LLAMAS.items())
    return Checks((*fsdp, _llama_2(), _bloom(), _llama_3(), _deepseek(False), _deepseek(True)))


def _fsdp(slug: str, s: int) -> Check:
    entry = catalog.measurements[slug]
    own = {"layers", "d_model"} <= set(entry.setup)
    shape = evolve(shape_in(entry.setup), gated=1.0, tied_embeddings=0.0) if own else network_of("llama-2-7b", s)
    known = cast("int | None", entry.setup.get("gpus"))
    return _hours_check(entry, _plain(shape, hardware_in(entry), known), PLAIN.format(s=s))


def _plain(shape: Network, hardware: Chip, gpus: int | None = None) -> StepReport:
    """The cheapest of some plain layouts for a batch of four million tokens.

    From one sequence a GPU up to eight, where the GPUs are not known; tensor ranks stay in a node; ZeRO 1 or 3 shares
    out the states; all is recomputed, or nothing; a micro-batch is a sequence, or one for each tensor rank. Attention
    is fused, as the makers say.
    """
    batch = 2**22 // int(shape.sequence)
    tensor = [t for t in (1, 2, 4, 8) if shape.heads % t == 0]
    clusters = [gpus] if gpus else [batch // each for each in (1, 2, 4, 8)]
    fused = {"overlap": 1, "fused_attention": True, "sequence_parallel": True, "batch": batch}
    ways = [
        Layout(tensor=t, data=n // t, micro_batch=b, zero=z, recompute=how, **fused)
        for n, t, z, how in product(clusters, tensor, (1, 3), ("none", "full"))
        for b in {1, t}
    ]
    reports = [step(shape, way, hardware) for way in ways]
    fitting = [report for report in reports if report.fits] or reports[-1:]
    return min(fitting, key=lambda report: report.time_s * report.gpus)


def _llama_2() -> Check:
    report = _plain(network_of("llama-2-70b", sequence=4096), machine("a100-sxm-80gb"))
    return _model_hours("llama-2-70b", report, PLAIN.format(s=4096))


def _bloom() -> Check:
    entry, usual = catalog.measurements["bloom-176b"], catalog.measurements["bloom-176b-step"]
    layout = layout_in(usual.setup, recompute="full", zero=1, gradient_bytes=4)
    shape = shape_in(usual.setup)
    report = step(padded(shape, layout), layout, hardware_in(usual))
    return _hours_check(entry, report, "the usual step throughout; 176 billion parameters on 384 GPUs")


def _llama_3() -> Check:
    entry = catalog.measurements["llama3-t4-8k-16384"]
    layout = llama_layout(entry, chunks=8)
    hardware = with_flash_attention_2(hardware_in(entry))
    report = step(padded(network_of("llama-3.1-405b", sequence=8192), layout), layout, hardware)
    return _model_hours("llama-3.1-405b", report, "all of it at 8,192 tokens on 16,384 GPUs, interleaving of 8")


def _deepseek(hidden: bool) -> Check:
    entry = catalog.measurements["deepseek-v3-training"]
    shape = network_of("deepseek-v3", cast("int", entry.setup["sequence"]))
    known = layout_in(entry.setup, zero=1, overlap=1, fused_attention=True, gradient_bytes=4, lean=True)
    layout, hardware = evolve(known, schedule="zero-bubble"), _in_8_bits(hardware_in(entry), hidden)
    words = "all traffic hidden" if hidden else "none of the traffic to the experts hidden"
    report = step(padded(shape, layout), layout, hardware)
    return _hours_check(entry, report, f"all products in fp8; ZB-H1 stands in for DualPipe; {words}")


def _in_8_bits(hardware: Chip, free: bool) -> Chip:
    """The H800 at the fp8 rate, with links that take no time where all traffic is hidden."""
    rate = hardware.peak_8bit_flop_per_s * measured_efficiency().matmul_8bit
    links = {"link_bytes_per_s": inf, "network_bytes_per_s": inf, "network_hop_s": 0.0} if free else {}
    return evolve(with_flash_attention_2(hardware), product_flop_per_s=rate, **links)


def energy() -> Checks:
    """The electricity of BLOOM's GPUs: its hours at the power that its A100 are built for."""
    entry = catalog.measurements["bloom-176b"]
    predicted = entry.measured["gpu_hours"] * catalog.accelerators[entry.accelerator or ""].need("tdp_w")
    return Checks([measured(entry, "energy", predicted, "the published hours; the GPUs alone, at their rated power")])


def _hours_check(entry: Measurement, report: StepReport, assumed: str) -> Check:
    return measured(entry, "gpu_hours", _gpu_hours(report, float(setup(entry)["tokens"])), assumed)


def _model_hours(slug: str, report: StepReport, assumed: str) -> Check:
    model = catalog.models[slug]
    return stated(model, "accelerator_hours", _gpu_hours(report, model.need("training_tokens")), assumed)


def _gpu_hours(report: StepReport, tokens: float) -> float:
    return tokens / (report.tokens_per_s / report.gpus) / HOUR
