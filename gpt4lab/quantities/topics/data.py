"""Tokens: where they could come from, how often each is seen, and what seeing it again is worth."""

from __future__ import annotations

from gpt4lab.formulas.arith import Num, exp, maximum, minimum
from gpt4lab.quantities.registry import constants, quantity
from gpt4lab.quantities.topics import scaling


@quantity("data.text_tokens", "token", source="arithmetic", T="data.web_tokens", B="data.books_tokens",
          u_B="data.books_used", P="data.papers_tokens", u_P="data.papers_used", X="data.textbooks_tokens",
          u_X="data.textbooks_used", S="data.speech_tokens", u_S="data.speech_used")
def text_tokens(T: Num, B: Num, u_B: Num, P: Num, u_P: Num, X: Num, u_X: Num, S: Num, u_S: Num) -> Num:
    """Different tokens of text in the mix: the web, and the used share of books, papers, textbooks and speech."""
    return T + B * u_B + P * u_P + X * u_X + S * u_S


@quantity("data.tokens_seen", "token", source="arithmetic", T="data.text_tokens", e_T="data.text_epochs",
          K="data.code_tokens", e_K="data.code_epochs")
def tokens_seen(T: Num, e_T: Num, K: Num, e_K: Num) -> Num:
    """Tokens seen, epochs counted: text and code, each times its epochs."""
    return T * e_T + K * e_K


@quantity("data.unique_tokens", "token", source="arithmetic", T="data.text_tokens", K="data.code_tokens")
def unique_tokens(T: Num, K: Num) -> Num:
    """Different tokens in the mix."""
    return T + K


@quantity("data.hole", "token", source="arithmetic", D="training.tokens", S="data.tokens_seen")
def hole(D: Num, S: Num) -> Num:
    """Tokens that the sources leave open; below zero they are too many."""
    return D - S


@quantity("data.unique_if_code", "token", source="arithmetic", D="training.tokens", e="data.code_epochs",
          about="Different tokens if everything seen were code.")
@quantity("data.unique_if_text", "token", source="arithmetic", D="training.tokens", e="data.text_epochs")
def unique_if_text(D: Num, e: Num) -> Num:
    """Different tokens if everything seen were text."""
    return D / e


@quantity("data.unexplained", "token", source="arithmetic", D="training.tokens", T="data.web_tokens",
          e_T="data.text_epochs")
def unexplained(D: Num, T: Num, e_T: Num) -> Num:
    """Tokens seen that web text does not account for."""
    return D - T * e_T


@quantity("data.unexplained_least", "token", source="arithmetic", D="training.tokens", T="data.web_tokens",
          e_T="data.text_epochs")
def unexplained_least(D: Num, T: Num, e_T: Num) -> Num:
    """The same at least, where both numbers are only as exact as they are written: to half a trillion."""
    return D - 0.5e12 - (T + 0.5e12) * e_T


@quantity("data.unexplained_most", "token", source="arithmetic", D="training.tokens", T="data.web_tokens",
          e_T="data.text_epochs")
def unexplained_most(D: Num, T: Num, e_T: Num) -> Num:
    """The same at most, where both numbers are only as exact as they are written: to half a trillion."""
    return D + 0.5e12 - (T - 0.5e12) * e_T


@quantity("data.effective_text", "token", source="muennighoff2023", U="data.text_tokens", e="data.text_epochs",
          R_star="catalog/constants/repetition/R_D_star")
@quantity("data.effective_code", "token", source="muennighoff2023", U="data.code_tokens", e="data.code_epochs",
          R_star="catalog/constants/repetition/R_D_star")
def effective(U: Num, e: Num, R_star: Num) -> Num:
    """Fresh tokens that would teach as much: each repetition is worth a little less than the one before.

    Fitted on models up to 9 billion parameters and 900 billion tokens, trained with dropout and weight decay.
    """
    return U + U * R_star * (1 - exp(-(e - 1) / R_star))


@quantity("data.effective_tokens", "token", source="muennighoff2023", D_T="data.effective_text",
          D_K="data.effective_code")
def effective_tokens(D_T: Num, D_K: Num) -> Num:
    """Fresh tokens that would teach as much as the whole mix."""
    return D_T + D_K


@quantity("data.worth", "fraction", source="muennighoff2023", D_eff="data.effective_tokens", D="data.tokens_seen")
def worth(D_eff: Num, D: Num) -> Num:
    """Share of its worth that the mix keeps although it repeats itself."""
    return D_eff / D


