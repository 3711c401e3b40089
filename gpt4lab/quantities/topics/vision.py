"""Eyes: gated cross-attention after Flamingo, its parameters, its FLOP and its training; and tokens from pictures.

An encoder makes features of an image's patches, a resampler a few visual tokens of the features, and gated
cross-attention between the layers of the language model lets text look at them (Alayrac 2022). Left out: norms, biases,
gates, positions in time, and the projection between encoder and resampler.
"""

from __future__ import annotations

from math import ceil, inf

from gpt4lab import catalog
from gpt4lab.formulas.arith import Num, maximum
from gpt4lab.formulas.arith import ceil as up
from gpt4lab.quantities.registry import quantity
from gpt4lab.quantities.topics import training
from gpt4lab.scenario import ScenarioError

_RESAMPLER = "catalog/constants/flamingo-resampler"


@quantity("vision.inserts", "layer", source="alayrac2022", L="model.layers", every="vision.every")
def inserts(L: Num, every: Num) -> Num:
    """Cross-attention layers: one before the first block, and one before every so-many-th from there."""
    return up(L / every)


@quantity("vision.params", "param", source="alayrac2022", d="model.d_model", n_x="vision.inserts")
def params(d: Num, n_x: Num) -> Num:
    """Gated cross-attention: 4 d² of attention and 8 d² of feed-forward at each insertion.

    For Flamingo's three sizes it gives 1.2, 2.0 and 9.7 billion; the paper says 1.2, 1.6 and 10.
    """
    return 12 * d**2 * n_x


@quantity("vision.slim_params", "param", source="alayrac2022", d="model.d_model", n_x="vision.inserts",
          d_v=f"{_RESAMPLER}/d")
def slim_params(d: Num, n_x: Num, d_v: Num) -> Num:
    """The same, if keys and values are made of visual tokens that are as narrow as the resampler."""
    return (10 * d**2 + 2 * d * d_v) * n_x


@quantity("vision.share_of_all", "fraction", source="arithmetic", N="vision.params", N_act="model.total_params",
          about="Parameters that vision adds, over all that were there before.")
@quantity("vision.share_of_active", "fraction", source="arithmetic", N="vision.params", N_act="model.active_params")
def share_of_active(N: Num, N_act: Num) -> Num:
    """Parameters that vision adds, over those that a token passes through without it."""
    return N / N_act


quantity("vision.flop", "FLOP", source="kaplan2020", N="model.active_params", D="vision.tokens",
         about="Compute of the added training, if all weights of the language model learn; about two thirds if frozen.",
         )(training.flop)


@quantity("vision.frozen_flop", "FLOP", source="kaplan2020", N="model.active_params", D="vision.tokens")
def frozen_flop(N: Num, D: Num) -> Num:
    """The same with a frozen language model: forward, and back through it to the new layers; its weights get none."""
    return 4 * N * D


@quantity("vision.new_flop", "FLOP", source="alayrac2022", F="vision.flop_per_text_token", D="vision.tokens")
def new_flop(F: Num, D: Num) -> Num:
    """What the cross-attention layers themselves add to it, which always learn; forward and backward."""
    return 3 * F * D


@quantity("vision.frozen_share", "fraction", source="arithmetic", C_v="vision.frozen_flop", C="training.flop",
          about="Compute of the added training over that of the text, with a frozen language model.")
@quantity("vision.flop_share", "fraction", source="arithmetic", C_v="vision.flop", C="training.flop")
def flop_share(C_v: Num, C: Num) -> Num:
    """Compute of the added training over that of the text."""
    return C_v / C


@quantity("vision.days", "day", source="arithmetic", t="training.days", phi="vision.flop_share")
@quantity("vision.cost", "USD", source="arithmetic", t="training.cost", phi="vision.flop_share",
          about="Cost of the added training on the same machines.")
@quantity("vision.frozen_cost", "USD", source="arithmetic", t="training.cost", phi="vision.frozen_share",
          about="Cost of the added training on the same machines, with a frozen language model.")
def days(t: Num, phi: Num) -> Num:
    """Days that the added training takes on the same machines."""
    return t * phi


# --- parts ------------------------------------------------------------------------------------------------------------


