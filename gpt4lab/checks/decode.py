"""The model of answering against published measurements.

Every efficiency but two comes from a micro-benchmark of the hardware. One of the two is read off two rows, and no other
constant is fitted to a row: the host launches each kernel of a prefill in 23 µs, from the first tokens of 128 on one
H100 in version 0.5.

What was decided with rows in view (`versions` and `by_group` show all of them, so none is a blind test of these):

- A kernel of 2023 that knows no groups takes the cache in once for every query head. The chip's own cache catches the
  repeated reads; what remains is what a multiprocessor can take in. One load brings 16 bytes a tick. Of 12 to 18 bytes,
  tried on the rows of all versions, version 0.6.1 likes 15 to 16 best and the others much the same; the 16 of the
  hardware stayed. As nothing in it knows the memory, it also says why an H200 gains little over an H100 there, and why
  on an L40S groups make no difference.
- The training-step model's efficiencies were kept: an ordinary 16-bit matmul, 74% of peak, not the 84% of newer
  software on the A100. For 8 bits the same product on an H100 was taken, 55%, not the best shape known, 71%.
- That TensorRT-LLM 0.5 and 0.6 take the cache in for every query head was looked for when rows with grouped heads came
  out far too fast; its makers say so of what they mended in 0.8. Of the models of 0.8 and 0.9 only Llama 2 70B, with
  groups of eight and no window, runs as if mended (`MENDED`); we have not seen in the source that the others do not.
- Ways to serve that Pope (2022) describes (work between the matmuls shared by all chips, weights gathered for large
  batches) were added when the rows came out too slow; DeepSeek's batch was read again in its own source.

What a source leaves out about a run, and what the model leaves out of it, is said in the row's `assumed`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import inf
from typing import Any

from attrs import evolve

from gpt4lab import catalog
from gpt4lab.catalog import Measurement, PrintedBatch, PrintedBatches
from gpt4lab.checks.catalogued import entries, measured, setup
from gpt4lab.checks.check import Check, Checks
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.part import kv_bytes_per_token, largest_batch
from gpt4lab.models.decode.prices import MILLION, Prompts, token_prices
from gpt4lab.models.decode.report import StaticBatch, decode, generate, prefill
from gpt4lab.models.inputs import Efficiency, Network, chip, network_of

#: How a row's word for its weights is served: bytes of a weight and of a cached value, and 8-bit products.
PRECISIONS: dict[str, dict[str, Any]] = {
    "fp16": {},
    "bf16": {},
    "fp8": {"weight_bytes": 1, "kv_bytes": 1, "eight_bit": True},
    "int8": {"weight_bytes": 1},
    "mxfp4": {"weight_bytes": 0.53},  # four bits each, and eight for a block of 32
}


#: Versions and models whose rows look as if the cache was read once for a group of heads.
MENDED = tuple((version, "Llama 2 70B") for version in ("0.8", "0.9"))


def versions() -> Checks:
    """All rows of versions 0.5, 0.8 and 0.9 on A100, H100, H200 and L40S, a mixture of experts among them."""
    return Checks(_printed(table, row) for table in catalog.static_batches.values() for row in table.rows)


def _printed(table: PrintedBatches, row: PrintedBatch) -> Check:
    network, grouped = network_of(row.model), (table.version, row.model) in MENDED
    serving = Deployment(tensor=row.tensor, batch=row.batch, grouped_attention=grouped, **PRECISIONS[table.weights])
    boundless = evolve(network, max_context=inf)
    run = generate(boundless, serving, chip(table.accelerator), row.input_tokens, row.output_tokens)
    rate = run.tokens_per_s_per_gpu if table.per_gpu else run.tokens_per_s
    known = catalog.measured_keys["tokens_per_s_per_gpu" if table.per_gpu else "tokens_per_s"]
    name = f"{row.model} with {table.name}, {row.batch} at once, {row.input_tokens} in, {row.output_tokens} out"
    return Check(known.label, rate, row.tokens_per_s, known.unit, table.sources[0].reference, name)


def by_group() -> list[dict[str, Any]]:
    """How far off the static rows are, by version, accelerator and heads: how many, mean error, and which way."""
    found = defaultdict[tuple[str, str, str], list[Check]](list)
    for entry, check in zip(entries("trtllm061-"), static_rows(), strict=True):
        found["0.6.1", entry.accelerator or "", _heads(str(entry.setup["model"]))].append(check)
    printed = [(table, row) for table in catalog.static_batches.values() for row in table.rows]
    for (table, row), check in zip(printed, versions(), strict=True):
        found[table.version, table.accelerator, _heads(row.model)].append(check)
    return [_group(key, Checks(checks)) for key, checks in sorted(found.items())]


def _heads(model: str) -> str:
    """What the rows of a model have in common."""
    network = network_of(model)
    plain = "multi-head" if network.kv_heads == network.heads else "grouped"
    return "experts" if network.experts > 1 else plain


def _group(key: tuple[str, str, str], checks: Checks) -> dict[str, Any]:
    lean = sum(check.error for check in checks) / len(checks)
    names = ("version", "accelerator", "heads")
    return {**dict(zip(names, key, strict=True)), "rows": len(checks), "error": checks.mean_error, "lean": lean}


def static_rows(efficiency: Efficiency | None = None, *, grouped: bool = False) -> Checks:
    """All rows of TensorRT-LLM 0.6.1 for A100 and H100; `grouped` as if it had read the cache once."""
    return Checks(
        _rate(entry, static_run(entry, efficiency, grouped_attention=grouped).tokens_per_s_per_gpu, _beyond(entry))
        for entry in entries("trtllm061-")
    )


def static_run(entry: Measurement, efficiency: Efficiency | None = None, **more: Any) -> StaticBatch:
    """The static batch of a row; benchmarks may go beyond a model's context."""
    how = setup(entry)
    network, machine = evolve(_network(entry), max_context=inf), chip(entry.accelerator or "")
    return generate(network, _serving(how, **more), machine, how["input_tokens"], how["output_tokens"], efficiency)