_REPEATED = "catalog/constants/repetition"


@quantity("data.supported_params", "param", source="muennighoff2023", U="data.unique_tokens",
          u=f"{_REPEATED}/U_N_per_U_D")
def supported_params(U: Num, u: Num) -> Num:
    """Parameters that so many different tokens can make full use of."""
    return u * U


@quantity("data.effective_params", "param", source="muennighoff2023", N="model.active_params",
          U="data.supported_params", R_star=f"{_REPEATED}/R_N_star")
def effective_params(N: Num, U: Num, R_star: Num) -> Num:
    """Parameters that would do as much with fresh tokens: those beyond the supported ones are worth less and less."""
    return minimum(N, U) + U * R_star * (1 - exp(-maximum(N / U - 1, 0) / R_star))


quantity("data.repeated_loss", "nat/token", source="muennighoff2023", N="data.effective_params",
         D="data.effective_tokens", **constants("muennighoff2023", *scaling.LAW),
         about="Loss with the mix's repetitions, by the law that was fitted with them.")(scaling.loss)


@quantity("data.instruction_tokens", "token", source="arithmetic", n="data.instruction_rows", t="data.tokens_per_row")
def instruction_tokens(n: Num, t: Num) -> Num:
    """Tokens of instruction data."""
    return n * t


@quantity("data.instruction_share", "fraction", source="arithmetic", n="data.instruction_rows", t="data.tokens_per_row",
          D="training.tokens")
@quantity("data.textbook_share", "fraction", source="arithmetic", about="Textbooks, as a share of all tokens.",
          n="data.textbooks", t="data.tokens_per_textbook", D="training.tokens")
def instruction_share(n: Num, t: Num, D: Num) -> Num:
    """Instruction data, as a share of all tokens."""
    return n * t / D


@quantity("data.books_tokens", "token", source="arithmetic", n="data.books", t="data.tokens_per_book")
@quantity("data.papers_tokens", "token", source="arithmetic", n="data.papers", t="data.tokens_per_paper",
          about="Different tokens in the papers of the shadow library.")
@quantity("data.textbooks_tokens", "token", source="arithmetic", n="data.textbooks", t="data.tokens_per_textbook",
          about="Different tokens in the college textbooks.")
def books_tokens(n: Num, t: Num) -> Num:
    """Different tokens in the books of the shadow library."""
    return n * t


@quantity("data.web_seen", "token", source="arithmetic", K="data.web_tokens", e="data.text_epochs",
          about="Tokens seen of web text.")
@quantity("data.code_seen", "token", source="arithmetic", K="data.code_tokens", e="data.code_epochs",
          about="Tokens seen of the mix's code.")
@quantity("data.repository_seen", "token", source="lozhkov2024", K="data.repository_tokens", e="data.code_epochs")
def repository_seen(K: Num, e: Num) -> Num:
    """Tokens seen if all public code were in the mix."""
    return K * e


@quantity("data.books_seen", "token", source="arithmetic", U="data.books_tokens", u="data.books_used",
          e="data.text_epochs", about="Tokens seen of books.")
@quantity("data.papers_seen", "token", source="arithmetic", U="data.papers_tokens", u="data.papers_used",
          e="data.text_epochs", about="Tokens seen of papers.")
@quantity("data.textbooks_seen", "token", source="arithmetic", U="data.textbooks_tokens", u="data.textbooks_used",
          e="data.text_epochs", about="Tokens seen of textbooks.")
@quantity("data.speech_seen", "token", source="arithmetic", U="data.speech_tokens", u="data.speech_used",
          e="data.text_epochs")
def speech_seen(U: Num, u: Num, e: Num) -> Num:
    """Tokens seen of transcribed speech."""
    return U * u * e


@quantity("data.shadow_seen", "token", source="arithmetic", B="data.books_tokens", P="data.papers_tokens",
          e="data.text_epochs", G="data.repository_seen")
def shadow_seen(B: Num, P: Num, e: Num, G: Num) -> Num:
    """Tokens seen if books, papers and all public code were in the mix."""
    return (B + P) * e + G


@quantity("data.speech_tokens", "token", source="nyt2024", h="data.video_hours", v="data.words_per_minute",
          w="data.words_per_token")
def speech_tokens(h: Num, v: Num, w: Num) -> Num:
    """Tokens in the transcribed speech of the videos."""
    return h * 60 * v / w
