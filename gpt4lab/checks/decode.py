"""The model of answering against published measurements: each row with what was measured, predicted, and its error.

No constant is fitted to these rows: every efficiency comes from a micro-benchmark of the hardware. What was decided
with rows in view:

- The training-step model's efficiencies were kept: an ordinary 16-bit matmul, 74% of peak, not the 84% of newer
  software on the A100. For 8 bits the same product on an H100 was taken, 55%, not the best shape known, 71%.
- TensorRT-LLM 0.6 reads the cache once for every query head. This was looked for when rows with grouped heads came out
  far too fast; its makers say so of what they mended in 0.8. That repeated reads cost as much as first ones, though
  the chip's own cache may catch some, is our guess, and the rows with groups of eight come out too slow by it.
- Ways to serve that Pope (2022) describes (work between the matmuls shared by all chips, weights gathered for large
  batches) were added when the rows came out too slow; DeepSeek's batch was read again in its own source.

What a source leaves out about a run, and what the model leaves out of it, is said in the row's `assumed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, cast

from attrs import evolve, fields

from gpt4lab import catalog
from gpt4lab.catalog import Measurement
from gpt4lab.checks.step import Check, Rows, Summary, summary
from gpt4lab.models.decode.report import (
    Run,
    Serving,
    ServingEfficiency,
    chip,
    decode,
    generate,
    kv_bytes_per_token,
    largest_batch,
    network_of,
    prefill,
    serving_efficiency,
)

__all__ = ["Check", "Summary", "all_checks", "sensitivity", "static_rows", "static_run", "summary"]

#: How a row's word for its weights is served: bytes of a weight and of a cached value, and 8-bit products.
PRECISIONS: dict[str, dict[str, Any]] = {
    "fp16": {},
    "bf16": {},
    "fp8": {"weight_bytes": 1, "kv_bytes": 1, "eight_bit": True},
    "int8": {"weight_bytes": 1},
}


def all_checks() -> dict[str, Rows]:
    """Return every table of checks by its title."""
    return {
        "TensorRT-LLM 0.6.1, static batches": static_rows(),
        "TensorRT-LLM 0.5, first token": first_tokens(),
        "TensorRT-LLM 0.8, cache read once per group of heads": grouping(),
        "LMDeploy 0.1, static batches": lmdeploy_static(),
        "LMDeploy 0.2, many requests": lmdeploy_requests(),
        "PaLM on TPU v4, Pope 2022": pope(),
        "DeepSeek-V3 on H800": deepseek(),
        "KV cache as published": kv_cache(),
    }


def sensitivity(change: float = 0.2) -> dict[str, tuple[Summary, Summary]]:
    """Return, for each efficiency, the summary of the static rows with it lowered and raised by a share."""
    given = serving_efficiency()
    return {
        field.name: (_moved(given, field.name, 1 - change), _moved(given, field.name, 1 + change))
        for field in fields(ServingEfficiency)
    }


def _moved(given: ServingEfficiency, name: str, factor: float) -> Summary:
    return summary(static_rows(evolve(given, **{name: getattr(given, name) * factor})))


def static_rows(efficiency: ServingEfficiency | None = None, *, grouped: bool = False) -> Rows:
    """Return all rows of TensorRT-LLM 0.6.1 for A100 and H100; `grouped` as if it had read the cache once."""
    return tuple(_static(entry, efficiency, grouped) for entry in _found("trtllm061-"))


def _static(entry: Measurement, efficiency: ServingEfficiency | None, grouped: bool) -> Check:
    run = static_run(entry, efficiency, grouped_attention=grouped)
    return _check(entry, "tokens_per_s_per_gpu", run.tokens_per_s_per_gpu, "token/s/GPU", _beyond(entry))


def static_run(entry: Measurement, efficiency: ServingEfficiency | None = None, **more: Any) -> Run:
    """Return the static batch of a row; benchmarks may go beyond a model's context."""
    setup = _setup(entry)
    network = evolve(network_of(setup["model"]), context=inf)
    serving = _serving(setup, **more)
    return generate(network, serving, chip(_chip(entry)), setup["input_tokens"], setup["output_tokens"], efficiency)


def _beyond(entry: Measurement) -> str:
    setup, limit = _setup(entry), network_of(str(entry.setup["model"])).context
    tokens = setup["input_tokens"] + setup["output_tokens"]
    return f"{tokens:,} tokens, beyond the model's context of {limit:,}" if tokens > limit else ""


def first_tokens() -> Rows:
    """Return the latencies of a first token, batch 1."""
    left = "the host, which launches every kernel of a short pass"
    return tuple(
        _check(entry, "first_token_ms", 1e3 * _prefill(entry, batch=1), "ms", left)
        for entry in _found("trtllm05-first-token-")
    )


def _prefill(entry: Measurement, **more: Any) -> float:
    setup = _setup(entry)
    serving = _serving(setup, context=setup["input_tokens"], **more)
    return prefill(network_of(setup["model"]), serving, chip(_chip(entry))).time_s


def grouping() -> Rows:
    """Return Llama 2 70B on one H200 before and after, with the largest batch that fits, and the gain."""
    entry = catalog.measurements["trtllm-xqa-h200-llama70b"]
    setup = _setup(entry)
    full = _serving(setup, batch=1, context=setup["input_tokens"] + setup["output_tokens"])
    batch = largest_batch(network_of(setup["model"]), full, chip(_chip(entry)))
    before, after = (static_run(entry, batch=batch, grouped_attention=x).tokens_per_s for x in (False, True))
    assumed = f"batch {batch:.0f}, the largest that fits; the source gives none"
    return (
        _check(entry, "tokens_per_s_per_gpu_without", before, "token/s/GPU", assumed),
        _check(entry, "tokens_per_s_per_gpu", after, "token/s/GPU", assumed),
        _check(entry, "throughput_gain", after / before, "x", assumed),
    )


