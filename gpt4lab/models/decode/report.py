"""Answering in closed form: the time of a decode step and of a prefill, their cost, and what fits.

    llama = network_of("llama-2-70b")
    decode(llama, Serving(tensor=4, batch=64, context=1024), chip("a100-sxm-80gb", usd_per_hour=1.0)).time_s

Every field may be a number or an array; arrays give arrays. What cannot exist raises `LayoutError`, or is NaN where
fields are arrays. Running out of memory is a result: `fits` and `reason`.

A step is the sum of its kinds of work, each at the rate that a micro-benchmark reached for that kind
(`serving_efficiency`); a kind that both reads and computes takes the longer of the two. Nothing is fitted to a run of
a model. Left out: matmuls near the border of reading and computing, where both slow each other; uneven layers and
experts; the scheduler, the host and anything between steps; prompts mixed into decode steps; two-dimensional splits
of a matrix over many chips; traffic that follows the network's topology.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from gpt4lab.formulas import answering_layer as per
from gpt4lab.formulas.arith import Num, maximum, minimum, where
from gpt4lab.models.decode.inputs import (
    NAN,
    Chip,
    LayoutError,
    Network,
    Serving,
    ServingEfficiency,
    chip,
    chip_in,
    network_in,
    network_of,
    possible,
    serving_efficiency,
    serving_in,
)
from gpt4lab.models.decode.part import Held, Share, held, held_by, kv_bytes_per_token, largest_batch, longest_context
from gpt4lab.models.decode.rates import Rates, Seconds, Waits, Work, spent

__all__ = [
    "Network",
    "Serving",
    "Chip",
    "ServingEfficiency",
    "LayoutError",
    "Report",
    "Seconds",
    "Held",
    "Run",
    "network_of",
    "network_in",
    "serving_in",
    "chip",
    "chip_in",
    "serving_efficiency",
    "possible",
    "held",
    "decode",
    "prefill",
    "generate",
    "kv_bytes_per_token",
    "largest_batch",
    "longest_context",
]


@frozen
class Report:
    """One decode step (a token for each sequence) or one prefill (all tokens of the prompts)."""

    seconds: Seconds
    time_s: Num
    floor_s: Num
    tokens_per_s: Num
    usd_per_1k: Num
    experts_touched: Num
    mfu: Num
    memory_bytes: Held
    fits: Any
    reason: str
    gpus: Num

    @property
    def tokens_per_s_per_gpu(self) -> Num:
        """Tokens per second and GPU."""
        return self.tokens_per_s / self.gpus


def decode(network: Network, serving: Serving, chip: Chip, efficiency: ServingEfficiency | None = None) -> Report:
    """Return the report of one decode step, with the batch dealt out as micro-batches that fill the stages.

    Raises
    ------
    LayoutError : for a way to serve that cannot exist; where fields are arrays such entries are NaN.
    """
    gpu = Share(network, serving)
    m = minimum(gpu.b, gpu.p)
    n = gpu.b / m
    work = Work(n, n, n * gpu.seen, n * gpu.seen * gpu.token_bytes * gpu.reads, unpacked=False)
    waits = Waits(most=m, rest=0)
    return _report(gpu, chip, efficiency or serving_efficiency(), work, waits, tokens=gpu.b)


def prefill(network: Network, serving: Serving, chip: Chip, efficiency: ServingEfficiency | None = None) -> Report:
    """Return the report of computing prompts of `serving.context` tokens; through stages they go one by one.

    Raises
    ------
    LayoutError : for a way to serve that cannot exist; where fields are arrays such entries are NaN.
    """
    gpu = Share(network, serving)
    m = where(gpu.p > 1, gpu.b, 1)
    n = gpu.b / m * gpu.s
    half = per.seen(gpu.s / 2, gpu.L, network.window_layers, network.window)
    work = Work(n, gpu.b / m, n * half, 0, unpacked=True)
    waits = Waits(most=1, rest=m - 1)
    return _report(gpu, chip, efficiency or serving_efficiency(), work, waits, tokens=gpu.b * gpu.s)


@frozen
class Run:
    """A static batch: prompts computed together, then a token for each sequence per step until all are done."""

    prefill: Report
    step: Report
    time_s: Num
    tokens_per_s: Num
    tokens_per_s_per_gpu: Num
    usd_per_1k: Num
    memory_bytes: Held
    fits: Any
    reason: str


def generate(
    network: Network,
    serving: Serving,
    chip: Chip,
    prompt: Num,
    output: Num,
    efficiency: ServingEfficiency | None = None,
) -> Run:
    """Return what it takes to answer prompts of `prompt` tokens with `output` tokens each; they set the context.

    A step grows with the cache in a straight line, so that all steps take as long as the middle one each. Memory is
    judged at full length. Tokens and costs count what is generated.

    Raises
    ------
    LayoutError : as `decode`, and where prompt or output is not a positive, finite number of tokens.
    """
    evolve(serving, context=output)  # refuses what is no number of tokens
    whole = evolve(serving, context=prompt + output)
    ok = possible(network, whole, chip)
    first = prefill(network, evolve(serving, context=prompt), chip, efficiency)
    step = decode(network, evolve(serving, context=prompt + output / 2), chip, efficiency)
    memory = held(network, whole)
    fits, reason = _verdict(ok, memory, chip.memory_bytes)
    time_s = first.time_s + (output - 1) * step.time_s
    rate = serving.batch * serving.expert * output / time_s
    cost = time_s / 3600 * step.gpus * chip.usd_per_hour / (serving.batch * serving.expert * output) * 1000
    return Run(first, step, time_s, rate, rate / step.gpus, cost, memory, fits, reason)


def _report(gpu: Share, chip: Chip, reach: ServingEfficiency, work: Work, waits: Waits, tokens: Num) -> Report:
    ok, gpus = possible(gpu.network, gpu.serving, chip), gpu.t * gpu.p * gpu.e
    rate = Rates(chip, reach, gpu)
    seconds = spent(gpu, rate, reach, work, waits)
    time_s = seconds.total if ok is True else where(ok, seconds.total, NAN)
    memory = held_by(gpu)
    fits, reason = _verdict(ok, memory, chip.memory_bytes)
    done, flop = tokens * gpu.e, gpu.flop(work.pairs / work.n, work.logits / work.n, work.unpacked)
    return Report(
        seconds=seconds,
        time_s=time_s,
        floor_s=_floor(gpu, rate, chip, work, flop),
        tokens_per_s=done / time_s,
        usd_per_1k=time_s / 3600 * gpus * chip.usd_per_hour / done * 1000,
        experts_touched=gpu.touched(work.n) * gpu.e,
        mfu=done * flop / (time_s * gpus * rate.peak),
        memory_bytes=memory,
        fits=fits,
        reason=reason,
        gpus=gpus,
    )


def _floor(gpu: Share, rate: Rates, chip: Chip, work: Work, flop: Num) -> Num:
    """The longer of reading and computing at full peaks, all else free: no machine of this layout can be faster."""
    read = gpu.L * (gpu.read(work.n) * gpu.w + work.cache / gpu.reads) / chip.memory_bytes_per_s
    return maximum(read, work.n * flop / (gpu.t * rate.peak))


def _verdict(ok: Any, memory: Held, there: Num) -> tuple[Any, str]:
    """Whether all fits in memory, and if not, why."""
    needed = memory.total
    fits = ok & (needed <= there)
    if getattr(fits, "ndim", 0) or fits:
        return fits, ""
    parts = f"weights take {memory.weights / 1e9:,.1f} GB, the cache {memory.cache / 1e9:,.1f} GB"
    return fits, f"needs {needed / 1e9:,.1f} GB a GPU and has {there / 1e9:,.1f} GB; {parts}."