@quantity("vision.resampler_params", "param", source="alayrac2022", L=f"{_RESAMPLER}/layers", d=f"{_RESAMPLER}/d",
          a=f"{_RESAMPLER}/heads", d_h=f"{_RESAMPLER}/head_dim", n=f"{_RESAMPLER}/latents")
def resampler_params(L: Num, d: Num, a: Num, d_h: Num, n: Num) -> Num:
    """Flamingo's perceiver resampler: attention with heads of their own size, feed-forward, latents."""
    return L * (4 * d * a * d_h + 8 * d**2) + n * d


@quantity("vision.added_params", "param", source="alayrac2022", N="vision.params", N_r="vision.resampler_params",
          N_v="catalog/constants/flamingo-80b/vision_encoder")
def added_params(N: Num, N_r: Num, N_v: Num) -> Num:
    """All that eyes add: cross-attention, and Flamingo's own resampler and encoder."""
    return N + N_r + N_v


@quantity("vision.flop_per_text_token", "FLOP/token", source="alayrac2022", d="model.d_model", n_x="vision.inserts",
          n="vision.tokens_per_image")
def flop_per_text_token(d: Num, n_x: Num, n: Num) -> Num:
    """Cross-attention's forward pass for a text token: query, output and feed-forward, and n visual tokens seen."""
    return (20 * d**2 + 4 * n * d) * n_x


@quantity("vision.work_share", "fraction", source="arithmetic", F="vision.flop_per_text_token",
          N="model.active_params")
def work_share(F: Num, N: Num) -> Num:
    """Work that cross-attention adds to a text token, over that of the weights it met before."""
    return F / (2 * N)


@quantity("vision.patches", "1", source="arithmetic", s="vision.side", p="vision.patch")
def patches(s: Num, p: Num) -> Num:
    """Patches of a square image: what the encoder makes features of."""
    return (s / p) ** 2


@quantity("vision.encoder_flop", "FLOP", source="kaplan2020", N="catalog/constants/flamingo-80b/vision_encoder",
          m="vision.patches")
def encoder_flop(N: Num, m: Num) -> Num:
    """Forward pass of the encoder for one image, if every weight meets every patch, as in a vision transformer."""
    return 2 * N * m


@quantity("vision.resampler_flop", "FLOP", source="alayrac2022", L=f"{_RESAMPLER}/layers", d=f"{_RESAMPLER}/d",
          a=f"{_RESAMPLER}/heads", d_h=f"{_RESAMPLER}/head_dim", n="vision.tokens_per_image", m="vision.patches")
def resampler_flop(L: Num, d: Num, a: Num, d_h: Num, n: Num, m: Num) -> Num:
    """Forward pass of the resampler for one image of m features and n latents, which it attends to both."""
    return L * (n * (4 * d * a * d_h + 16 * d**2) + (m + n) * (4 * d * a * d_h + 4 * n * a * d_h))


@quantity("vision.keys_flop", "FLOP", source="alayrac2022", d="model.d_model", n_x="vision.inserts",
          n="vision.tokens_per_image")
def keys_flop(d: Num, n_x: Num, n: Num) -> Num:
    """Keys and values of one image's visual tokens, in every cross-attention."""
    return 4 * d**2 * n * n_x


@quantity("vision.flop_per_image", "FLOP", source="arithmetic", F_v="vision.encoder_flop", F_r="vision.resampler_flop",
          F_k="vision.keys_flop")
def flop_per_image(F_v: Num, F_r: Num, F_k: Num) -> Num:
    """Forward pass of one image up to where text can look at it."""
    return F_v + F_r + F_k


# --- prepend or attend ------------------------------------------------------------------------------------------------

_PRICED = "catalog/constants/openai-image-tokens/tile"


@quantity("vision.tile_flop", "FLOP", source="kaplan2020", N="model.active_params", n=_PRICED)
def tile_flop(N: Num, n: Num) -> Num:
    """Forward pass of a tile whose tokens stand before the text, so that each goes through the whole model."""
    return 2 * N * n


@quantity("vision.attended_flop", "FLOP", source="alayrac2022", F_i="vision.flop_per_image",
          F="vision.flop_per_text_token", T="vision.text_tokens")
def attended_flop(F_i: Num, F: Num, T: Num) -> Num:
    """What an image costs by cross-attention: once, and for each text token that looks at it."""
    return F_i + F * T


