"""One training step in closed form: time by part, traffic, memory, MFU and HFU, for any parallel layout.

    gpt3 = Network(layers=96, d_model=12288, heads=96)
    step(gpt3, Layout(tensor=8, pipeline=12, data=4, batch=1536), machine("a100-sxm-80gb")).mfu

Every field may be a number or an array; arrays give arrays. An impossible layout raises `LayoutError`, or is NaN
where the layout is an array. Running out of memory is a result: `fits` and `reason`.

The model adds up what a GPU of the slowest stage does, part by part, each at the rate that a micro-benchmark measured
for that kind of work; what has none was read off published runs, as the catalog says (`measured_efficiency`), nothing
off a single one. Layers of several kinds (experts, windows, latent attention) are summed. It leaves out: the grouping
of experts' products, imbalance between experts, matmuls that overlap memory or traffic of their own layer, stragglers,
failures, checkpoints, data loading, an allocator that has hardly any room left, and the memory of libraries.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from gpt4lab.formulas import layer, pipeline, traffic
from gpt4lab.formulas.arith import Num, maximum, minimum, where
from gpt4lab.models.fewest import fewest_to_train, told
from gpt4lab.models.inputs import NAN, Chip, Efficiency, Network, Rates, measured_efficiency
from gpt4lab.models.rules import Judged, fitting, possible
from gpt4lab.models.step.layout import Layout
from gpt4lab.models.step.part import StepMemory, StepPart, held


@frozen
class StepSeconds:
    """Time of a step by part; the parts add up."""

    matmul: Num
    memory: Num
    tensor: Num
    context: Num
    expert: Num
    host: Num
    pipeline: Num
    bubble: Num
    data: Num
    optimiser: Num

    @property
    def total(self) -> Num:
        """Seconds of the step."""
        compute, model = self.matmul + self.memory + self.host, self.tensor + self.context + self.expert
        return compute + model + self.pipeline + self.data + self.bubble + self.optimiser


@frozen
class Sent:
    """Bytes that a GPU sends in a step, by the kind of parallelism that needs them."""

    tensor: Num
    context: Num
    expert: Num
    pipeline: Num
    data: Num


@frozen
class StepReport(Judged):
    """What a step costs and reaches. MFU counts the FLOP that training needs, HFU also those that are repeated.

    Both on one basis: six FLOP a weight and token, attention in full although half of it is masked (PaLM). So HFU is
    never below MFU, and the same where nothing is recomputed.
    """

    seconds: StepSeconds
    sent_bytes: Sent
    memory_bytes: StepMemory
    fits: Any
    gpus: Num
    time_s: Num
    bubble: Num
    model_flop: Num
    hardware_flop: Num
    mfu: Num
    hfu: Num
    tokens_per_s: Num
    usd: Num


def step(network: Network, layout: Layout, chip: Chip, efficiency: Efficiency | None = None) -> StepReport:
    """The report of one training step.

    Raises LayoutError for a layout that cannot exist; where fields are arrays such entries are NaN and do not fit.
    """
    ok, gpu = possible(network, layout), StepPart(network, layout)
    gpus, tokens = gpu.t * gpu.p * gpu.copies, layout.batch * network.sequence
    seconds, sent = _spent(gpu, Rates(chip, efficiency or measured_efficiency(), gpu.t * gpu.copies * gpu.p))
    time_s = seconds.total if ok is True else where(ok, seconds.total, NAN)
    memory = held(gpu)

    def fewest() -> str:
        return told(fewest_to_train(network, layout, chip), network, layout, chip)

    fits, why = fitting(ok, memory, chip.memory_bytes, fewest)
    needed, spent = gpu.model_flop() * tokens, gpu.hardware_flop() * tokens
    offered = time_s * gpus * chip.peak_flop_per_s
    return StepReport(
        seconds=seconds,
        sent_bytes=sent,
        memory_bytes=memory,
        fits=fits,
        gpus=gpus,
        time_s=time_s,
        bubble=seconds.bubble / time_s,
        model_flop=needed,
        hardware_flop=spent,
        mfu=needed / offered,
        hfu=spent / offered,
        tokens_per_s=tokens / time_s,
        usd=time_s / 3600 * gpus * chip.usd_per_hour,
    ).because(why)


def _spent(gpu: StepPart, rate: Rates) -> tuple[StepSeconds, Sent]:
    """Seconds by part, and bytes sent by kind, of a whole step, on the slowest stage."""
    matmul, streamed = _matmul_s(gpu, rate), _memory_s(gpu, rate)
    tensor_bytes, tensor = _to_tensor_ranks(gpu, rate)
    context_bytes = traffic.context_bytes(gpu.b, gpu.network.sequence, gpu.sent, gpu.t, gpu.C, gpu.r)
    context = context_bytes / rate.ring(gpu.t, gpu.C)
    expert_bytes, expert = _to_experts(gpu, rate)
    passed, crossing = _to_next_stage(gpu, rate)
    device = matmul + streamed + tensor + context + expert
    host = maximum(rate.host_s * layer.weight_passes(gpu.r) - device, 0)
    block = device + host
    head_matmul, head_memory = _head_s(gpu, rate)
    layers, head = _slowest(gpu, block, head_matmul + head_memory)
    data_bytes, data = _to_replicas(gpu, rate, layers * block)
    slowest, whole = layers * block + head * (head_matmul + head_memory), gpu.L * block + head_matmul + head_memory
    waiting = (maximum(whole - slowest, 0) + (gpu.p - 1) * crossing) / gpu.v * _left(gpu)
    steps, m = gpu.m * layers, gpu.m
    seconds = StepSeconds(
        matmul=steps * matmul + m * head * head_matmul,
        memory=steps * streamed + m * head * head_memory,
        tensor=steps * tensor,
        context=steps * context,
        expert=steps * expert,
        host=steps * host,
        pipeline=m * crossing,
        bubble=waiting,
        data=data,
        optimiser=layer.update_bytes(gpu.g) * _updated(gpu) / rate.memory,
    )
    sent = Sent(steps * tensor_bytes, steps * context_bytes, steps * expert_bytes, m * passed, data_bytes)
    return seconds, sent


def _slowest(gpu: StepPart, block: Num, head: Num) -> tuple[Num, Num]:
    """Layers of the slowest stage, and 1 where it has the logits."""
    last = (gpu.last * block + head >= gpu.stage * block) * 1.0
    return where(last == 1, gpu.last, gpu.stage), last


def _matmul_s(gpu: StepPart, rate: Rates) -> Num:
    """Seconds of the matmuls of a layer and micro-batch: arithmetic, or weights and sums in memory if that is more."""
    passes = layer.weight_passes(gpu.r)
    flop = gpu.tokens * 2 * gpu.used + gpu.products * rate.half_flop
    read = 2 * passes + 2 * gpu.g * gpu.summed_inside
    return maximum(flop * passes / rate.product, read * gpu.W / rate.memory) + _core_s(gpu, rate)


def _core_s(gpu: StepPart, rate: Rates) -> Num:
    """Seconds of attention in a layer and micro-batch, at the rate of its own kernel where it is fused."""
    flop = gpu.tokens * gpu.core * gpu.a / gpu.network.heads / gpu.t * layer.core_passes(gpu.r_core, gpu.x)
    return flop / where(gpu.x == 1, rate.attention, rate.product)


def _memory_s(gpu: StepPart, rate: Rates) -> Num:
    """Seconds of all that lies between the matmuls of a layer and micro-batch, and of summing gradients."""
    size = (gpu.h, gpu.q, gpu.n, gpu.f, gpu.gated, gpu.t, gpu.c)
    full = (1 + gpu.r) * layer.forward_bytes(*size) + layer.backward_bytes(*size)
    scores = (1 + gpu.r_core) * layer.forward_score_bytes(gpu.a, gpu.seen, gpu.t, gpu.x)
    scores = scores + layer.backward_score_bytes(gpu.a, gpu.seen, gpu.t, gpu.x)
    n = gpu.network
    routing = gpu.routed * (2 + gpu.r) * layer.routing_bytes(gpu.h, n.top_k, gpu.t)
    summing = layer.accumulation_bytes(gpu.g) * gpu.W * (1 - gpu.summed_inside)
    return (gpu.tokens * (full + scores + routing) + summing) / rate.memory


def _head_s(gpu: StepPart, rate: Rates) -> tuple[Num, Num]:
    """Seconds of logits and loss of a micro-batch, on the last stage: matmuls, and memory."""
    matmul = (gpu.tokens * layer.head_flop(gpu.h, gpu.V) / gpu.t + 3 * rate.half_flop) / rate.product
    return matmul, gpu.tokens * layer.loss_bytes(gpu.V, gpu.t) / rate.memory


def _to_tensor_ranks(gpu: StepPart, rate: Rates) -> tuple[Num, Num]:
    """Bytes and seconds of the all-reduces of a layer and micro-batch, each a scatter and a gather."""
    bytes_ = traffic.tensor_bytes(gpu.b, gpu.own, gpu.h, gpu.t, gpu.r)
    collectives = 2 * (4 + 2 * gpu.r)
    return bytes_, bytes_ / rate.ring(1, gpu.t) + collectives * rate.hops(1, gpu.t)


def _to_experts(gpu: StepPart, rate: Rates) -> tuple[Num, Num]:
    """Bytes and seconds of the all-to-all of a mean layer and micro-batch."""
    bytes_ = gpu.routed * traffic.expert_bytes(gpu.b, gpu.own, gpu.h, gpu.network.top_k, gpu.t, gpu.r)
    inside = traffic.members_inside(rate.node, gpu.t, gpu.e)
    seconds = traffic.all_to_all_seconds(bytes_, gpu.e, inside, rate.link, rate.network)
    return bytes_ * traffic.ring_share(gpu.e), seconds


def _to_next_stage(gpu: StepPart, rate: Rates) -> tuple[Num, Num]:
    """Bytes and seconds that a micro-batch spends on the borders of a stage: each chunk, forward and backward."""
    borders = 2 * gpu.v * (gpu.p > 1)
    bytes_ = traffic.stage_bytes(gpu.b, gpu.own, gpu.h, gpu.t)
    gathered = traffic.gather_bytes(gpu.b, gpu.own, gpu.h, gpu.t, gpu.c)
    return borders * bytes_, borders * (bytes_ / rate.stages + gathered / rate.link + rate.border_s)


def _to_replicas(gpu: StepPart, rate: Rates, block: Num) -> tuple[Num, Num]:
    """Bytes of the data-parallel traffic of a step, and the seconds that it costs.

    What hides behind other work still takes its share of the processors and of memory.
    """
    copies, dense = gpu.copies / gpu.e, gpu.stage * gpu.shared + gpu.table
    dense_bytes = traffic.data_bytes(dense, gpu.copies, gpu.m, gpu.g, gpu.zero)
    expert_bytes = traffic.data_bytes(gpu.stage * gpu.local * gpu.expert, copies, gpu.m, gpu.g, gpu.zero)
    seconds = dense_bytes / rate.ring(gpu.t, gpu.copies) + expert_bytes / rate.ring(gpu.t * gpu.e, copies)
    seconds = seconds + gpu.stage * traffic.data_collectives(gpu.m, gpu.zero) * rate.hops(gpu.t, gpu.copies)
    behind = where(gpu.zero >= 3, 1, (2 + gpu.r) / (3 + gpu.r)) * where(gpu.zero >= 2, gpu.m, 1) * block
    hidden = minimum(seconds, gpu.overlap * behind)
    return dense_bytes + expert_bytes, seconds - (1 - rate.hidden) * hidden


def _left(gpu: StepPart) -> Num:
    """Share of the bubble that a schedule leaves; chunks are counted apart."""
    return where(gpu.schedule == pipeline.ZERO_BUBBLE, pipeline.zero_bubble_share(gpu.r), 1)


def _updated(gpu: StepPart) -> Num:
    """Parameters that this GPU's optimiser updates."""
    dense, expert = gpu.stage * gpu.shared + gpu.table, gpu.stage * gpu.local * gpu.expert
    return where(gpu.zero >= 1, (dense + expert * gpu.e) / gpu.copies, dense + expert)
