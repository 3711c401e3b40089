"""What eyes cost, counted on the toy beside the formulas, and Flamingo's own: parameters, FLOP, and cache."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gpt4lab import catalog
from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities.topics import vision
from gpt4lab.quantities.topics.kv import bytes_per_token, kept_values
from gpt4lab.toys.counting.flop import COUNTER, count_modules
from gpt4lab.toys.vision.captions import SIDE
from gpt4lab.toys.vision.model import Seeing

KEPT = ("attention.key", "attention.value")  # modules whose output a decoder keeps in its cache


def parameter_checks(model: Seeing) -> Checks:
    """Parameters of the inserted layers and of the resampler, and what Flamingo's paper says of its inserted layers.

    The tensors have gates, which the formulas leave out.
    """
    c = model.language.config
    (f, m), inserted = _published(), vision.params(c.d_model, _inserts(model))
    resampler = vision.resampler_params(1, c.d_model, c.n_heads, c.head_width, model.plan.latents)
    flamingo = vision.params(m.need("d_model"), vision.inserts(m.need("n_layers"), f.every))
    source = f.source_of("cross_attention").reference
    return Checks(
        (
            Check("cross-attention", inserted, _size(model.eyes.inserted), "param"),
            Check("resampler", resampler, _size(model.eyes.resampler), "param"),
            Check("cross-attention", flamingo, f.cross_attention, "param", source, "Flamingo 80B"),
        )
    )


def flop_checks(model: Seeing, context: int = 32) -> Checks:
    """FLOP that eyes add to one forward pass: for each text token, and once for an image."""
    c, n = model.language.config, model.plan.latents
    flop = count_modules(model, torch.zeros(1, context, dtype=torch.long), torch.zeros(1, SIDE**2))
    keys = _sum(flop, ".eyes.inserted.", KEPT)
    resampler = vision.resampler_flop(1, c.d_model, c.n_heads, c.head_width, n, SIDE**2)
    text = (_sum(flop, "Seeing.eyes.inserted.", ("attention", "feed_forward")) - keys) / context
    weights = sum(p.numel() for name, p in model.eyes.encoder.named_parameters() if name.endswith("weight"))
    encoder = vision.encoder_flop(weights, SIDE**2)
    pairs = {
        "text token": (vision.flop_per_text_token(c.d_model, _inserts(model), n), text),
        "image: encoder": (encoder, flop["Seeing.eyes.encoder"]),
        "image: resampler": (resampler, flop["Seeing.eyes.resampler"]),
        "image: keys and values": (vision.keys_flop(c.d_model, _inserts(model), n), keys),
    }
    return Checks(Check("FLOP added", said, found, "FLOP", COUNTER, part) for part, (said, found) in pairs.items())


def cache_check(model: Seeing, context: int = 32) -> Check:
    """Text tokens whose keys and values take as much cache as those of one image."""
    c, plan, kept = model.language.config, model.plan, _kept(model, context)
    text, image = (
        sum(n for name, n in kept.items() if name.startswith(part)) for part in ("language.", "eyes.inserted.")
    )
    predicted = image_in_tokens(plan.latents, plan.every, c.n_layers, c.n_heads, c.n_kv_heads, c.head_width)
    return Check("cache of one image", predicted, context * image / text, "token")


def flamingo_image_in_tokens() -> float:
    """The same by the formula for Flamingo 80B, of which nobody has published it."""
    f, m = _published()
    shape = (m.need(key) for key in ("n_layers", "n_heads", "n_kv_heads", "head_dim"))
    return image_in_tokens(f.visual_tokens, f.every, *shape)


def _inserts(model: Seeing) -> float:
    return vision.inserts(model.language.config.n_layers, model.plan.every)


def _published() -> tuple[catalog.Constants, catalog.PublishedModel]:
    return catalog.constants["flamingo-80b"], catalog.models["chinchilla-70b"]


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _sum(flop: dict[str, int], inside: str, ends: tuple[str, ...]) -> int:
    return sum(n for name, n in flop.items() if inside in name and name.endswith(ends))


def image_in_tokens(latents: float, every: float, layers: int, heads: int, kv_heads: int, width: int) -> float:
    """Cache of all latents of an image, in the inserted layers only, over that of a text token in all layers."""
    one_latent = bytes_per_token(vision.inserts(layers, every), kept_values(0, 0, heads, width), 1)
    return float(latents * one_latent / bytes_per_token(layers, kept_values(0, 0, kv_heads, width), 1))


@torch.no_grad()
def _kept(model: Seeing, context: int) -> dict[str, int]:
    """Numbers that each key and value projection makes of one text and one image."""
    kept: dict[str, int] = {}

    def keep(name: str) -> torch.utils.hooks.RemovableHandle:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            kept[name] = output.numel()

        return model.get_submodule(name).register_forward_hook(hook)

    handles = [keep(name) for name, _ in model.named_modules() if name.endswith(KEPT)]
    model(torch.zeros(1, context, dtype=torch.long), torch.zeros(1, SIDE**2))
    for handle in handles:
        handle.remove()
    return kept
