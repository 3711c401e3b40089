"""Chinchilla: how many tokens a model of a size should see, by each fit of L(N, D) = E + A/N^alpha + B/D^beta.

With C = 6 N D the loss is least where N^alpha = G' D^beta; the closed forms below follow (Hoffmann 2022, equation 4).
The fits disagree by a factor of ten at this size, and two versions of one fit, printed and to the precision of its
TeX source, by 1.7: the exponents are rounded. How far a use stretches each fit beyond its data is told in `stretch`.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, exp, log
from gpt4lab.quantities.registry import constants, quantity

#: Name in quantities -> entry of `catalog.constants`.
FITS = {
    "hoffmann": "hoffmann2022-printed",
    "hoffmann_tex": "hoffmann2022-tex",
    "besiroglu": "besiroglu2024",
    "muennighoff": "muennighoff2023",
}
LAW = ("E", "A", "alpha", "B", "beta")
_EACH = [{"fit": fit, "slug": slug, "source": slug.partition("-")[0]} for fit, slug in FITS.items()]
_SIZES = [{**pieces, "size": size} for pieces in _EACH for size in ("active", "total")]
_KAPLAN_SIZES = [{"fit": "kaplan", "source": "kaplan2020", "size": size} for size in ("active", "total")]
_RULE = [{"fit": "rule", "source": "hoffmann2022", "size": size} for size in ("active", "total")]


@quantity("scaling.{fit}_balance", "1", source="{source}", each=_EACH, **constants("{slug}", "alpha", "beta", "A", "B"))
def balance(alpha: Num, beta: Num, A: Num, B: Num) -> Num:
    """G: where one more unit of compute helps as much in parameters as in tokens."""
    return (alpha * A / (beta * B)) ** (1 / (alpha + beta))


@quantity("scaling.{fit}_params", "param", source="{source}", each=_EACH, C="training.flop", G="scaling.{fit}_balance",
          **constants("{slug}", "alpha", "beta"))
def best_params(C: Num, G: Num, alpha: Num, beta: Num) -> Num:
    """Parameters of the dense model with the least loss for this compute."""
    return G * (C / 6) ** (beta / (alpha + beta))


@quantity("scaling.{fit}_tokens", "token", source="{source}", each=_EACH, C="training.flop", N="scaling.{fit}_params")
def tokens_of(C: Num, N: Num) -> Num:
    """Tokens that this compute allows for N parameters."""
    return C / (6 * N)


@quantity("scaling.{fit}_tokens_{size}", "token", source="{source}", each=_SIZES, N="model.{size}_params",
          G="scaling.{fit}_balance", **constants("{slug}", "alpha", "beta"))
def best_tokens(N: Num, G: Num, alpha: Num, beta: Num) -> Num:
    """Tokens at which a model of N parameters is the best use of its compute."""
    return (N / G) ** ((alpha + beta) / beta) / N


@quantity("scaling.{fit}_tokens_{size}", "token", source="{source}", each=_RULE, N="model.{size}_params",
          r="catalog/constants/tokens-per-parameter/ratio")
def rule_tokens(N: Num, r: Num) -> Num:
    """Tokens by the rule of thumb: twenty a parameter."""
    return r * N


@quantity("scaling.{fit}_tokens_{size}", "token", source="{source}", each=_KAPLAN_SIZES, N="model.{size}_params",
          N_1="catalog/constants/kaplan2020/N_best", D_1="catalog/constants/kaplan2020/D_best",
          a="catalog/constants/kaplan2020/N_exponent")
def kaplan_tokens_of(N: Num, N_1: Num, D_1: Num, a: Num) -> Num:
    """Tokens that Kaplan gives a model of N parameters, at the compute for which it is his best."""
    return D_1 * (N / N_1) ** ((1 - a) / a)


@quantity("scaling.{fit}_ratio_{size}", "x", source="{source}", each=_SIZES + _RULE + _KAPLAN_SIZES,
          D_best="scaling.{fit}_tokens_{size}", D="training.tokens")
def ratio(D_best: Num, D: Num) -> Num:
    """Best number of tokens over the stated one: above 1, the model saw too few."""
    return D_best / D


@quantity("scaling.{fit}_loss", "nat/token", source="{source}", each=_EACH, N="model.active_params",
          D="training.tokens", **constants("{slug}", *LAW))
def loss(N: Num, D: Num, E: Num, A: Num, alpha: Num, B: Num, beta: Num) -> Num:
    """Loss of N dense parameters after D tokens, in nats per token of the fit's own text."""
    return E + A / N**alpha + B / D**beta


