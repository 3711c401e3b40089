"""Experts: which of them a batch touches, and what the scaling laws say about having more.

The laws were fitted far below the size of the post's model and disagree there; each docstring says how far.
"""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, log
from gpt4lab.quantities.registry import again, constants, quantity


@quantity("moe.share_of_tokens", "fraction", source="fedus2021", k="model.top_k", E="model.experts")
def share_of_tokens(k: Num, E: Num) -> Num:
    """Share of all tokens that one expert sees when the load is balanced."""
    return k / E


@quantity("moe.idle_per_token", "fraction", source="fedus2021", k="model.top_k", E="model.experts")
def idle_per_token(k: Num, E: Num) -> Num:
    """Share of the experts that one token leaves idle."""
    return 1 - k / E


@quantity("moe.idle", "fraction", source="arithmetic", q="moe.idle_per_token", b="decode.micro_batch")
def idle(q: Num, b: Num) -> Num:
    """Share of the experts that none of b tokens needs, if each token chooses evenly and on its own.

    Real routers are less even, and tokens of one text choose alike: then more experts stay idle.
    """
    return q**b


@quantity("moe.touched", "fraction", source="arithmetic", q_b="moe.idle")
def touched(q_b: Num) -> Num:
    """Share of the experts that b tokens need together."""
    return 1 - q_b


@quantity("moe.experts_touched", "expert", source="arithmetic", E="model.experts", u="moe.touched")
def experts_touched(E: Num, u: Num) -> Num:
    """Experts of a layer whose weights a step must read."""
    return E * u


@quantity("moe.tokens_per_expert", "token/expert", source="fedus2021", b="decode.micro_batch", k="model.top_k",
          E="model.experts")
def tokens_per_expert(b: Num, k: Num, E: Num) -> Num:
    """Tokens of a decode step that one expert gets when the load is balanced."""
    return b * k / E


@quantity("moe.training_tokens_per_expert", "token/expert", source="arithmetic", D="training.tokens",
          phi="moe.share_of_tokens")
def training_tokens_per_expert(D: Num, phi: Num) -> Num:
    """Tokens that one expert saw in the whole training."""
    return D * phi


#: Name in quantities -> entry of `catalog.constants`.
ROUTINGS = {"s_base": "clark2022-s-base", "rl_r": "clark2022-rl-r", "hash": "clark2022-hash"}
_EACH = [{"routing": routing, "slug": slug} for routing, slug in ROUTINGS.items()]
_LUDZIEJEWSKI = "catalog/constants/ludziejewski2025"
_TOKENS = constants("ludziejewski2025", a="b", delta="omega", alpha="beta", gamma="zeta")
_OTHER = "The same with the other number of experts."


@quantity("moe.{routing}_experts", "expert", source="clark2022", each=_EACH, E="model.experts",
          **constants("{slug}", "E_start", "E_max"))
@quantity("moe.{routing}_other_experts", "expert", source="clark2022", each=_EACH, E="model.other_experts",
          **constants("{slug}", "E_start", "E_max"))
@quantity("moe.ludziejewski_experts", "expert", source="ludziejewski2025", E="model.experts",
          **constants("ludziejewski2025", "E_start", "E_max"))
def effective_experts(E: Num, E_start: Num, E_max: Num) -> Num:
    """Number of experts with which a routed model behaves as if more always helped: E, saturating at both ends."""
    return 1 / (1 / (E - 1 + 1 / (1 / E_start - 1 / E_max)) + 1 / E_max)


@quantity("moe.{routing}_gain", "fraction", source="clark2022", each=_EACH, E_other="moe.{routing}_other_experts",
          E_hat="moe.{routing}_experts", N="model.base_params", **constants("{slug}", "b", "c"))
def clark_gain(E_other: Num, E_hat: Num, N: Num, b: Num, c: Num) -> Num:
    """Change of the loss with the other number of experts, by Clark's law: negative is better.

    Fitted up to 1.3 billion base parameters and 130 billion tokens, with one expert a token (top-1), where the post
    has two. c is printed with one digit, so hold it to one percent beyond 100 billion.
    """
    return (E_other / E_hat) ** (b + c * log(N) / log(10)) - 1


@quantity("moe.{routing}_loss", "nat/token", source="clark2022", each=_EACH, E_hat="moe.{routing}_experts",
          N="model.base_params", **constants("{slug}", "a", "b", "c", "d"))
def clark_loss(E_hat: Num, N: Num, a: Num, b: Num, c: Num, d: Num) -> Num:
    """Loss of a base model of N parameters with E experts, by Clark's law (top-1; logarithms to base 10 assumed)."""
    return 10**d * N**a * E_hat ** (b + c * log(N) / log(10))


@quantity("moe.clark_dense_loss", "nat/token", source="clark2022", N="model.base_params",
          **constants("clark2022-dense", "N_c", "alpha"))
def clark_dense_loss(N: Num, N_c: Num, alpha: Num) -> Num:
    """Loss of the base model without experts, by Clark's law."""
    return (N_c / N) ** alpha


@quantity("moe.ludziejewski_params_term", "nat/token", source="ludziejewski2025", N="model.active_params",
          E_hat="moe.ludziejewski_experts", **constants("ludziejewski2025", "a", "delta", "alpha", "gamma"))
