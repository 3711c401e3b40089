"""The training-step model against later published runs: seconds of a step, utilisation, accelerator-hours, electricity.

Nothing is fitted to these rows, and rows that come out wrong stay. Makers seldom publish how they spread a run over
their machines; what had to be assumed is said in each row's `assumed`. Hours count every pause of the real run, the
prediction none.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, cast

from attrs import evolve

from gpt4lab import catalog
from gpt4lab.catalog import Measurement
from gpt4lab.checks.step import (
    Check,
    Rows,
    bloom,
    hardware_in,
    layout_in,
    llama,
    llama_layout,
    padded,
    shape_in,
    source_in,
)
from gpt4lab.models.decode.report import chip, serving_efficiency
from gpt4lab.models.step.report import Hardware, Layout, Shape, StepReport, machine, measured_efficiency, shape_of, step

HOUR = 3600
#: Runs of which only shape, tokens and hours are published: slug -> tokens of a sequence, where the row has no shape.
LLAMAS = {"llama1-7b": 2048, "llama1-13b": 2048, "llama1-33b": 2048, "llama1-65b": 2048, "llama2-7b": 4096}
FSDP = "layout not published: FSDP, a sequence of {s:,} a GPU, all gathering hidden; pauses not counted"


def throughput() -> Rows:
    """Return FLOP/s per GPU of BLOOM and of Llama 3.1's three layouts, each with two interleavings."""
    slugs = [slug for slug in catalog.measurements if slug.startswith("llama3-t4-")]
    return (bloom(), *(llama(slug, chunks) for slug in slugs for chunks in (1, 8)))


def mt_nlg() -> Rows:
    """Return the seconds of a step of MT-NLG 530B on 280, 350 and 420 servers."""
    found = [entry for slug, entry in catalog.measurements.items() if slug.startswith("mt-nlg-")]
    return tuple(
        _check(entry, "step", _mt_nlg(entry).time_s, "s", "no interleaving, all recomputed") for entry in found
    )


def _mt_nlg(entry: Measurement) -> StepReport:
    layout = layout_in(entry.setup, recompute="full", gradient_bytes=4)
    return step(shape_in(entry.setup), layout, hardware_in(entry))


def palm() -> Rows:
    """Return PaLM's two utilisations, with and without what it computed twice."""
    entry = catalog.measurements["palm-540b"]
    layout = layout_in({**entry.setup, "micro_batch": 4}, zero=3, recompute="full", sequence_parallel=True)
    report = step(shape_of("palm-540b"), layout, chip("tpu-v4"))
    assumed = "one batch of four sequences a replica; its links stand in for the network between the two pods"
    return (
        _check(entry, "mfu", report.mfu, "fraction", assumed),
        _check(entry, "hfu", report.hfu, "fraction", assumed),
    )


def hours() -> Rows:
    """Return accelerator-hours: tokens of the run over the rate of a step."""
    return (
        *(_fsdp(slug, s) for slug, s in LLAMAS.items()),
        _llama_2(),
        _bloom(),
        _llama_3(),
        _deepseek(False),
        _deepseek(True),
    )


def _fsdp(slug: str, s: int) -> Check:
    entry = catalog.measurements[slug]
    own = {"layers", "d_model"} <= set(entry.setup)
    shape = evolve(shape_in(entry.setup), gated=1.0, tied_embeddings=0.0) if own else shape_of("llama-2-7b", sequence=s)
    return _hours_check(entry, _plain(shape, hardware_in(entry)), FSDP.format(s=s))


def _plain(shape: Shape, hardware: Hardware) -> StepReport:
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
    model = catalog.models["llama-2-70b"]
    report = _plain(shape_of("llama-2-70b", sequence=4096), machine("a100-sxm-80gb"))
    predicted = _gpu_hours(report, model.need("training_tokens"))
    source = model.source_of("accelerator_hours").reference
    return Check(
        model.name, "accelerator-hours", "hour", model.need("accelerator_hours"), predicted, source, FSDP.format(s=4096)
    )