def lmdeploy_static() -> Rows:
    """Return static batches of another engine, small ones among them."""
    return tuple(
        _check(entry, "tokens_per_s", static_run(entry).tokens_per_s, "token/s") for entry in _found("lmdeploy-static-")
    )


def lmdeploy_requests() -> Rows:
    """Return the throughput of many requests, as if all had the mean prompt and the mean answer."""
    return tuple(_requests(entry) for entry in _found("lmdeploy-llama2-"))


def _requests(entry: Measurement) -> Check:
    out, per_s = entry.measured["tokens_per_s"], entry.measured["requests_per_s"]
    prompt = (entry.measured["tokens_per_s_with_prompts"] - out) / per_s
    longer = evolve(entry, setup={**entry.setup, "input_tokens": prompt, "output_tokens": out / per_s})
    left = f"{prompt:.0f} tokens in and {out / per_s:.0f} out, the means; the spread of lengths, ramp and tail"
    return _check(entry, "tokens_per_s", static_run(longer).tokens_per_s, "token/s", left)


def pope() -> Rows:
    """Return PaLM on TPU v4: prefills of 2,048 tokens, and decode steps behind them."""
    prefills = [entry for entry in _found("pope22-") if entry.topic == "prefill"]
    steps = _found("pope22-62b-")
    return (
        *(_palm_prefill(entry) for entry in prefills),
        _palm_540b(),
        *(_check(e, "seconds", 64 * _palm_step(e), "s", "64 steps at 2,048 tokens; row from memory") for e in steps),
    )


def _palm_prefill(entry: Measurement) -> Check:
    gathers = str(entry.setup["mlp_split"]).startswith("WG")
    left = "weights gathered over all chips" if gathers else "split one way where the run splits two ways"
    predicted = _prefill(entry, tensor=entry.setup["gpus"], sequence_parallel=True, gather_weights=gathers)
    return _check(entry, "seconds", predicted, "s", left)


def _palm_540b() -> Check:
    entry = catalog.measurements["pope22-decode-low-latency"]
    assumed = "batch 64, from memory; a cache of 2,048 tokens; one-dimensional splits"
    return _check(entry, "ms_per_token", 1e3 * _palm_step(entry, batch=64), "ms", assumed)


def _palm_step(entry: Measurement, **more: Any) -> float:
    setup = _setup(entry)
    serving = _serving(setup, tensor=setup["gpus"], context=2048, sequence_parallel=True, cache_by_batch=True, **more)
    return decode(network_of(setup["model"]), serving, chip(_chip(entry))).time_s


def deepseek() -> Rows:
    """Return DeepSeek-V3's own layout with no traffic hidden behind computing, and with all that can be."""
    return tuple(check for hidden in (0.0, 1.0) for check in (_deepseek_decode(hidden), _deepseek_prefill(hidden)))


def _deepseek_decode(overlap: float) -> Check:
    entry = catalog.measurements["deepseek-v3-decode"]
    setup = _setup(entry)
    serving = _serving(
        setup,
        expert=setup["gpus"],
        batch=setup["batch_per_gpu"],
        context=setup["input_tokens"],
        kv_bytes=2,
        overlap=overlap,
    )
    rate = decode(network_of(setup["model"]), serving, chip(_chip(entry))).tokens_per_s_per_gpu
    return _check(entry, "tokens_per_s_per_gpu", rate, "token/s/GPU", _hidden(overlap))


def _deepseek_prefill(overlap: float) -> Check:
    entry = catalog.measurements["deepseek-v3-prefill"]
    setup = _setup(entry)
    serving = _serving(
        setup,
        expert=setup["gpus"],
        batch=setup["prompt_tokens_per_gpu"] / setup["input_tokens"],
        context=setup["input_tokens"],
        kv_bytes=2,
        overlap=overlap,
        once_per_node=True,
    )
    rate = prefill(network_of(setup["model"]), serving, chip(_chip(entry))).tokens_per_s_per_gpu
    return _check(entry, "tokens_per_s_per_gpu", rate, "token/s/GPU", _hidden(overlap))


def _hidden(overlap: float) -> str:
    return "all traffic hidden that can be" if overlap else "no traffic hidden; the run hides some"


def kv_cache() -> Rows:
    """Return the published bytes per token, for models whose shape the catalog has."""
    found = [entry for entry in _found("kv-") if entry.setup["model"] in {m.name for m in catalog.models.values()}]
    return tuple(
        _check(entry, "kv_bytes_per_token", kv_bytes_per_token(network_of(str(entry.setup["model"]))), "byte/token")
        for entry in found
    )


def _found(prefix: str) -> list[Measurement]:
    return [entry for slug, entry in catalog.measurements.items() if slug.startswith(prefix)]


def _setup(entry: Measurement) -> dict[str, Any]:
    return dict(cast("Mapping[str, Any]", entry.setup))


def _serving(setup: Mapping[str, Any], **more: Any) -> Serving:
    """Return how a row was served, by its precision and what `more` says."""
    known = {key: setup[key] for key in ("batch", "tensor") if key in setup}
    return Serving(**{**known, **PRECISIONS[setup["weights"]], **more})


def _chip(entry: Measurement) -> str:
    return entry.accelerator or ""


def _check(entry: Measurement, key: str, predicted: float, unit: str, assumed: str = "") -> Check:
    what = catalog.measured_keys[key].label
    return Check(entry.name, what, unit, entry.measured[key], predicted, entry.sources[0].reference, assumed)
