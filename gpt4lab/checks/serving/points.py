"""Serving that somebody measured, placed on the roofline of its own machine, and what held it there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from attrs import evolve, frozen

from gpt4lab import catalog
from gpt4lab.catalog import Measurement
from gpt4lab.checks.catalogued import entries
from gpt4lab.checks.check import Check, Checks
from gpt4lab.checks.decode import deepseek_way, static_run
from gpt4lab.models.decode.report import PassReport, decode
from gpt4lab.models.inputs import chip, network_of

DAY = "deepseek-v3-day"
#: Slug -> what it is called on a chart, where only a few can be named.
LABELS = {"inferencex-r1-h200-64": "InferenceX, DeepSeek-R1", DAY: "DeepSeek’s day"}


@frozen
class ServingPoint:
    """One measured place: time to compute over time to read, and the share of peak that was reached."""

    name: str
    batch: str
    report: PassReport
    rate: float  # tokens a second and GPU, measured
    predicted: float
    label: str = ""  # on a chart, of those that are named there

    @property
    def intensity(self) -> float:
        """Time to compute over time to read, both at full peaks."""
        return float(self.report.intensity)

    @property
    def share(self) -> float:
        """Time in which it would compute at full peak over the time that it took; each product at its own precision."""
        return float(self.rate * self.report.mfu / self.report.tokens_per_s_per_gpu)


def binding(report: PassReport) -> str:
    """The longest of the terms of a pass: weights and computing at full peaks, the others at measured rates."""
    terms = {
        "weights: reading them": report.weights_read_s,
        "FLOP: computing": report.computing_s,
        "KV: reading the cache": report.seconds.attention,
        "wire: traffic between GPUs": sum(getattr(report.seconds, part) for part in ("tensor", "expert", "pipeline")),
        "waiting and launches": report.seconds.waiting + report.seconds.fixed,
    }
    return max(terms, key=lambda words: float(terms[words]))


@cache
def points() -> tuple[ServingPoint, ...]:
    """TensorRT-LLM's static batches, InferenceX's clients, DeepSeek's profile, and its day."""
    return (*map(_static, entries("trtllm061-")), *map(_static, entries("inferencex-")), _profile(), _day())


def _static(entry: Measurement) -> ServingPoint:
    run = static_run(entry)
    rate = entry.measured["tokens_per_s_per_gpu"]
    return ServingPoint(
        entry.name,
        f"{entry.setup['batch']:,}",
        run.step,
        rate,
        float(run.tokens_per_s_per_gpu),
        LABELS.get(entry.slug, ""),
    )


def _profile() -> ServingPoint:
    entry = catalog.measurements["deepseek-v3-decode"]
    report = decode(network_of("deepseek-v3"), deepseek_way(entry), chip(entry.accelerator or ""))
    batch = f"{entry.setup['batch_per_gpu']} a GPU"
    return ServingPoint(
        "DeepSeek-V3’s profile",
        batch,
        report,
        entry.measured["tokens_per_s_per_gpu"],
        float(report.tokens_per_s_per_gpu),
    )


def _day() -> ServingPoint:
    """Its layout that day, 144 GPUs, is from the same page; the batch follows from its rate and its readers' speed."""
    entry, measured = catalog.measurements["deepseek-v3-decode"], catalog.measurements[DAY].measured
    rate = measured["tokens_per_s_per_node"] / 8
    each = (measured["reader_tokens_per_s_low"] + measured["reader_tokens_per_s_high"]) / 2
    context = catalog.measurements[DAY].setup["mean_context"]
    way = evolve(
        deepseek_way(entry), expert=catalog.measurements[DAY].setup["gpus"], batch=rate / each, context=context
    )
    report = decode(network_of("deepseek-v3"), way, chip(entry.accelerator or ""))
    words = f"{rate / each:.0f} a GPU, from its readers’ speed"
    return ServingPoint(
        "DeepSeek’s day, answers", words, report, rate, float(report.tokens_per_s_per_gpu), label=LABELS[DAY]
    )


def day_checks() -> Checks:
    """DeepSeek's own day, added up again: nodes, rent, income, mark-up."""
    return Checks(_day_checks())


def _day_checks() -> Iterator[Check]:
    entry, price = catalog.measurements[DAY], catalog.prices["deepseek-r1"]
    found, how = entry.measured, {key: float(each) for key, each in entry.setup.items() if not isinstance(each, str)}
    seconds, fresh = 86_400, how["prompt_tokens"] - how["cached_tokens"]
    nodes = (
        how["prompt_tokens"] / found["prompt_tokens_per_s_per_node"]
        + how["output_tokens"] / found["tokens_per_s_per_node"]
    )
    rent = found["nodes"] * 8 * 24 * how["usd_per_gpu_hour"]
    income = (
        fresh * price.need("usd_per_1k_input")
        + how["cached_tokens"] * price.need("usd_per_1k_cached")
        + how["output_tokens"] * price.need("usd_per_1k_output")
    ) / 1000
    for key, predicted in {"nodes": nodes / seconds, "usd_per_day": rent, "usd_income_per_day": income,
                           "markup": found["usd_income_per_day"] / found["usd_per_day"] - 1}.items():  # fmt: skip
        yield Check(entry.label(key), predicted, found[key], entry.unit(key), "deepseek-day")
