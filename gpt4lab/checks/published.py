"""The training-step model against later published runs: seconds of a step, utilisation, accelerator-hours, electricity.

Nothing is fitted to these rows, and rows that come out wrong stay. Makers seldom publish how they spread a run over
their machines; what had to be assumed is said in each row's `assumed`. Hours count every pause of the real run, the
prediction none.
"""

from __future__ import annotations

from math import inf
from typing import cast

from attrs import evolve

from gpt4lab import catalog
from gpt4lab.catalog import Measurement
from gpt4lab.checks.catalogued import entries, measured, setup, stated
from gpt4lab.checks.check import Check, Checks
from gpt4lab.checks.step import bloom, hardware_in, layout_in, llama, llama_layout, padded, shape_in
from gpt4lab.models.inputs import Chip, Network, chip, machine, measured_efficiency, network_of
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.report import StepReport, step

HOUR = 3600
#: Runs of which only shape, tokens and hours are published: slug -> tokens of a sequence, where the row has no shape.
LLAMAS = {"llama1-7b": 2048, "llama1-13b": 2048, "llama1-33b": 2048, "llama1-65b": 2048, "llama2-7b": 4096}
FSDP = "layout not published: FSDP, a sequence of {s:,} a GPU, all gathering hidden; pauses not counted"


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
    return _hours_check(entry, _plain(shape, hardware_in(entry)), FSDP.format(s=s))


def _plain(shape: Network, hardware: Chip) -> StepReport:
    """The simplest layout there is: FSDP on as many GPUs as a batch of four million tokens has sequences.

    Attention is fused, as the makers say; only where it does not fit is all computed twice.
    """
    gpus = 2**22 // int(shape.sequence)
    ways = [
        Layout(data=gpus, batch=gpus, zero=3, overlap=1, fused_attention=True, recompute=how)
        for how in ("none", "full")
    ]
    reports = [step(shape, way, hardware) for way in ways]
    return next((report for report in reports if report.fits), reports[-1])


def _llama_2() -> Check:
    report = _plain(network_of("llama-2-70b", sequence=4096), machine("a100-sxm-80gb"))
    return _model_hours("llama-2-70b", report, FSDP.format(s=4096))


def _bloom() -> Check:
    entry, usual = catalog.measurements["bloom-176b"], catalog.measurements["bloom-176b-step"]
    layout = layout_in(usual.setup, recompute="full", zero=1, gradient_bytes=4)
    shape = shape_in(usual.setup)
    report = step(padded(shape, layout), layout, hardware_in(usual))
    return _hours_check(entry, report, "the usual step throughout; 176 billion parameters on 384 GPUs")


def _llama_3() -> Check:
    entry = catalog.measurements["llama3-t4-8k-16384"]
    layout = llama_layout(entry, chunks=8)
    report = step(padded(network_of("llama-3.1-405b", sequence=8192), layout), layout, hardware_in(entry))
    return _model_hours("llama-3.1-405b", report, "all of it at 8,192 tokens on 16,384 GPUs, interleaving of 8")


def _deepseek(hidden: bool) -> Check:
    """Attention has as many weights as DeepSeek's, but 5% fewer FLOP in the scores; every layer has experts."""
    entry = catalog.measurements["deepseek-v3-training"]
    plain = dict.fromkeys(("query_rank", "kv_rank", "rope_dim", "nope_dim", "dense_layers", "dense_d_ff"), 0)
    shape = evolve(network_of("deepseek-v3", cast("int", entry.setup["sequence"])), heads=101, **plain)
    known = layout_in(entry.setup, zero=1, overlap=1, fused_attention=True, gradient_bytes=4)
    layout, hardware = evolve(known, schedule="zero-bubble"), _in_8_bits(hardware_in(entry), hidden)
    efficiency = evolve(measured_efficiency(), matmul=measured_efficiency().matmul_8bit)
    words = "all traffic hidden" if hidden else "none of the traffic to the experts hidden"
    report = step(padded(shape, layout), layout, hardware, efficiency)
    return _hours_check(entry, report, f"all products in fp8; ZB-H1 stands in for DualPipe; {words}")


def _in_8_bits(hardware: Chip, free: bool) -> Chip:
    """The H800 with its fp8 peak, and with links that take no time where all traffic is hidden."""
    peak = catalog.accelerators["h800-sxm-80gb"].need("peak_fp8_flop_per_s")
    links = {"link_bytes_per_s": inf, "network_bytes_per_s": inf} if free else {}
    return evolve(hardware, peak_flop_per_s=peak, **links)


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
