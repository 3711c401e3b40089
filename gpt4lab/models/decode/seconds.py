"""Where the seconds of a forward pass go when a model answers: by kind of work, each at the rate that it reaches."""

from __future__ import annotations

from attrs import frozen

from gpt4lab.formulas import answering_layer as per
from gpt4lab.formulas import traffic
from gpt4lab.formulas.arith import Num, ceil, maximum, minimum, where
from gpt4lab.models.decode.part import PassPart
from gpt4lab.models.inputs import Chip, Efficiency, Rates


@frozen
class PassSeconds:
    """Time by part; the parts add up. `hidden` is traffic behind other work, so it is negative or zero."""

    weights: Num
    attention: Num
    between: Num
    tensor: Num
    expert: Num
    pipeline: Num
    fixed: Num
    waiting: Num
    hidden: Num

    @property
    def total(self) -> Num:
        """Seconds altogether."""
        work, traffic = self.weights + self.attention + self.between, self.tensor + self.expert + self.pipeline
        return work + traffic + self.fixed + self.waiting + self.hidden


@frozen
class Work:
    """What a micro-batch asks of a GPU: its tokens, those that get logits, token pairs, bytes of cache in a layer."""

    n: Num
    logits: Num
    pairs: Num
    cache: Num
    unpacked: bool


@frozen
class Waits:
    """How micro-batches queue: at least so many stages long, or so many stages more; and whether the host may be late.

    It launches each kernel of a prefill; a decode step is recorded once and replayed.
    """

    most: Num
    rest: Num
    launches: bool


class PassRates(Rates):
    """The same for the products of a pass, which may be of 8 bits: their peak, and what is reached of it."""

    def __init__(self, chip: Chip, reach: Efficiency, gpu: PassPart) -> None:
        super().__init__(chip, reach, gpu.t * gpu.e * gpu.p)
        eight = gpu.deployment.eight_bit * 1
        self.peak = where(eight == 1, chip.peak_8bit_flop_per_s, chip.peak_flop_per_s)
        known = chip.sm_clocks_per_s == chip.sm_clocks_per_s  # NaN is not
        self.intake = where(known, chip.sm_clocks_per_s * reach.intake, self.memory)
        self.product = where(eight == 1, chip.peak_8bit_flop_per_s * reach.matmul_8bit, self.matmul)


def spent(gpu: PassPart, rate: PassRates, reach: Efficiency, work: Work, waits: Waits) -> PassSeconds:
    """Seconds by part: one micro-batch through all layers, and the wait for the others."""
    weights = _weights_s(gpu, rate, work.n)
    attention = _attention_s(gpu, rate, work)
    between = work.n * gpu.between / rate.memory
    kernels = per.KERNELS + per.ROUTING_KERNELS * (gpu.E > 1) * (1 - gpu.dense)
    fixed = kernels * reach.kernel_s
    tensor, expert = _reduce_s(gpu, rate, reach, work.n), _to_experts_s(gpu, rate, work.n)
    hidden = minimum(tensor + expert, gpu.deployment.overlap * (weights + attention + between + fixed))
    crossing = crossing_s(gpu, rate, reach, work.n)
    block = weights + attention + between + fixed + tensor + expert - hidden
    head, logits = head_s(gpu, rate, work.logits)
    stage, once = gpu.stage_layers * block + crossing, gpu.L * block + (gpu.p - 1) * crossing + head + logits
    late = maximum(gpu.stage_layers * kernels * reach.launch_s - stage, 0) * waits.launches
    return PassSeconds(
        weights=gpu.L * weights + head,
        attention=gpu.L * attention,
        between=gpu.L * between + logits,
        tensor=gpu.L * tensor,
        expert=gpu.L * expert,
        pipeline=(gpu.p - 1) * crossing,
        fixed=gpu.L * fixed,
        waiting=maximum(waits.most * stage - once, 0) * (gpu.p > 1) + waits.rest * stage + late,
        hidden=-gpu.L * hidden,
    )


def _attention_s(gpu: PassPart, rate: PassRates, work: Work) -> Num:
    """Seconds of a layer's attention: to compute, to read the cache once, or to take it in for each query head."""
    once = maximum(work.pairs * gpu.core(work.unpacked) / rate.matmul, work.cache / rate.memory)
    return maximum(once, gpu.by_head * work.cache * gpu.reads / rate.intake)


def _weights_s(gpu: PassPart, rate: PassRates, n: Num) -> Num:
    """Seconds of a layer's matmuls, common ones and those of the experts: each reads and computes."""
    common = per.together(2 * n * gpu.common / rate.product, gpu.common * gpu.w / rate.memory)
    flop, read = 2 * n * gpu.k * gpu.load * gpu.expert_weights, gpu.touched(n) * gpu.expert_weights * gpu.w
    return common + (1 - gpu.dense) * per.together(flop / rate.product, read / rate.memory)


def head_s(gpu: PassPart, rate: PassRates, n: Num) -> tuple[Num, Num]:
    """Seconds of the matmul of the logits, in 16 bits, and of choosing from them."""
    matrix = gpu.h * gpu.V / gpu.t
    matmul = per.together(2 * n * matrix / rate.matmul, 2 * matrix / rate.memory)
    return matmul, n * per.logit_bytes(gpu.V, gpu.t) / rate.memory


def _reduce_s(gpu: PassPart, rate: PassRates, reach: Efficiency, n: Num) -> Num:
    """Seconds of a layer's tensor-parallel traffic: all-reduces after attention and feed-forward, or both at once.

    Where weights are gathered instead, they travel, and the activations stay.
    """
    reduced, gathered = per.reduce_bytes(n, gpu.h, gpu.t), per.gathered_bytes(gpu.read(n), gpu.w, gpu.t)
    times = 2 - gpu.network.parallel_block
    sent = where(gpu.gathers, gathered, times * reduced)
    return sent / rate.ring(1, gpu.t) + times * per.reduce_latency(gpu.t, reach.message_s, reach.hop_s)


def _to_experts_s(gpu: PassPart, rate: PassRates, n: Num) -> Num:
    """Seconds in which n tokens travel to their experts and back."""
    copy = per.routed_bytes(n, gpu.h, minimum(gpu.w, 2), gpu.t)
    inside = traffic.members_inside(rate.node, gpu.t, gpu.e)
    each = traffic.all_to_all_seconds(gpu.k * copy, gpu.e, inside, rate.link, rate.network)
    nodes = ceil(gpu.e / inside)
    local = gpu.k * copy * (1 - 1 / inside) / rate.link
    once = per.nodes_touched(nodes, gpu.k) * copy / rate.network + local
    return (1 - gpu.dense) * where(gpu.deployment.once_per_node * 1 == 1, once, each)


def crossing_s(gpu: PassPart, rate: PassRates, reach: Efficiency, n: Num) -> Num:
    """Seconds in which n tokens pass to the next stage, their shares gathered there."""
    sent = traffic.stage_bytes(n, 1, gpu.h, gpu.t) / rate.stages
    gathered = traffic.gather_bytes(n, 1, gpu.h, gpu.t, 1) / rate.link
    return (sent + gathered + reach.message_s) * (gpu.p > 1)
