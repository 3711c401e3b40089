"""Every published number that a model of this book predicts, in tables.

    for table in tables():
        print(table.title, table.checks.mean_error, table.checks.largest, table.leaves_out)

Nothing here is typed: published numbers come from the catalog, predictions from the quantities. Rows that come out
wrong stay; each table says what its model leaves out. A measurement of the catalog that no table holds is in
`NOT_PREDICTED`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import NamedTuple

from gpt4lab import catalog
from gpt4lab.catalog import Measurement, PublishedModel
from gpt4lab.checks import decode, fsdp, published, runs, speculation, step
from gpt4lab.checks.catalogued import entries, measured, setup, stated
from gpt4lab.checks.check import Check, Checks
from gpt4lab.models.search import parameters
from gpt4lab.quantities.registry import value
from gpt4lab.quantities.topics import scaling, training
from gpt4lab.quantities.topics.vision import inserts, params, slim_params, tile_tokens
from gpt4lab.rows import Row
from gpt4lab.scenario import load_scenario


class CheckTable(NamedTuple):
    """Published numbers beside a model's, and what it leaves out."""

    title: str
    checks: Checks
    leaves_out: str


@cache
def tables() -> tuple[CheckTable, ...]:
    """All tables: training, memory, whole runs, answering, cache, speculation, scaling laws, sizes, pictures."""
    return tuple(CheckTable(title, checks(), leaves_out) for title, (checks, leaves_out) in _TABLES.items())


def step_tables() -> tuple[CheckTable, ...]:
    """The tables that the model of a training step predicts, all of them."""
    return tuple(
        CheckTable(title, checks(), leaves_out)
        for title, (checks, leaves_out) in _TABLES.items()
        if leaves_out.startswith((_STEP, _FSDP, _ZERO_3))
    )


def step_errors() -> list[Row]:
    """Every group of published rows that the step model predicts: how many, how far off, and to which side."""
    return [
        {
            "published": group.title,
            "rows": len(group.checks),
            "mean error": f"{group.checks.mean_error:.1%}",
            "largest": f"{group.checks.largest:.1%}",
            "model too fast in": sum(_too_fast(check) for check in group.checks),
        }
        for group in step_tables()
    ]


def _too_fast(check: Check) -> bool:
    return check.ratio > 1 if check.unit in _LESS_IS_FASTER else check.ratio < 1


def reason(entry: Measurement) -> str:
    """Why a measurement is not predicted; "" where it is."""
    return next((why for prefix, why in NOT_PREDICTED.items() if entry.slug.startswith(prefix)), "")


# --- tables that no other module makes --------------------------------------------------------------------------------


def equation_4() -> Checks:
    """The paper's own two estimates of days: 8 FLOP a parameter and token at an assumed rate."""
    found = entries("megatron21-eq4-")
    return Checks(measured(e, "days", runs.days(e, float(e.setup["flop_per_s_per_gpu"]))) for e in found)


def chinchilla_tokens() -> Checks:
    """The best tokens of Hoffmann's six sizes by every fit and by the rule of thumb, against Approach 1."""
    return Checks(_by_fit(entry, fit) for fit in (*scaling.FITS, "rule") for entry in entries("hoffmann22-t3-"))


def _by_fit(entry: Measurement, fit: str) -> Check:
    size = {"model.active_params": float(entry.setup["params"])}
    found = value(f"scaling.{fit}_tokens_active", load_scenario("leak"), size)
    return measured(entry, "tokens", found, f"by {fit.replace('_', ', ')}")


def chinchilla_flop() -> Checks:
    """Six FLOP a parameter and token, for the sizes and tokens of Hoffmann's table."""
    return Checks(
        measured(entry, "flop", training.flop(float(entry.setup["params"]), entry.measured["tokens"]))
        for entry in entries("hoffmann22-t3-")
    )


def training_flop() -> Checks:
    """Six FLOP an active parameter and token, for every model whose makers or Epoch AI published its compute."""
    found = [m for m in catalog.models.values() if m.training_flop and m.params_active and m.training_tokens]
    return Checks(
        stated(m, "training_flop", training.flop(m.need("params_active"), m.need("training_tokens"))) for m in found
    )