# --- Kaplan -----------------------------------------------------------------------------------------------------------

_KAPLAN = "catalog/constants/kaplan2020"
PF_DAY = 1e15 * 86_400


@quantity("scaling.kaplan_loss_params", "nat/token", source="kaplan2020", about="Loss of so many parameters by Kaplan.",
          X_c=f"{_KAPLAN}/N_c", X="model.active_params", alpha=f"{_KAPLAN}/alpha_N")
@quantity("scaling.kaplan_loss_tokens", "nat/token", source="kaplan2020", about="Loss after so many tokens by Kaplan.",
          X_c=f"{_KAPLAN}/D_c", X="training.tokens", alpha=f"{_KAPLAN}/alpha_D")
@quantity("scaling.kaplan_loss_flop", "nat/token", source="kaplan2020", about="Least loss for this compute, by Kaplan.",
          X_c=f"{_KAPLAN}/C_c", X="scaling.pf_days", alpha=f"{_KAPLAN}/alpha_C")
def kaplan_loss(X_c: Num, X: Num, alpha: Num) -> Num:
    """Loss by one of Kaplan's three laws, the other two quantities boundless; another text and tokeniser than later."""
    return (X_c / X) ** alpha


@quantity("scaling.pf_days", "PFLOP/s*day", source="arithmetic", C="training.flop")
def pf_days(C: Num) -> Num:
    """Compute in Kaplan's unit: days at 10^15 FLOP/s."""
    return C / PF_DAY


@quantity("scaling.kaplan_params", "param", source="kaplan2020", N_1=f"{_KAPLAN}/N_best", C="scaling.pf_days",
          a=f"{_KAPLAN}/N_exponent")
def kaplan_params(N_1: Num, C: Num, a: Num) -> Num:
    """Parameters of the dense model with the least loss for this compute, by Kaplan: far more than by any later fit."""
    return N_1 * C**a


@quantity("scaling.kaplan_tokens", "token", source="kaplan2020", D_1=f"{_KAPLAN}/D_best", C="scaling.pf_days",
          a=f"{_KAPLAN}/N_exponent")
def kaplan_tokens(D_1: Num, C: Num, a: Num) -> Num:
    """Tokens that go with them."""
    return D_1 * C ** (1 - a)


# --- answers counted --------------------------------------------------------------------------------------------------
#
# Chinchilla's optimum counts training alone. A model that will answer for years should be smaller and see more tokens:
# at equal loss the least of 6 N D + 2 N D_inf lies where the terms A/N^alpha and B/D^beta satisfy an equation without a
# closed solution; twelve steps of Newton's method solve it to the last digit. Answers are counted at two FLOP a
# parameter and token, so prompts count like answers, and at the same utilisation as training, which flatters answering.

_SERVED = "serving.lifetime_tokens"


@quantity("scaling.{fit}_lifetime_tokens", "token", source="sardana2023", each=_EACH, L="scaling.{fit}_loss",
          D_inf=_SERVED, **constants("{slug}", "E", "alpha", "B", "beta"))
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


@quantity("scaling.{fit}_lifetime_params", "param", source="sardana2023", each=_EACH, L="scaling.{fit}_loss",
          D="scaling.{fit}_lifetime_tokens", **constants("{slug}", *LAW))
def params_at_loss(L: Num, D: Num, E: Num, A: Num, alpha: Num, B: Num, beta: Num) -> Num:
    """Parameters that reach the loss L after D tokens."""
    return (A / (L - E - B / D**beta)) ** (1 / alpha)


@quantity("scaling.lifetime_flop", "FLOP", source="sardana2023", N="model.active_params", D="training.tokens",
          D_inf=_SERVED)
@quantity("scaling.{fit}_lifetime_flop", "FLOP", source="sardana2023", each=_EACH, N="scaling.{fit}_lifetime_params",
          D="scaling.{fit}_lifetime_tokens", D_inf=_SERVED)
def lifetime_flop(N: Num, D: Num, D_inf: Num) -> Num:
    """Compute of training and of all answers: six FLOP a parameter and token trained on, two a token answered."""
    return 6 * N * D + 2 * N * D_inf


@quantity("scaling.{fit}_lifetime_saving", "x", source="sardana2023", each=_EACH, C_stated="scaling.lifetime_flop",
          C_best="scaling.{fit}_lifetime_flop")
def saving(C_stated: Num, C_best: Num) -> Num:
    """Lifetime compute of the stated model over that of the best with the same loss."""
    return C_stated / C_best
