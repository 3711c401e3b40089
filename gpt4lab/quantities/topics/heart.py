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


#: Two kinds of problems that were counted, not fitted: both ends of the curve.
COUNTED = (
    {"all": "heart.famous", "right": "heart.famous_right", "share": "heart.known_of_famous", "n": "n_f", "r": "r_f",
     "held_by": "5,000 repositories or more"},
    {"all": "heart.rare", "right": "heart.rare_right", "share": "heart.known_of_rare", "n": "n_r", "r": "r_r",
     "held_by": "600 to 799 repositories"},
)
ANSWERS = "catalog/constants/roberts2024-gpt4"


@quantity("{all}", "1", source="roberts2024", each=COUNTED, n=f"{ANSWERS}/{{n}}",
          about="Problems from before the cut-off that {held_by} hold.")
@quantity("{right}", "1", source="roberts2024", each=COUNTED, n=f"{ANSWERS}/{{r}}",
          about="Those that GPT-4 answered by their numbers alone, of the problems that {held_by} hold.")
def counted(n: Num) -> Num:
    """How many there are."""
    return 1 * n


@quantity("{share}", "fraction", source="arithmetic", each=COUNTED, r="{right}", n="{all}",
          about="Share that GPT-4 answered by their numbers of the problems that {held_by} hold: counted.")
def known_of_counted(r: Num, n: Num) -> Num:
    """Share that was answered."""
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
