"""Chinchilla: how many tokens a model of a size should see, by each fit of L(N, D) = E + A/N^alpha + B/D^beta.

With C = 6 N D the loss is least where N^alpha = G' D^beta; the closed forms below follow (Hoffmann 2022, equation 4).
The fits disagree by a factor of ten at this size, and two versions of one fit, printed and to the precision of its
TeX source, by 1.7: the exponents are rounded.

How far a use stretches each fit beyond its data is told in `stretch`.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import quantity

#: Name in quantities -> entry of `catalog.constants`.
FITS = {
    "hoffmann": "hoffmann2022-printed",
    "hoffmann_tex": "hoffmann2022-tex",
    "besiroglu": "besiroglu2024",
    "muennighoff": "muennighoff2023",
}
LAW = ("E", "A", "alpha", "B", "beta")
SOURCES = {fit: slug.partition("-")[0] for fit, slug in FITS.items()}


def balance(alpha: Num, beta: Num, A: Num, B: Num) -> Num:
    """G: where one more unit of compute helps as much in parameters as in tokens."""
    return (alpha * A / (beta * B)) ** (1 / (alpha + beta))


def best_params(C: Num, G: Num, alpha: Num, beta: Num) -> Num:
    """Parameters of the dense model with the least loss for this compute."""
    return G * (C / 6) ** (beta / (alpha + beta))


def tokens_of(C: Num, N: Num) -> Num:
    """Tokens that this compute allows for N parameters."""
    return C / (6 * N)


def best_tokens(N: Num, G: Num, alpha: Num, beta: Num) -> Num:
    """Tokens at which a model of N parameters is the best use of its compute."""
    return (N / G) ** ((alpha + beta) / beta) / N


def loss(N: Num, D: Num, E: Num, A: Num, alpha: Num, B: Num, beta: Num) -> Num:
    """Loss of N dense parameters after D tokens, in nats per token of the fit's own text."""
    return E + A / N**alpha + B / D**beta


def ratio(D_best: Num, D: Num) -> Num:
    """Best number of tokens over the stated one: above 1, the model saw too few."""
    return D_best / D


def declare(fit: str) -> None:
    """The quantities of one fit: `scaling.<fit>_tokens_active`, `..._ratio_total`, ..."""
    law, source = f"catalog/constants/{FITS[fit]}", SOURCES[fit]
    exponents = {"alpha": f"{law}/alpha", "beta": f"{law}/beta"}

    def name(what: str) -> str:
        return f"scaling.{fit}_{what}"

    quantity(name("balance"), "1", source=source, **exponents, A=f"{law}/A", B=f"{law}/B")(balance)
    quantity(name("params"), "param", source=source, C="training.flop", G=name("balance"), **exponents)(best_params)
    quantity(name("tokens"), "token", source=source, C="training.flop", N=name("params"))(tokens_of)
    for size in ("active", "total"):
        inputs = {"N": f"model.{size}_params", "G": name("balance"), **exponents}
        quantity(name(f"tokens_{size}"), "token", source=source, **inputs)(best_tokens)
        declare_ratio(f"{fit}_ratio_{size}", source, name(f"tokens_{size}"))
    constants = {symbol: f"{law}/{symbol}" for symbol in LAW}
    quantity(name("loss"), "nat/token", source=source, N="model.active_params", D="training.tokens", **constants)(loss)


def declare_ratio(what: str, source: str, best: str) -> None:
    """Best tokens over stated tokens, as one quantity."""
    quantity(f"scaling.{what}", "x", source=source, D_best=best, D="training.tokens")(ratio)


for _fit in FITS:
    declare(_fit)


@quantity("scaling.rule_tokens_active", "token", source="hoffmann2022", N="model.active_params",
          r="catalog/constants/tokens-per-parameter/ratio")
@quantity("scaling.rule_tokens_total", "token", source="hoffmann2022", N="model.total_params",
          r="catalog/constants/tokens-per-parameter/ratio")
def rule_tokens(N: Num, r: Num) -> Num:
    """Tokens by the rule of thumb: twenty a parameter."""
    return r * N


declare_ratio("rule_ratio_active", "hoffmann2022", "scaling.rule_tokens_active")
declare_ratio("rule_ratio_total", "hoffmann2022", "scaling.rule_tokens_total")


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
