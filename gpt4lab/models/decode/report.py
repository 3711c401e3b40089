"""Answering in closed form: the time of a decode step and of a prefill, their cost, and what fits.

    llama = network_of("llama-2-70b")
    decode(llama, Deployment(tensor=4, batch=64, context=1024), chip("a100-sxm-80gb", usd_per_hour=1.0)).time_s

Every field may be a number or an array; arrays give arrays. What cannot exist raises `LayoutError`, or is NaN where
fields are arrays. Running out of memory is a result: `fits` and `reason`.

A step is the sum of its kinds of work, each at the rate that a micro-benchmark reached for that kind
(`measured_efficiency`); a product that reads and computes takes the root of the sum of squares of both, attention the
longer of the two. Two constants are read off stated rows of a benchmark and judged on all others: what a processor of
the chip takes in per tick, and how long the host needs to launch a kernel of a prefill (`checks.decode`). Left out:
uneven layers and experts; the scheduler and anything between steps; prompts mixed into decode steps; two-dimensional
splits of a matrix over many chips; traffic that follows the network's topology.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from gpt4lab.formulas import answering_layer as per
from gpt4lab.formulas.arith import Num, maximum, minimum, where
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.part import PassMemory, PassPart, held, held_by
from gpt4lab.models.decode.seconds import PassRates, PassSeconds, Waits, Work, spent
from gpt4lab.models.fewest import fewest_to_answer, told
from gpt4lab.models.inputs import NAN, Chip, Efficiency, Network, measured_efficiency
from gpt4lab.models.rules import Judged, fitting, possible


@frozen
class PassReport(Judged):
    """One decode step (a token for each sequence) or one prefill (all tokens of the prompts)."""

    seconds: PassSeconds
    time_s: Num
    weights_read_s: Num  # at full peaks, as the next two
    cache_read_s: Num
    computing_s: Num
    tokens_per_s: Num
    usd_per_1k: Num
    experts_touched: Num
    mfu: Num
    memory_bytes: PassMemory
    fits: Any
    gpus: Num

    @property
    def floor_s(self) -> Num:
        """The longer of reading and computing, all else free: no machine of this layout can be faster."""
        return maximum(self.weights_read_s + self.cache_read_s, self.computing_s)

    @property
    def intensity(self) -> Num:
        """Time to compute over time to read, both at full peaks: below 1 memory is what is waited for."""
        return self.computing_s / (self.weights_read_s + self.cache_read_s)

    @property
    def tokens_per_s_per_gpu(self) -> Num:
        """Tokens per second and GPU."""
        return self.tokens_per_s / self.gpus


def decode(
    network: Network, deployment: Deployment, chip: Chip, efficiency: Efficiency | None = None, drafted: Num = 0
) -> PassReport:
    """The report of one decode step, with the batch dealt out as micro-batches that fill the stages.

    The step may also check `drafted` guesses of each sequence, all of which read its cache together. The report counts
    one token a sequence all the same; how many a step yields, acceptance decides.

    Raises LayoutError for a way to serve that cannot exist; where fields are arrays such entries are NaN.
    """
    gpu = PassPart(network, deployment)
    m = minimum(gpu.b, gpu.p)
    sequences = gpu.b / m
    n = sequences * (1 + drafted)
    work = Work(n, n, n * gpu.seen, sequences * gpu.seen * gpu.token_bytes, unpacked=False)
    waits = Waits(most=m, rest=0, launches=False)
    return _report(gpu, chip, efficiency or measured_efficiency(), work, waits, tokens=gpu.b)


def prefill(
    network: Network, deployment: Deployment, chip: Chip, efficiency: Efficiency | None = None, cached: Num = 0
) -> PassReport:
    """The report of computing prompts of `deployment.context` tokens; through stages they go one by one.

    Of each prompt so many tokens are `cached`: they are read and looked back at, and not computed.

    Raises LayoutError for a way to serve that cannot exist; where fields are arrays such entries are NaN.
    """
    gpu = PassPart(network, deployment)
    m = where(gpu.p > 1, gpu.b, 1)
    fresh = gpu.s - cached
    n = gpu.b / m * fresh
    before, own = (per.seen(s, gpu.L, network.window_layers, network.window) for s in (cached + fresh / 2, cached))
    work = Work(n, gpu.b / m, n * before, gpu.b / m * own * gpu.token_bytes, unpacked=True)
    waits = Waits(most=1, rest=m - 1, launches=True)
    return _report(gpu, chip, efficiency or measured_efficiency(), work, waits, tokens=gpu.b * fresh)


@frozen
class StaticBatch(Judged):
    """A static batch: prompts computed together, then a token for each sequence per step until all are done."""

    prefill: PassReport
    step: PassReport
    time_s: Num
    tokens_per_s: Num
    tokens_per_s_per_gpu: Num
    usd_per_1k: Num
    memory_bytes: PassMemory
    fits: Any


def generate(
    network: Network, deployment: Deployment, chip: Chip, prompt: Num, output: Num, efficiency: Efficiency | None = None
) -> StaticBatch:
    """What it takes to answer prompts of `prompt` tokens with `output` tokens each; they set the context.

    A step grows with the cache in a straight line, so that all steps take as long as the middle one each. Memory is
    judged at full length. Tokens and costs count what is generated.

    Raises LayoutError as `decode`, and where prompt or output is not a positive, finite number of tokens.
    """
    evolve(deployment, context=output)  # refuses what is no number of tokens
    whole = evolve(deployment, context=prompt + output)
    ok = possible(network, whole, chip)
    first = prefill(network, evolve(deployment, context=prompt), chip, efficiency)
    step = decode(network, evolve(deployment, context=prompt + output / 2), chip, efficiency)
    memory = held(network, whole)
    fits, why = _fitting(network, whole, chip, ok, memory)
    time_s = first.time_s + (output - 1) * step.time_s
    rate = deployment.batch * deployment.expert * output / time_s
    cost = time_s / 3600 * step.gpus * chip.usd_per_hour / (deployment.batch * deployment.expert * output) * 1000
    return StaticBatch(first, step, time_s, rate, rate / step.gpus, cost, memory, fits).because(why)


def _fitting(
    network: Network, deployment: Deployment, chip: Chip, ok: Any, memory: PassMemory
) -> tuple[Any, Callable[[], str]]:
    """Whether what a GPU must hold fits, and what says why not."""
    room = chip.memory_bytes * deployment.usable_memory

    def fewest() -> str:
        return told(fewest_to_answer(network, deployment, chip), network, deployment, chip)

    return fitting(ok, memory, room, fewest)


def _report(gpu: PassPart, chip: Chip, reach: Efficiency, work: Work, waits: Waits, tokens: Num) -> PassReport:
    ok, gpus = possible(gpu.network, gpu.deployment, chip), gpu.t * gpu.p * gpu.e
    rate = PassRates(chip, reach, gpu)
    seconds = spent(gpu, rate, reach, work, waits)
    time_s = seconds.total if ok is True else where(ok, seconds.total, NAN)
    memory = held_by(gpu)
    fits, why = _fitting(gpu.network, gpu.deployment, chip, ok, memory)
    done, at_peak_s = tokens * gpu.e, _at_peak_s(gpu, chip, rate, work)
    return PassReport(
        seconds=seconds,
        time_s=time_s,
        weights_read_s=gpu.L * gpu.read(work.n) * gpu.w / chip.memory_bytes_per_s,
        cache_read_s=gpu.L * work.cache / chip.memory_bytes_per_s,
        computing_s=work.n * at_peak_s / gpu.t,
        tokens_per_s=done / time_s,
        usd_per_1k=time_s / 3600 * gpus * chip.usd_per_hour / done * 1000,
        experts_touched=per.experts_touched(gpu.E, gpu.k, work.n * gpu.e),
        mfu=done * at_peak_s / (time_s * gpus),
        memory_bytes=memory,
        fits=fits,
        gpus=gpus,
    ).because(why)


def _at_peak_s(gpu: PassPart, chip: Chip, rate: PassRates, work: Work) -> Num:
    """Seconds of one GPU for a token, all at full peak: attention and logits at that of 16 bits in any case."""
    products = gpu.flop(0, 0, work.unpacked)
    others = gpu.flop(work.pairs / work.n, work.logits / work.n, work.unpacked) - products
    return products / rate.peak + others / chip.peak_flop_per_s
