"""Noise of the gradient and what a larger batch buys, from measurements on a model (McCandlish 2018).

Their ratio `gradient_noise / gradient_signal` is B_simple = tr(Sigma) / |G|^2 (equation 2.9), in samples: the batch
whose noise is as long as its gradient. A ratio of unbiased numbers is biased: take means over many batches first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gpt4lab.formulas.arith import Num
from gpt4lab.formulas.fit import line


def gradient_signal(G_small: Num, G_big: Num, b: Num, B: Num) -> Num:
    """|G|^2, squared length of the true gradient, without bias from squared lengths at two batch sizes (appendix A.1).

    G_small, G_big: mean squared length of the gradient averaged over b, over B samples. Each is too long by its noise,
    E |G_b|^2 = |G|^2 + tr(Sigma) / b, and two such equations give both unknowns.
    """
    return (B * G_big - b * G_small) / (B - b)


def gradient_noise(G_small: Num, G_big: Num, b: Num, B: Num) -> Num:
    """tr(Sigma), variance of one sample's gradient summed over the parameters, without bias (appendix A.1)."""
    return (G_small - G_big) / (1 / b - 1 / B)


def foretold_steps(B: Num, B_simple: Num, S_known: Num, B_known: Num) -> Num:
    """Steps to a loss with batches of B, from the noise scale and the steps that one batch took.

    S = S_min (1 + B_simple/B) is equation 2.11 with B_simple in place of B_crit; what is known fixes S_min.
    """
    return S_known * (1 + B_simple / B) / (1 + B_simple / B_known)


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
