"""Batches of answers: what a step takes with every slot filled, what a lane then writes, and what padding costs.

The machines of a scenario work on as many lanes at once as they have pipeline stages: while one lane's tokens are in
the second stage, another's are in the first. Each lane has slots of its own.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, log
from gpt4lab.quantities.registry import again, quantity

again({
    "moe.idle": ("batching.idle", "Share of the experts that no slot of a lane needs."),
    "moe.touched": ("batching.touched", "Share of the experts that the slots of a lane need together."),
    "moe.experts_touched": ("batching.experts_touched", "Experts of a layer that a step with all slots filled reads."),
    "decode.shared_s": ("batching.shared_s", ""),
    "decode.experts_s": ("batching.experts_s", ""),
    "decode.kv_s": ("batching.kv_s", ""),
    "decode.attention_s": ("batching.attention_s", ""),
    "decode.latency": ("batching.step_s", "Time of a step of a lane with every slot filled, on the roofline."),
}, instead={"decode.micro_batch": "batching.slots"})

again({
    "moe.idle": ("batching.idle_alone", "Share of the experts that one answer alone does not need."),
    "moe.touched": ("batching.touched_alone", "Share of the experts that one answer alone needs."),
    "moe.experts_touched": ("batching.experts_alone", "Experts of a layer that a step for one answer reads."),
    "decode.shared_s": ("batching.shared_alone_s", ""),
    "decode.experts_s": ("batching.experts_alone_s", ""),
    "decode.kv_s": ("batching.kv_alone_s", ""),
    "decode.attention_s": ("batching.attention_alone_s", ""),
    "decode.latency": ("batching.step_alone_s", "Time of a step of a lane for one answer alone, on the roofline."),
}, instead={"decode.micro_batch": "batching.one"})


@quantity("batching.one", "sequence", source="arithmetic", p="serving.pipeline")
def one(p: Num) -> Num:
    """One answer in a lane, of the many lanes that there are."""
    return p / p


@quantity("batching.lane_tokens_per_s", "token/s", source="arithmetic", n="batching.slots", t="batching.step_s")
def lane_tokens_per_s(n: Num, t: Num) -> Num:
    """Tokens that a lane writes, while all its slots are filled and no prompt is read."""
    return n / t


@quantity("batching.gain", "x", source="arithmetic", n="batching.slots", t_1="batching.step_alone_s",
          t="batching.step_s")
def gain(n: Num, t_1: Num, t: Num) -> Num:
    """Throughput of a full batch over that of one answer after the other."""
    return n * t_1 / t


@quantity("batching.lane_requests_per_s", "request/s", source="arithmetic", r="batching.requests_per_s",
          p="serving.pipeline")
def lane_requests_per_s(r: Num, p: Num) -> Num:
    """Requests that come to one lane, if they are dealt out in turn."""
    return r / p


@quantity("batching.geometric_padding", "x", source="yu2022", n="batching.slots")
def geometric_padding(n: Num) -> Num:
    """Longest of n answers over the mean, if each ends after any token with the same small chance.

    That is the sum 1 + 1/2 + ... + 1/n, here to a hundredth.
    """
    return log(n) + 0.57722 + 1 / (2 * n) - 1 / (12 * n**2) + 1 / (120 * n**4)


@quantity("batching.orca_gain", "x", source="yu2022", r="catalog/measurements/orca-gain/throughput_gain")
def orca_gain(r: Num) -> Num:
    """Throughput of Orca over that of FasterTransformer at equal latency, as its paper reports it for GPT-3."""
    return 1 * r
