"""The batch: in tokens, in sequences, per expert, and what the laws about a good batch say."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, exp, log, maximum, minimum, sqrt, where
from gpt4lab.quantities.registry import constants, quantity

#: A law about a good batch, its source, and the quantity that it gives.
LAWS = [
    {"law": "kaplan", "source": "kaplan2020", "at": "batch.critical_kaplan"},
    {"law": "deepseek", "source": "deepseek2024", "at": "batch.deepseek"},
    {"law": "step", "source": "li2025step", "at": "batch.step_law"},
]


@quantity("batch.steps", "step", source="arithmetic", D="training.tokens", B="training.batch_tokens")
def steps(D: Num, B: Num) -> Num:
    """Optimiser steps of the whole training, at this batch from the first step on."""
    return D / B


@quantity("batch.from_expert", "token", source="arithmetic", B_e="batch.tokens_per_expert", phi="moe.share_of_tokens")
def from_expert(B_e: Num, phi: Num) -> Num:
    """Batch that a stated number of tokens per expert implies."""
    return B_e / phi


@quantity("batch.sequences", "sequence", source="arithmetic", B="training.batch_tokens", s="model.context")
def sequences(B: Num, s: Num) -> Num:
    """Sequences in a batch."""
    return B / s


@quantity("batch.sequences_per_replica", "sequence", source="arithmetic", S="batch.sequences", d="cluster.replicas")
def sequences_per_replica(S: Num, d: Num) -> Num:
    """Sequences that one copy of the model works through in a step."""
    return S / d


@quantity("batch.tokens_per_expert", "token/expert", source="fedus2021", B="training.batch_tokens",
          phi="moe.share_of_tokens")
def tokens_per_expert(B: Num, phi: Num) -> Num:
    """Tokens of a batch that one expert sees when the load is balanced."""
    return B * phi


@quantity("batch.seconds_per_step", "s", source="arithmetic", t="cluster.days", n_steps="batch.steps")
def seconds_per_step(t: Num, n_steps: Num) -> Num:
    """Time of one optimiser step, if the run takes the stated days."""
    return t * 86_400 / n_steps


@quantity("batch.tokens_per_day", "token/day", source="arithmetic", D="training.tokens", t="cluster.days")
def tokens_per_day(D: Num, t: Num) -> Num:
    """Tokens trained on per day, if the run takes the stated days."""
    return D / t


@quantity("batch.deepseek", "token", source="deepseek2024", C="training.flop",
          **constants("deepseek2024-batch", "b", "beta"))
def deepseek(C: Num, b: Num, beta: Num) -> Num:
    """Best batch by DeepSeek's power law in compute; fitted between 1e17 and 2e19 FLOP, here far beyond."""
    return b * C**beta


@quantity("batch.deepseek_learning_rate", "1", source="deepseek2024", C="training.flop",
          **constants("deepseek2024-batch", "h", "gamma"))
def deepseek_learning_rate(C: Num, h: Num, gamma: Num) -> Num:
    """Best learning rate by the same law."""
    return h * C**gamma


@quantity("batch.critical_kaplan", "token", source="kaplan2020", L="scaling.besiroglu_loss",
          **constants("kaplan2020", "B_star", "alpha_B"))
def critical_kaplan(L: Num, B_star: Num, alpha_B: Num) -> Num:
    """Batch beyond which more tokens a step save few steps, at a loss of L nats per token.

    Kaplan's loss was measured on another text with another tokeniser: 1.7 to 1.9 nats give 16 to 9 million tokens.
    """
    return B_star * exp(-log(L) / alpha_B)


@quantity("batch.extra_tokens", "x", source="mccandlish2018", B="training.batch_tokens", B_crit="batch.critical_kaplan")
def extra_tokens(B: Num, B_crit: Num) -> Num:
    """Tokens needed at this batch, over the fewest that any batch needs: 1 + B / B_crit."""
    return 1 + B / B_crit


@quantity("batch.extra_steps", "x", source="mccandlish2018", B="training.batch_tokens", B_crit="batch.critical_kaplan")
def extra_steps(B: Num, B_crit: Num) -> Num:
    """Steps needed at this batch, over the fewest that any batch needs: 1 + B_crit / B."""
    return 1 + B_crit / B


@quantity("batch.step_law", "token", source="li2025step", D="training.tokens", **constants("li2025step", "b", "beta"))
def step_law(D: Num, b: Num, beta: Num) -> Num:
    """Best batch by the Step Law, a power of the tokens seen in training."""
    return b * D**beta


# --- a batch that grows


@quantity("batch.ramp_mean", "token", source="arithmetic", B_0="training.first_batch", B="training.batch_tokens")
def ramp_mean(B_0: Num, B: Num) -> Num:
    """Tokens of a step while the batch grows evenly with the tokens seen: the logarithmic mean of its two ends."""
    return where(B == B_0, B, (B - B_0) / log(where(B == B_0, 2, B / B_0)))


@quantity("batch.ramp_steps", "step", source="arithmetic", D="training.tokens", R="training.ramp_tokens",
          B_m="batch.ramp_mean", B="training.batch_tokens")
def ramp_steps(D: Num, R: Num, B_m: Num, B: Num) -> Num:
    """Optimiser steps of the whole training with its ramp; one that is longer than the run ends with it."""
    return minimum(R, D) / B_m + maximum(D - R, 0) / B


@quantity("batch.ramp_days", "day", source="arithmetic", R="training.ramp_tokens", r="batch.tokens_per_day")
def ramp_days(R: Num, r: Num) -> Num:
    """Length of the ramp at the mean pace of the run."""
    return R / r


# --- what the noise of the gradient and the pipeline each ask for


@quantity("batch.critical_pipeline", "token", source="narayanan2021", p="cluster.pipeline", d="cluster.replicas",
          b="training.micro_batch", s="model.context")
def critical_pipeline(p: Num, d: Num, b: Num, s: Num) -> Num:
    """Batch at which a stage waits as long as it works, if its layers are one chunk; at half of it, twice as long."""
    return (p - 1) * d * b * s


@quantity("batch.extra_time", "x", source="narayanan2021", B="training.batch_tokens", B_p="batch.critical_pipeline")
def extra_time(B: Num, B_p: Num) -> Num:
    """Time that a token takes at this batch, over its time in a pipeline that is always full: 1 + B_p / B."""
    return 1 + B_p / B


@quantity("batch.dearer_{law}", "x", source="{source}", each=LAWS, B="training.batch_tokens", B_crit="{at}",
          t="batch.extra_time")
def dearer(B: Num, B_crit: Num, t: Num) -> Num:
    """GPU hours to the same loss, over those of the fewest tokens in a full pipeline: noise and waiting together."""
    return (1 + B / B_crit) * t


@quantity("batch.cheapest_{law}", "token", source="{source}", each=LAWS, B_crit="{at}", B_p="batch.critical_pipeline")
def cheapest(B_crit: Num, B_p: Num) -> Num:
    """Batch with the fewest GPU hours to the same loss, where noise and waiting cost alike."""
    return sqrt(B_crit * B_p)