def _bloom() -> Check:
    entry, usual = catalog.measurements["bloom-176b"], catalog.measurements["bloom-176b-step"]
    layout = layout_in(usual.setup, recompute="full", zero=1, gradient_bytes=4)
    shape = shape_in(usual.setup)
    report = step(padded(shape, layout), layout, hardware_in(usual))
    return _hours_check(entry, report, "the usual step throughout; 176 billion parameters on 384 GPUs")


def _llama_3() -> Check:
    model, entry = catalog.models["llama-3.1-405b"], catalog.measurements["llama3-t4-8k-16384"]
    layout = llama_layout(entry, chunks=8)
    report = step(padded(shape_of("llama-3.1-405b", sequence=8192), layout), layout, hardware_in(entry))
    predicted = _gpu_hours(report, model.need("training_tokens"))
    return Check(
        model.name,
        "accelerator-hours",
        "hour",
        model.need("accelerator_hours"),
        predicted,
        model.source_of("accelerator_hours").reference,
        "all of it at 8,192 tokens on 16,384 GPUs, interleaving of 8",
    )


def _deepseek(hidden: bool) -> Check:
    """Attention has as many weights as DeepSeek's, but 5% fewer FLOP in the scores; every layer has experts."""
    entry, model = catalog.measurements["deepseek-v3-training"], catalog.models["deepseek-v3"]
    shape = Shape(
        layers=model.need("n_layers"),
        d_model=model.need("d_model"),
        heads=101,
        kv_heads=1,
        head_dim=model.need("v_head_dim"),
        d_ff=model.need("expert_d_ff"),
        gated=1.0,
        experts=model.need("n_experts"),
        top_k=model.need("top_k"),
        shared_experts=model.need("n_shared_experts"),
        vocab=model.need("vocab_size"),
        tied_embeddings=0.0,
        sequence=cast("int", entry.setup["sequence"]),
    )
    known = layout_in(entry.setup, zero=1, overlap=1, fused_attention=True, gradient_bytes=4)
    layout, hardware = evolve(known, schedule="zero-bubble"), _in_8_bits(hardware_in(entry), hidden)
    efficiency = evolve(measured_efficiency(), matmul=serving_efficiency().matmul_8bit)
    words = "all traffic hidden" if hidden else "none of the traffic to the experts hidden"
    report = step(padded(shape, layout), layout, hardware, efficiency)
    return _hours_check(entry, report, f"all products in fp8; ZB-H1 stands in for DualPipe; {words}")


def _in_8_bits(hardware: Hardware, free: bool) -> Hardware:
    """The H800 with its fp8 peak, and with links that take no time where all traffic is hidden."""
    peak = catalog.accelerators["h800-sxm-80gb"].need("peak_fp8_flop_per_s")
    links = {"link_bytes_per_s": inf, "network_bytes_per_s": inf} if free else {}
    return evolve(hardware, peak_flop_per_s=peak, **links)


def energy() -> Rows:
    """Return the electricity of BLOOM's GPUs: its hours at the power that its A100 are built for."""
    entry = catalog.measurements["bloom-176b"]
    watts = catalog.accelerators[entry.accelerator or ""].need("tdp_w")
    predicted = entry.measured["gpu_hours"] * watts
    return (_check(entry, "energy", predicted, "Wh", "the published hours; the GPUs alone, at their rated power"),)


def _hours_check(entry: Measurement, report: StepReport, assumed: str) -> Check:
    return _check(entry, "gpu_hours", _gpu_hours(report, float(_setup(entry)["tokens"])), "hour", assumed)


def _gpu_hours(report: StepReport, tokens: float) -> float:
    return tokens / (report.tokens_per_s / report.gpus) / HOUR


def _setup(entry: Measurement) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", entry.setup)


def _check(entry: Measurement, key: str, predicted: float, unit: str, assumed: str) -> Check:
    what = catalog.measured_keys[key].label
    return Check(entry.name, what, unit, entry.measured[key], predicted, source_in(entry), assumed)