def sizes() -> Checks:
    """The parameters that follow from the shape of every model whose makers published one."""
    counted = [(model, _counted(model)) for model in catalog.models.values()]
    return Checks(stated(model, "params_total", number, model.note) for model, number in counted if number is not None)


def _counted(model: PublishedModel) -> float | None:
    try:
        return parameters.published(model).total
    except catalog.MissingFact:
        return None


def flamingo() -> Checks:
    """The parameters of Flamingo's cross-attention, and of its resampler."""
    resampler = value("vision.resampler_params", load_scenario("leak"))
    return Checks(
        measured(entry, key, predicted)
        for entry in entries("flamingo-")
        if entry.topic == "vision_params"
        for key, predicted in (("cross_attention_params", _cross(entry)), ("resampler_params", resampler))
        if key in entry.measured
    )


def flamingo_slim() -> Checks:
    """The same cross-attention, if its keys and values are made of tokens as narrow as the resampler's."""
    width = catalog.constants["flamingo-resampler"].d
    sizes = [entry for entry in entries("flamingo-") if entry.topic == "vision_params"]
    return Checks(measured(entry, "cross_attention_params", slim_params(*_shape(entry), width)) for entry in sizes)


def _cross(entry: Measurement) -> float:
    return params(*_shape(entry))


def _shape(entry: Measurement) -> tuple[float, float]:
    """Width, and insertions."""
    d, layers, every = (float(entry.setup[key]) for key in ("d_model", "layers", "every"))
    return d, inserts(layers, every)


def image_tokens() -> Checks:
    """The tokens of an image by the tile rule, against the documentation's examples."""
    return Checks(
        measured(entry, "image_tokens", tile_tokens(setup(entry)["width"], setup(entry)["height"]))
        for entry in entries("openai-image-")
    )


# --- the tables, and what each leaves out -----------------------------------------------------------------------------

_LESS_IS_FASTER = ("s", "GPU*hour", "day")  # a model that is too fast finds less of these than there was
_STEP = "Matrix products that overlap other work of their layer, stragglers, failures, checkpoints, data loading."
_ZERO_3 = "How slowly ZeRO-3 of 2021 gathered its weights, up to three times slower than its bytes need."
_FSDP = "What it costs that states nearly fill a GPU; and gathers that begin too early or too late."
_ANSWER = "The scheduler, the host beyond its launches of a prefill, and all between two steps."
_FLOP = "Pauses, restarts, ramps of the batch, and experiments thrown away."
_MEASURED = "That checking several tokens costs more than writing one, and that acceptance varies."
_FIT = "That a fit is stretched beyond its data; Approach 1 is itself an extrapolation above 16 billion."