def _beyond(entry: Measurement) -> str:
    how, limit = setup(entry), _network(entry).max_context
    tokens = how["input_tokens"] + how["output_tokens"]
    return f"{tokens:,} tokens, beyond the model's context of {limit:,}" if tokens > limit else ""


def first_tokens() -> Checks:
    """The latencies of a first token, batch 1."""
    left = "host launches as on one GPU"
    found = entries("trtllm05-first-token-")
    return Checks(measured(entry, "first_token_ms", 1e3 * _prefill(entry, batch=1), left) for entry in found)


def _prefill(entry: Measurement, **more: Any) -> float:
    serving = _serving(setup(entry), context=entry.setup["input_tokens"], **more)
    return prefill(_network(entry), serving, chip(entry.accelerator or "")).time_s


def grouping() -> Checks:
    """Llama 2 70B on one H200 before and after, with the largest batch that fits, and the gain."""
    entry = catalog.measurements["trtllm-xqa-h200-llama70b"]
    how = setup(entry)
    full = _serving(how, batch=1, context=how["input_tokens"] + how["output_tokens"])
    batch = largest_batch(_network(entry), full, chip(entry.accelerator or ""))
    before, after = (static_run(entry, batch=batch, grouped_attention=x).tokens_per_s for x in (False, True))
    assumed = f"batch {batch:.0f}, the largest that fits; the source gives none"
    rates = {"tokens_per_s_per_gpu_without": before, "tokens_per_s_per_gpu": after, "throughput_gain": after / before}
    return Checks(measured(entry, key, predicted, assumed) for key, predicted in rates.items())


def lmdeploy_static() -> Checks:
    """Static batches of another engine, small ones among them."""
    found = entries("lmdeploy-static-")
    return Checks(measured(entry, "tokens_per_s", static_run(entry).tokens_per_s) for entry in found)


def lmdeploy_requests() -> Checks:
    """The throughput of many requests, as if all had the mean prompt and the mean answer."""
    return Checks(map(_requests, entries("lmdeploy-llama2-")))


def _requests(entry: Measurement) -> Check:
    out, per_s = entry.measured["tokens_per_s"], entry.measured["requests_per_s"]
    prompt = (entry.measured["tokens_per_s_with_prompts"] - out) / per_s
    longer = evolve(entry, setup={**entry.setup, "input_tokens": prompt, "output_tokens": out / per_s})
    left = f"{prompt:.0f} tokens in and {out / per_s:.0f} out, the means; the spread of lengths, ramp and tail"
    return measured(entry, "tokens_per_s", static_run(longer).tokens_per_s, left)


def pope() -> Checks:
    """PaLM on TPU v4: prefills of 2,048 tokens, and decode steps behind them."""
    prefills = (_palm_prefill(entry) for entry in entries("pope22-") if entry.topic == "prefill")
    left = "64 steps at 2,048 tokens; row from memory"
    steps = (measured(entry, "seconds", 64 * _palm_step(entry), left) for entry in entries("pope22-62b-"))
    return Checks((*prefills, _palm_540b(), *steps))


def _palm_prefill(entry: Measurement) -> Check:
    gathers = str(entry.setup["mlp_split"]).startswith("WG")
    left = "weights gathered over all chips" if gathers else "split one way where the run splits two ways"
    predicted = _prefill(entry, tensor=entry.setup["gpus"], sequence_parallel=True, gather_weights=gathers)
    return measured(entry, "seconds", predicted, left)


def _palm_540b() -> Check:
    entry = catalog.measurements["pope22-decode-low-latency"]
    assumed = "batch 64, from memory; a cache of 2,048 tokens; one-dimensional splits"
    return measured(entry, "ms_per_token", 1e3 * _palm_step(entry, batch=64), assumed)


