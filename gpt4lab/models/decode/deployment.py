"""How a network is served, and which choices cannot go together."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import Factory, field, frozen

from gpt4lab.formulas.arith import Num
from gpt4lab.models.inputs import Chip, Network
from gpt4lab.models.rules import Rules, count, fraction, held, not_negative, positive, share
from gpt4lab.scenario import FIELDS


@frozen
class Deployment:
    """How a batch is served.

    `batch` counts the sequences in flight on `tensor` × `pipeline` GPUs; `expert` such groups share the experts.
    Heads that do not divide over `tensor` ranks are padded, as PaLM's were on TPU (Pope 2022).
    `context` is the mean number of tokens cached per sequence; in a prefill, the length of the prompts.
    `eight_bit` products run at the 8-bit peak; else weights of fewer bits are unpacked first. `sequence_parallel` ranks
    share the work between the matmuls too. `cache_by_batch` deals whole sequences to the ranks, which few key-value
    heads ask for. `grouped_attention` reads the cache once for all query heads that share it; kernels of 2023 take it
    in once for each, mostly from the chip's own cache (`Efficiency.intake`). `gather_weights` moves the weights to the
    tokens instead of sums of activations, which pays for many tokens. `once_per_node` sends a token to a node once,
    however many experts it has there. `overlap` is the share of a layer's work behind which traffic may hide.
    `usable_memory` is the share of a card's memory that weights, cache and `overhead_bytes` may fill together.
    """

    tensor: Num = field(default=1, validator=count)
    pipeline: Num = field(default=1, validator=count)
    expert: Num = field(default=1, validator=count)
    batch: Num = field(default=1, validator=positive)
    context: Num = field(default=1024, validator=positive)
    weight_bytes: Num = field(default=2, validator=positive)
    kv_bytes: Num = field(default=2, validator=positive)
    eight_bit: Any = field(default=False, validator=fraction)
    sequence_parallel: Any = field(default=False, validator=fraction)
    cache_by_batch: Any = field(default=False, validator=fraction)
    grouped_attention: Any = field(default=True, validator=fraction)
    gather_weights: Any = field(default=False, validator=fraction)
    once_per_node: Any = field(default=False, validator=fraction)
    overlap: Num = field(default=0, validator=fraction)
    overhead_bytes: Num = field(
        default=Factory(lambda: FIELDS["serving.overhead_bytes"].default), validator=not_negative
    )
    usable_memory: Num = field(default=Factory(lambda: FIELDS["serving.usable_memory"].default), validator=share)

    #: What must hold of a way to serve and a network; the fullest rank or stage sets the pace.
    HELD: ClassVar = held(p="Deployment.pipeline", e="Deployment.expert", s="Deployment.context")

    def rules(self, network: Network, chip: Chip) -> Rules:
        """What else must hold of a way to serve, and what to say where it does not."""
        w = self
        able = (w.eight_bit != 1) | (chip.peak_8bit_flop_per_s > 0)
        return (
            (w.batch >= 1, "A batch of {w.batch} sequences is less than one."),
            (w.context >= 1, "A context of {w.context} tokens is less than one."),
            (able, "This accelerator has no 8-bit products."),
        )
