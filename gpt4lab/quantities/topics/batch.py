"""The batch: in tokens, in sequences, per expert, and what the laws about a good batch say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gpt4lab.formulas.arith import Num, exp, log
from gpt4lab.formulas.fit import line
from gpt4lab.quantities.registry import quantity


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


@quantity("batch.sequences_per_replica", "sequence", source="arithmetic",
          S="batch.sequences", d="cluster.replicas")
def sequences_per_replica(S: Num, d: Num) -> Num:
    """Sequences that one copy of the model works through in a step."""
    return S / d


@quantity("batch.tokens_per_expert", "token/expert", source="fedus2021",
          B="training.batch_tokens", phi="moe.share_of_tokens")
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


@quantity(
    "batch.deepseek", "token", source="deepseek2024", C="training.flop",
    b="catalog/constants/deepseek2024-batch/b", beta="catalog/constants/deepseek2024-batch/beta",
)
def deepseek(C: Num, b: Num, beta: Num) -> Num:
    """Best batch by DeepSeek's power law in compute; fitted between 1e17 and 2e19 FLOP, here far beyond."""
    return b * C**beta


@quantity(
    "batch.deepseek_learning_rate", "1", source="deepseek2024", C="training.flop",
    h="catalog/constants/deepseek2024-batch/h", gamma="catalog/constants/deepseek2024-batch/gamma",
)
def deepseek_learning_rate(C: Num, h: Num, gamma: Num) -> Num:
    """Best learning rate by the same law."""
    return h * C**gamma


@quantity(
    "batch.critical_kaplan", "token", source="kaplan2020", L="scaling.besiroglu_loss",
    B_star="catalog/constants/kaplan2020/B_star", alpha_B="catalog/constants/kaplan2020/alpha_B",
)
def critical_kaplan(L: Num, B_star: Num, alpha_B: Num) -> Num:
    """Batch beyond which more tokens a step save few steps, at a loss of L nats per token.

    Kaplan's loss was measured on another text with another tokeniser: 1.7 to 1.9 nats give 16 to 9 million tokens.
    """
    return B_star * exp(-log(L) / alpha_B)


@quantity("batch.extra_tokens", "x", source="mccandlish2018",
          B="training.batch_tokens", B_crit="batch.critical_kaplan")
def extra_tokens(B: Num, B_crit: Num) -> Num:
    """Tokens needed at this batch, over the fewest that any batch needs: 1 + B / B_crit."""
    return 1 + B / B_crit


@quantity("batch.extra_steps", "x", source="mccandlish2018",
          B="training.batch_tokens", B_crit="batch.critical_kaplan")
def extra_steps(B: Num, B_crit: Num) -> Num:
    """Steps needed at this batch, over the fewest that any batch needs: 1 + B_crit / B."""
    return 1 + B_crit / B


# --- measured on a model, not derived from the scenario (McCandlish 2018) -------------------------------------------


def gradient_signal(G_small: Num, G_big: Num, b: Num, B: Num) -> Num:
    """|G|^2, squared length of the true gradient, without bias from squared lengths at two batch sizes (appendix A.1).

    G_small, G_big: mean squared length of the gradient averaged over b, over B samples. Each is too long by its noise,
    E |G_b|^2 = |G|^2 + tr(Sigma) / b, and two such equations give both unknowns.
    """
    return (B * G_big - b * G_small) / (B - b)


def gradient_noise(G_small: Num, G_big: Num, b: Num, B: Num) -> Num:
    """tr(Sigma), variance of one sample's gradient summed over the parameters, without bias (appendix A.1)."""
    return (G_small - G_big) / (1 / b - 1 / B)


def noise_scale(G_small: Num, G_big: Num, b: Num, B: Num) -> Num:
    """B_simple = tr(Sigma) / |G|^2, in samples (equation 2.9): the batch whose noise is as long as its gradient.

    A ratio of unbiased numbers is biased: give means of G_small and G_big over many batches.
    """
    return gradient_noise(G_small, G_big, b, B) / gradient_signal(G_small, G_big, b, B)


class NoTradeOff(ValueError):
    """The steps do not fall with the batch as any trade-off says."""


class TradeOff(NamedTuple):
    """Fewest steps (with endless batches) and fewest samples (with tiny ones) that reach a loss; the fit's R^2."""

    S_min: float
    E_min: float
    r_squared: float

    @property
    def B_crit(self) -> float:
        """The batch that needs twice the fewest steps and twice the fewest samples."""
        return self.E_min / self.S_min


def fit_trade_off(B: Sequence[float], S: Sequence[float]) -> TradeOff:
    """(S/S_min - 1)(E/E_min - 1) = 1 (equation 2.11) through the steps S that batches of B samples need.

    With E = B S it reads S = S_min + E_min / B, a straight line in 1/B; relative errors count. Raises ValueError for
    fewer than three batches and for numbers that are not positive, NoTradeOff where S_min or E_min would not be, or no
    more than rounding: steps that are the same with every batch, or samples.
    """
    if len(B) < 3 or not all(value > 0 for value in (*B, *S)):
        raise ValueError(f"a trade-off needs three or more positive batches and steps, not {list(B)} and {list(S)}")
    E_min, S_min, r_squared = line([1 / b for b in B], S, [1 / s**2 for s in S])
    if E_min <= 1e-6 * min(B) * max(S) or S_min <= 1e-6 * min(S):
        raise NoTradeOff(f"no trade-off: batches {list(B)}, steps {list(S)} give S_min {S_min:.3g}, E_min {E_min:.3g}")
    return TradeOff(S_min, E_min, r_squared)