@quantity("moe.ludziejewski_tokens_term", "nat/token", source="ludziejewski2025",
          about="Loss that more tokens would remove, by Ludziejewski's law.", N="training.tokens",
          E_hat="moe.ludziejewski_experts", **_TOKENS)
@quantity("moe.ludziejewski_dense_tokens_term", "nat/token", source="ludziejewski2025",
          about="The same for a dense model: one expert counts as E_start.", N="training.tokens",
          E_hat=f"{_LUDZIEJEWSKI}/E_start", **_TOKENS)
def ludziejewski_term(N: Num, E_hat: Num, a: Num, delta: Num, alpha: Num, gamma: Num) -> Num:
    """Loss that more active parameters would remove, by Ludziejewski's law."""
    return a * E_hat**delta * N ** (alpha + gamma * log(E_hat))


@quantity("moe.ludziejewski_loss", "nat/token", source="ludziejewski2025", L_N="moe.ludziejewski_params_term",
          L_D="moe.ludziejewski_tokens_term", c=f"{_LUDZIEJEWSKI}/c")
def ludziejewski_loss(L_N: Num, L_D: Num, c: Num) -> Num:
    """Loss of the routed model, by Ludziejewski's law; fitted up to 2.7 billion active parameters."""
    return L_N + L_D + c


again({
    "moe.ludziejewski_experts": ("moe.ludziejewski_other_experts", ""),
    "moe.ludziejewski_params_term": ("moe.ludziejewski_other_params_term", _OTHER),
    "moe.ludziejewski_tokens_term": ("moe.ludziejewski_other_tokens_term", _OTHER),
    "moe.ludziejewski_loss": ("moe.ludziejewski_other_loss", _OTHER),
}, instead={"model.experts": "model.other_experts"})


@quantity("moe.dense_equivalent", "param", source="ludziejewski2025", L="moe.ludziejewski_loss",
          L_D="moe.ludziejewski_dense_tokens_term", c=f"{_LUDZIEJEWSKI}/c", E_hat=f"{_LUDZIEJEWSKI}/E_start",
          **constants("ludziejewski2025", "a", "delta", "alpha", "gamma"))
def dense_equivalent(L: Num, L_D: Num, c: Num, E_hat: Num, a: Num, delta: Num, alpha: Num, gamma: Num) -> Num:
    """Size of the dense model with the same loss after the same tokens, by Ludziejewski's law.

    An extrapolation by a factor of a hundred in active parameters.
    """
    return ((L - L_D - c) / (a * E_hat**delta)) ** (1 / (alpha + gamma * log(E_hat)))


@quantity("moe.abnar_loss", "nat/token", source="abnar2025", N="model.total_params", D="training.tokens",
          phi="moe.share_of_tokens",
          **constants("abnar2025", "a", "alpha", "b", "beta", "c", "lambda_", "d", "delta", "gamma", "e"))
def abnar_loss(
    N: Num, D: Num, phi: Num, a: Num, alpha: Num, b: Num, beta: Num, c: Num, lambda_: Num, d: Num, delta: Num,
    gamma: Num, e: Num,
) -> Num:
    """Loss by Abnar's law in total parameters and sparsity, phi = k/E; it explains 68% of held-out runs."""
    return a / N**alpha + b / D**beta + c / phi**lambda_ + d / (phi**delta * N**gamma) + e


@quantity("moe.abnar_best_share", "fraction", source="abnar2025", N="model.total_params",
          **constants("abnar2025", "c", "lambda_", "d", "delta", "gamma"))
def abnar_best_share(N: Num, c: Num, lambda_: Num, d: Num, delta: Num, gamma: Num) -> Num:
    """Share of the experts at which Abnar's loss is least for N total parameters; the minimum is very flat."""
    return (delta * d / (-lambda_ * c * N**gamma)) ** (1 / (delta - lambda_))


@quantity("moe.granularity", "x", source="krajewski2024", d="model.d_model", d_ff="model.d_ff")
def granularity(d: Num, d_ff: Num) -> Num:
    """How many times narrower an expert is than a usual feed-forward, four times as wide as the model."""
    return 4 * d / d_ff


@quantity("moe.krajewski_loss", "nat/token", source="krajewski2024", N="model.base_params", D="training.tokens",
          G="moe.granularity", **constants("krajewski2024", "a", "alpha", "b", "beta", "g", "gamma", "c"))
def krajewski_loss(N: Num, D: Num, G: Num, a: Num, alpha: Num, b: Num, beta: Num, g: Num, gamma: Num, c: Num) -> Num:
    """Loss by Krajewski's law at 64 experts for N base parameters: finer experts (larger G) are better.

    Fitted up to 3 billion parameters, G from 1 to 16, with 64 experts only.
    """
    return c + (g / G**gamma + a) / N**alpha + b / D**beta


@quantity("moe.krajewski_dense_loss", "nat/token", source="krajewski2024", N="model.base_params", D="training.tokens",
          **constants("krajewski2024-dense", "a", "alpha", "b", "beta", "c"))
def krajewski_dense_loss(N: Num, D: Num, a: Num, alpha: Num, b: Num, beta: Num, c: Num) -> Num:
    """Loss of the base model without experts, by Krajewski's law."""
    return c + a / N**alpha + b / D**beta