@quantity("vision.worth", "token", source="arithmetic", F="vision.attended_flop", N="model.active_params")
@quantity("vision.image_worth", "token", source="arithmetic", F="vision.flop_per_image", N="model.active_params",
          about="Text tokens whose forward pass costs as much as an image up to where text can look at it.")
def worth(F: Num, N: Num) -> Num:
    """Text tokens whose forward pass costs as much as an image does by cross-attention, its readers included."""
    return F / (2 * N)


@quantity("vision.priced_tokens", "token", source="openai-vision", n=_PRICED)
def priced_tokens(n: Num) -> Num:
    """Tokens that OpenAI's API of 2023 charges for a tile of 512 pixels."""
    return n


@quantity("vision.even_tokens", "token", source="arithmetic", F_p="vision.tile_flop", F_i="vision.flop_per_image",
          F="vision.flop_per_text_token")
def even_tokens(F_p: Num, F_i: Num, F: Num) -> Num:
    """Text tokens that look at an image before cross-attention has cost as much as a prepended tile."""
    return maximum(F_p - F_i, 0) / F


@quantity("vision.image_cache", "byte", source="alayrac2022", d="model.d_model", n_x="vision.inserts",
          n="vision.tokens_per_image", w="serving.bytes_per_kv")
def image_cache(d: Num, n_x: Num, n: Num, w: Num) -> Num:
    """Keys and values of an image's visual tokens in every cross-attention, a head each as in Flamingo."""
    return 2 * d * n * n_x * w


@quantity("vision.tile_cache", "byte", source="arithmetic", c="kv.bytes_per_token", n=_PRICED)
def tile_cache(c: Num, n: Num) -> Num:
    """Keys and values of a tile whose tokens stand before the text."""
    return c * n


# --- tokens from pictures ---------------------------------------------------------------------------------------------


@quantity("vision.screenshot_tokens", "token", source="arithmetic", n="vision.screenshots", t="vision.tokens_per_image")
@quantity("vision.page_tokens", "token", source="arithmetic", n="vision.pages", t="vision.tokens_per_image",
          about="Visual tokens of all rendered pages of LaTeX and text.")
def screenshot_tokens(n: Num, t: Num) -> Num:
    """Visual tokens of all screenshots."""
    return n * t


@quantity("vision.frame_tokens", "token", source="alayrac2022", h="data.video_hours", f="vision.frames_per_second",
          t="vision.tokens_per_image")
def frame_tokens(h: Num, f: Num, t: Num) -> Num:
    """Visual tokens of all frames of the videos; their speech is counted apart."""
    return h * 3600 * f * t


@quantity("vision.named_tokens", "token", source="arithmetic", S="vision.screenshot_tokens", P="vision.page_tokens",
          V="vision.frame_tokens", W="data.speech_tokens")
def named_tokens(S: Num, P: Num, V: Num, W: Num) -> Num:
    """Tokens of all that the post names: screenshots, pages, frames and speech."""
    return S + P + V + W


@quantity("vision.explained", "fraction", source="arithmetic", D_n="vision.named_tokens", D="vision.tokens")
def explained(D_n: Num, D: Num) -> Num:
    """Tokens of screenshots, pages, frames and speech, over those of the added training."""
    return D_n / D


@quantity("vision.images_needed", "1", source="arithmetic", D="vision.tokens", t="vision.tokens_per_image")
def images_needed(D: Num, t: Num) -> Num:
    """Images whose tokens would make up the added training."""
    return D / t


def tile_tokens(width: float, height: float) -> int:
    """Tokens of an image by the rule of OpenAI's API of 2023: a base, and so many for each tile of 512 pixels.

    Raises
    ------
    ScenarioError : for a side that is not positive and finite.
    """
    for name, pixels in (("width", width), ("height", height)):
        if not 0 < pixels < inf:
            raise ScenarioError(f"{name} = {pixels!r} is out of range; allowed: above 0 pixel, finite.")
    rule = catalog.constants["openai-image-tokens"]
    fitted = min(1, rule.longest / max(width, height))
    scale = fitted * min(1, rule.shortest / (fitted * min(width, height)))
    tiles = ceil(width * scale / rule.tile_side) * ceil(height * scale / rule.tile_side)
    return round(rule.base + rule.tile * tiles)