_TABLES: Mapping[str, tuple[Callable[[], Checks], str]] = {
    "Megatron-LM 2021, Table 1": (step.megatron_validation, _STEP),
    "Megatron-LM 2021, Table 2, tensor and pipeline parallel": (lambda: step.table_2("PTD-P"), _STEP),
    "Megatron-LM 2021, Table 2, ZeRO-3": (lambda: step.table_2("ZeRO-3"), _ZERO_3),
    "Korthikanti 2022, Table 5, seconds of a step": (step.korthikanti_times, _STEP),
    "Korthikanti 2022, Figure 1, memory": (
        step.korthikanti_memory,
        "Nothing: what the figure leaves out, embedding and logits, is counted here.",
    ),
    **{title: (partial(fsdp.group, title), _FSDP) for title in fsdp.GROUPS},
    "FSDP, models below 6 billion parameters": (fsdp.small, _FSDP),
    "MT-NLG 530B, seconds of a step": (published.mt_nlg, _STEP),
    "PaLM 540B, utilisation": (published.palm, _STEP),
    "BLOOM and Llama 3.1, FLOP/s": (published.throughput, _STEP),
    "Whole runs, accelerator-hours from the step": (published.hours, f"{_STEP} {_FLOP}"),
    "Whole runs, accelerator-hours from the published utilisation": (runs.hours_checks, _FLOP),
    "Megatron-LM 2021, Table 2, days from the measured rate": (runs.days_checks, _FLOP),
    "Megatron-LM 2021, equation 4": (equation_4, "Nothing: it is the same formula, so this checks the book's copy."),
    "BLOOM, electricity": (published.energy, "Servers, network, cooling and idle machines."),
    "TensorRT-LLM 0.6.1, static batches": (decode.static_rows, _ANSWER),
    "TensorRT-LLM 0.5, 0.8 and 0.9, static batches": (
        decode.versions,
        f"{_ANSWER} Which kernels a version chose, and slow ones of its first experts and of Falcon.",
    ),
    "TensorRT-LLM 0.5, first token": (decode.first_tokens, _ANSWER),
    "TensorRT-LLM 0.8, cache read once per group of heads": (decode.grouping, f"{_ANSWER} The batch is unknown."),
    "LMDeploy 0.1, static batches": (decode.lmdeploy_static, _ANSWER),
    "LMDeploy 0.2, many requests": (decode.lmdeploy_requests, f"{_ANSWER} And the spread of lengths."),
    "PaLM on TPU v4, Pope 2022": (decode.pope, f"{_ANSWER} And matrices split two ways."),
    "DeepSeek-V3 on H800": (decode.deepseek, f"{_ANSWER} How much traffic is hidden is not published."),
    "InferenceX 2026, clients in a loop": (decode.inferencex, _ANSWER),
    "DeepSeek's day, rent": (decode.deepseek_day, f"{_ANSWER} And idle machines: a tenth of the time, or half of it."),
    "KV cache as published": (decode.kv_cache, "Nothing: surely the same formula; and one paper."),
    "Speculative decoding, expected by its authors": (
        lambda: speculation.speedup_checks("expected_speedup"),
        "Nothing but rounding: it is their formula.",
    ),
    "Speculative decoding, measured": (speculation.speedup_checks, _MEASURED),
    "Tokens a pass, from the acceptance of the first guess": (
        speculation.yield_checks,
        "That every further guess is harder than the one before.",
    ),
    "Hoffmann 2022, Table 3, tokens by each fit": (chinchilla_tokens, _FIT),
    "Hoffmann 2022, Table 3, FLOP": (chinchilla_flop, "The attention scores, and what embeddings cost."),
    "Training compute of published models": (
        training_flop,
        "Attention scores, and that some makers leave out embeddings; no recomputation.",
    ),
    "Parameters from the shape": (sizes, "Norms, biases, learned and relative positions."),
    "Flamingo, parameters": (flamingo, "Norms, biases, gates, and the projection behind the encoder."),
    "Flamingo, parameters, with narrow visual tokens": (flamingo_slim, "Norms, biases and gates."),
    "OpenAI's API, tokens of an image": (image_tokens, "Nothing: it is the documented rule."),
}

#: First letters of a slug -> why no model of the book predicts it.
NOT_PREDICTED: Mapping[str, str] = {
    "llama2-34b": "Its shape was not published with the catalog's sources.",
    "llama31-all": "Three sizes in one number; only one layout is published.",
    "llama3-interruptions": "The book takes its rate of failures from this run; the effective time is only a bound.",
    "opt-175b-restarts": "A log that chapter 09 takes a rate of failures from.",
    "bloom-failures": "A log that chapter 09 takes a rate of failures from.",
    "rsc-1-failures": "A log that chapter 09 takes a rate of failures from.",
    "mlperf-gpt3-": "Its layout is not in the source; chapter 09 takes the share of the 8-bit peak from it.",
    "gtc-2024": "An announcement: chapter 09 says which utilisation it implies.",
    "megascale-175b": "Its layers are not GPT's: attention in windows, and beside the feed-forward.",
    "orca-gain": "The load at which it was measured is not in the source; the simulation shows the mechanism.",
    "vllm-gain": "A range over several models and loads; the simulation shows the mechanism.",
    "vllm-waste": "A bound.",
    "sarathi-gain-": "The load at which it was measured is not in the abstract; the simulation shows the mechanism.",
    "anyscale-gain": "Batching, memory and kernels in one number; the simulation has batching alone.",
    "chen23-": "Neither acceptance nor the draft's cost is in the source.",
    "mlx-moe": "Neither acceptance nor the machine is in the source.",
    "tsai-moe": "What llama.cpp's checking pass costs is not in the source.",
    "cohere-moe-": "The shape of the model is not published.",
    "moesd-": "Neither acceptance nor the batch is in what could be read of the source.",
    "flamingo-ablation-": "Scores on benchmarks; chapter 15 sets a toy's ablations beside them.",
    "deepseekv3-mtp": "Neither the cost of the draft nor the batch is in the source.",
}