def _palm_step(entry: Measurement, **more: Any) -> float:
    split = {"tensor": entry.setup["gpus"], "sequence_parallel": True, "cache_by_batch": True}
    serving = _serving(setup(entry), context=2048, **split, **more)
    return decode(_network(entry), serving, chip(entry.accelerator or "")).time_s


def deepseek() -> Checks:
    """DeepSeek-V3's own layout with no traffic hidden behind computing, and with all that can be."""
    return Checks(check for hidden in (0.0, 1.0) for check in (_deepseek_decode(hidden), _deepseek_prefill(hidden)))


def _deepseek_decode(overlap: float) -> Check:
    entry = catalog.measurements["deepseek-v3-decode"]
    serving = _deepseek(entry, overlap, batch=entry.setup["batch_per_gpu"])
    report = decode(_network(entry), serving, chip(entry.accelerator or ""))
    return _rate(entry, report.tokens_per_s_per_gpu, _hidden(overlap))


def _deepseek_prefill(overlap: float) -> Check:
    entry = catalog.measurements["deepseek-v3-prefill"]
    how = setup(entry)
    sequences = how["prompt_tokens_per_gpu"] / how["input_tokens"]
    serving = _deepseek(entry, overlap, batch=sequences, once_per_node=True)
    report = prefill(_network(entry), serving, chip(entry.accelerator or ""))
    return _rate(entry, report.tokens_per_s_per_gpu, _hidden(overlap))


def deepseek_day() -> Checks:
    """The rent of a day's tokens at the prices of both layouts, no traffic hidden and all that can be; none idle."""
    return Checks(map(_deepseek_day, (0.0, 1.0)))


def _deepseek_day(overlap: float) -> Check:
    entry = catalog.measurements["deepseek-v3-day"]
    how, network = setup(entry), _network(entry)
    machine, context = chip(entry.accelerator or "", how["usd_per_gpu_hour"]), {"context": how["mean_context"]}
    reads, writes = (catalog.measurements[f"deepseek-v3-{kind}"] for kind in ("prefill", "decode"))
    prompt = setup(reads)["input_tokens"]
    batches = setup(reads)["prompt_tokens_per_gpu"] / prompt, setup(writes)["batch_per_gpu"]
    runs = zip((reads, writes), batches, strict=True)
    ways = (_deepseek(e, overlap, batch=b, once_per_node=e is reads) for e, b in runs)
    traffic = Prompts(prompt, prompt * how["cached_tokens"] / how["prompt_tokens"])
    into, out = (token_prices(network, evolve(way, **context), machine, traffic) for way in ways)
    fresh = (how["prompt_tokens"] - how["cached_tokens"]) * into.usd_per_million_input
    cached = how["cached_tokens"] * into.usd_per_million_cached
    usd = (fresh + cached + how["output_tokens"] * out.usd_per_million_output) / MILLION
    return measured(entry, "usd_per_day", usd, f"{_hidden(overlap)}; prompts of {prompt:,}; nobody idle")


def _deepseek(entry: Measurement, overlap: float, **more: Any) -> Deployment:
    how = setup(entry)
    return _serving(how, expert=how["gpus"], context=how["input_tokens"], kv_bytes=2, overlap=overlap, **more)


def deepseek_way(entry: Measurement) -> Deployment:
    """How DeepSeek serves in a published profile of its answers, no traffic hidden."""
    return _deepseek(entry, 0.0, batch=entry.setup["batch_per_gpu"])


def _hidden(overlap: float) -> str:
    return "all traffic hidden that can be" if overlap else "no traffic hidden; the run hides some"


def inferencex() -> Checks:
    """The time of a token and the rate of a GPU in InferenceX's closed loop, at the mean length of what is cached."""
    return Checks(check for entry in entries("inferencex-") for check in _clients(entry))


def _clients(entry: Measurement) -> tuple[Check, Check]:
    run, left = static_run(entry), "all clients in step; the means of lengths"
    return measured(entry, "ms_per_token", 1e3 * run.step.time_s, left), _rate(entry, run.tokens_per_s_per_gpu, left)


def kv_cache() -> Checks:
    """The bytes per token that one paper prints: that they are met to the last one says that shapes are read alike."""
    known = {model.name for model in catalog.models.values()}
    found = [entry for entry in entries("kv-") if entry.setup["model"] in known]
    return Checks(measured(entry, "kv_bytes_per_token", kv_bytes_per_token(_network(entry))) for entry in found)


def _network(entry: Measurement) -> Network:
    return network_of(str(entry.setup["model"]))


def _serving(how: Mapping[str, Any], **more: Any) -> Deployment:
    """How a row was served, by its precision and what `more` says."""
    known = {key: how[key] for key in ("batch", "tensor") if key in how}
    return Deployment(**{**known, **PRECISIONS[how["weights"]], **more})


def _rate(entry: Measurement, predicted: float, assumed: str) -> Check:
    return measured(entry, "tokens_per_s_per_gpu", predicted, assumed)
