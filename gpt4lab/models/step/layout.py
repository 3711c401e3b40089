"""How a training batch is spread over a cluster, and which of its choices cannot go together."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen

from gpt4lab.formulas.arith import Num
from gpt4lab.formulas.memory import RECOMPUTE
from gpt4lab.formulas.pipeline import INTERLEAVED, SCHEDULES, micro_batches
from gpt4lab.models.inputs import Network
from gpt4lab.models.rules import Rules, coded, count, fraction, held, positive, zero_stage

#: What attention scores do, in the order of the codes: travel through memory, or stay on the chip.
ATTENTION = ("plain", "fused")


@frozen
class Layout:
    """How a batch is spread over a cluster.

    `batch` counts sequences. `context` ranks share the tokens of each sequence, and gather all its keys and values.
    `zero` is the stage of ZeRO; PyTorch calls 3 FSDP, and 2 its SHARD_GRAD_OP. `overlap` is the share of the
    data-parallel traffic that may hide behind backward. `gradient_bytes` is 2, or 4 where gradients are summed in fp32.
    `lean` is Megatron-LM's two economies: products add to the fp32 sums of gradients themselves, where PyTorch keeps a
    16-bit gradient beside each sum; and what sequence parallelism gathers is gathered again in backward, not kept.
    `fused_attention` is FlashAttention's kind.
    """

    tensor: Num = field(default=1, validator=count)
    pipeline: Num = field(default=1, validator=count)
    data: Num = field(default=1, validator=count)
    expert: Num = field(default=1, validator=count)
    context: Num = field(default=1, validator=count)
    batch: Num = field(default=1, validator=count)
    micro_batch: Num = field(default=1, validator=count)
    interleave: Num = field(default=1, validator=count)
    schedule: Any = field(default="1f1b", **coded(SCHEDULES))
    zero: Num = field(default=0, validator=zero_stage)
    recompute: Any = field(default="none", **coded(RECOMPUTE))
    sequence_parallel: Any = field(default=False, validator=fraction)
    fused_attention: Any = field(default=False, **coded(ATTENTION))
    overlap: Num = field(default=0.0, validator=fraction)
    gradient_bytes: Num = field(default=2, validator=positive)
    lean: Any = field(default=False, validator=fraction)

    #: What must hold of a layout and a network; any rank or stage may be fuller than others, and sets the pace.
    HELD: ClassVar = held(
        p="Layout.pipeline", v="Layout.interleave", d="Layout.data", e="Layout.expert", C="Layout.context",
        B="Layout.batch", b="Layout.micro_batch", m="Layout.micro_batches", s="Network.sequence",
    )  # fmt: skip

    @property
    def micro_batches(self) -> Num:
        """Micro-batches that follow each other through a pipeline in a step."""
        return micro_batches(self.batch, self.data, self.micro_batch)

    def rules(self, network: Network, chip: Any = None) -> Rules:
        """What else must hold of a layout, and what to say where it does not; any chip will do."""
        w = self
        counts = (w.tensor, w.pipeline, w.data, w.expert, w.context, w.batch, w.micro_batch, w.interleave)
        chunks = (w.interleave == 1) | (w.schedule == INTERLEAVED)
        return (
            *((n >= 1, "{w}: a count is less than one.") for n in counts if hasattr(n, "ndim")),
            (chunks, "{w.interleave} chunks a stage need the schedule 'interleaved'."),
        )
