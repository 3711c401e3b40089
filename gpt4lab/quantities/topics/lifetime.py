"""The model that is cheapest over its life: training and all its answers, at a given loss (Sardana 2023).

Chinchilla's optimum counts training alone. A model that will answer for years should be smaller and see more tokens:
at equal loss the least of 6 N D + 2 N D_inf lies where the terms A/N^alpha and B/D^beta satisfy an equation without a
closed solution; twelve steps of Newton's method solve it to the last digit. Answers are counted at two FLOP a parameter
and token, so prompts count like answers, and at the same utilisation as training, which flatters answering.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, exp, log
from gpt4lab.quantities.registry import quantity
from gpt4lab.quantities.topics.scaling import FITS, LAW


def lifetime_tokens(L: Num, D_inf: Num, E: Num, alpha: Num, B: Num, beta: Num) -> Num:
    """Training tokens of the model that reaches the loss L with least compute, answering with D_inf tokens included.

    Where d(6 N D + 2 N D_inf) = 0 along a line of equal loss: alpha A/N^alpha over beta B/D^beta = 1 + D_inf/(3 D).
    """
    return exp(root(L - E, D_inf, alpha, B, beta))


#: Steps of Newton's method; it has converged to the last digit after about six.
STEPS = 12


def root(x: Num, D_inf: Num, alpha: Num, B: Num, beta: Num) -> Num:
    """The logarithm u of D at which (alpha + beta) B e^-(beta u) + beta B D_inf/3 e^-((1 + beta) u) = alpha x.

    The logarithm of the left side is convex and nearly straight, so Newton's method started at Chinchilla's D, which
    lies to the left, walks up to the root and never beyond it.
    """
    u = log((alpha + beta) * B / (alpha * x)) / beta
    for _ in range(STEPS):
        near, far = (alpha + beta) * B * exp(-beta * u), beta * B * D_inf / 3 * exp(-(1 + beta) * u)
        u = u + log((near + far) / (alpha * x)) * (near + far) / (beta * near + (1 + beta) * far)
    return u


def params_at_loss(L: Num, D: Num, E: Num, A: Num, alpha: Num, B: Num, beta: Num) -> Num:
    """Parameters that reach the loss L after D tokens."""
    return (A / (L - E - B / D**beta)) ** (1 / alpha)


def lifetime_flop(N: Num, D: Num, D_inf: Num) -> Num:
    """Compute of training and of all answers: six FLOP a parameter and token trained on, two a token answered."""
    return 6 * N * D + 2 * N * D_inf


def saving(C_stated: Num, C_best: Num) -> Num:
    """Lifetime compute of the stated model over that of the best with the same loss."""
    return C_stated / C_best


SERVED = "serving.lifetime_tokens"
quantity(
    "scaling.lifetime_flop", "FLOP", source="sardana2023", N="model.active_params", D="training.tokens", D_inf=SERVED
)(lifetime_flop)


def declare(fit: str) -> None:
    """The optimum with answering included, at the loss that the fit gives the stated model."""
    law = {symbol: f"catalog/constants/{FITS[fit]}/{symbol}" for symbol in LAW}
    without_a = {symbol: path for symbol, path in law.items() if symbol != "A"}
    loss, name, source = f"scaling.{fit}_loss", f"scaling.{fit}_lifetime", "sardana2023"
    quantity(f"{name}_tokens", "token", source=source, L=loss, D_inf=SERVED, **without_a)(lifetime_tokens)
    quantity(f"{name}_params", "param", source=source, L=loss, D=f"{name}_tokens", **law)(params_at_loss)
    quantity(f"{name}_flop", "FLOP", source=source, N=f"{name}_params", D=f"{name}_tokens", D_inf=SERVED)(lifetime_flop)
    quantity(
        f"{name}_saving", "x", source=source, C_stated="scaling.lifetime_flop", C_best=f"{name}_flop"
    )(saving)


for _fit in FITS:
    declare(_fit)
