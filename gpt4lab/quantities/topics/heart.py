"""By heart: what GPT-4 knew of a problem by its number alone, and how much a model can hold at all."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num
from gpt4lab.quantities.registry import constants, quantity
from gpt4lab.units import BITS_PER_NAT


@quantity("heart.known", "fraction", source="roberts2024", k="heart.copies", **constants("roberts2024-gpt4", "h", "a"))
def known(k: Num, h: Num, a: Num) -> Num:
    """Chance that GPT-4 answers by its number a problem that so many repositories hold; unmoved, a famous one.

    A curve that this book fits to the published answers.
    """
    return 1 / (1 + (h / k) ** a)


@quantity("heart.known_of_all", "fraction", source="roberts2024", p="catalog/constants/roberts2024-gpt4/p")
def known_of_all(p: Num) -> Num:
    """Share of all problems before its cut-off that GPT-4 answered by their numbers alone."""
    return 1 * p


@quantity("heart.famous", "1", source="roberts2024", **constants("roberts2024-gpt4", "n_f"))
def famous(n_f: Num) -> Num:
    """Problems from before the cut-off that 5,000 repositories or more hold."""
    return 1 * n_f


@quantity("heart.famous_right", "1", source="roberts2024", **constants("roberts2024-gpt4", "r_f"))
def famous_right(r_f: Num) -> Num:
    """Those of them that GPT-4 answered by their numbers alone."""
    return 1 * r_f


@quantity("heart.known_of_famous", "fraction", source="arithmetic", r="heart.famous_right", n="heart.famous")
def known_of_famous(r: Num, n: Num) -> Num:
    """Share that GPT-4 answered by their numbers of the problems that 5,000 repositories or more hold: counted."""
    return r / n


@quantity("heart.rare", "1", source="roberts2024", **constants("roberts2024-gpt4", "n_r"))
def rare(n_r: Num) -> Num:
    """Problems from before the cut-off that 600 to 799 repositories hold."""
    return 1 * n_r


@quantity("heart.rare_right", "1", source="roberts2024", **constants("roberts2024-gpt4", "r_r"))
def rare_right(r_r: Num) -> Num:
    """Those of them that GPT-4 answered by their numbers alone."""
    return 1 * r_r


@quantity("heart.known_of_rare", "fraction", source="arithmetic", r="heart.rare_right", n="heart.rare")
def known_of_rare(r: Num, n: Num) -> Num:
    """Share that GPT-4 answered by their numbers of the problems that 600 to 799 repositories hold: counted."""
    return r / n


@quantity(
    "heart.story",
    "fraction",
    source="arithmetic",
    s="heart.elsewhere",
    h="heart.half",
    k="heart.copies",
    a="catalog/constants/roberts2024-gpt4/a",
)
def story(s: Num, h: Num, k: Num, a: Num) -> Num:
    """Chance that an answer is known, if a share is known however few copies there are, and the web taught the rest."""
    return s + (1 - s) / (1 + (h / k) ** a)


@quantity("heart.capacity", "bit", source="morris2025", c="heart.bits", N="model.total_params")
def capacity(c: Num, N: Num) -> Num:
    """What a model can hold by heart, if all its parameters hold as much as those of a small dense one."""
    return c * N


@quantity("heart.text", "bit", source="arithmetic", U="data.unique_tokens", L="scaling.besiroglu_loss")
def text(U: Num, L: Num) -> Num:
    """What is new in all different tokens of the training text, to a model that predicts them this well."""
    return U * L * BITS_PER_NAT


@quantity("heart.offered", "bit/param", source="arithmetic", T="heart.text", N="model.total_params")
def offered(T: Num, N: Num) -> Num:
    """Bits of text for each parameter of the model."""
    return T / N


@quantity("heart.room", "fraction", source="arithmetic", C="heart.capacity", T="heart.text")
def room(C: Num, T: Num) -> Num:
    """Share of the training text that the model could hold, if it held nothing else."""
    return C / T
