"""What eyes cost, counted on the toy beside the formulas, and Flamingo's own: parameters, FLOP, and cache."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gpt4lab import catalog
from gpt4lab.quantities.topics import vision
from gpt4lab.quantities.topics.flop import per_token
from gpt4lab.quantities.topics.kv import bytes_per_token
from gpt4lab.rows import Row
from gpt4lab.toys.core.transformer import count_parameters
from gpt4lab.toys.counting.flop import count_modules
from gpt4lab.toys.vision.captions import SIDE
from gpt4lab.toys.vision.model import Seeing

KEPT = ("attention.key", "attention.value")  # modules whose output a decoder keeps in its cache


def parameter_rows(model: Seeing) -> list[Row]:
    """Parameters of the inserted layers and of the resampler, and what Flamingo's paper says of its inserted layers.

    counted: of the tensors, gates too (the formulas leave them out). ratio: counted, or published, over the formula.
    Flamingo's 80 layers have room for 11 insertions before every seventh; the formula counts 80 / 7 of them.
    """
    c, every = model.language.config, model.plan.every
    (f, m), inserted = _published(), vision.params(c.d_model, c.n_layers, every)
    resampler = vision.resampler_params(1, c.d_model, c.n_heads, c.head_width, model.plan.latents)
    flamingo = vision.params(m.need("d_model"), m.need("n_layers"), f.every)
    return [
        _compared("cross-attention", _size(model.eyes.inserted), inserted),
        _compared("resampler", _size(model.eyes.resampler), resampler),
        _compared("Flamingo 80B, cross-attention", None, flamingo, f.cross_attention),
    ]


def flop_rows(model: Seeing, context: int = 32) -> list[Row]:
    """FLOP that eyes add to one forward pass: for each text token, and once for an image.

    counted by torch; `of_language`: over the 2N of a text token without eyes.
    """
    c, every, n = model.language.config, model.plan.every, model.plan.latents
    flop = count_modules(model, torch.zeros(1, context, dtype=torch.long), torch.zeros(1, SIDE**2))
    keys = _sum(flop, ".eyes.inserted.", KEPT)
    resampler = vision.resampler_flop(1, c.d_model, c.n_heads, c.head_width, n, SIDE**2)
    text = (_sum(flop, "Seeing.eyes.inserted.", ("attention", "feed_forward")) - keys) / context
    two_n = per_token(count_parameters(model.language).multiplied)
    weights = sum(p.numel() for name, p in model.eyes.encoder.named_parameters() if name.endswith("weight"))
    rows = [
        _compared("text token", text, vision.flop_per_text_token(c.d_model, c.n_layers, every, n)),
        _compared("image: encoder", flop["Seeing.eyes.encoder"], vision.encoder_flop(weights, SIDE**2)),
        _compared("image: resampler", flop["Seeing.eyes.resampler"], resampler),
        _compared("image: keys and values", keys, vision.keys_flop(c.d_model, c.n_layers, every, n)),
    ]
    return [{**row, "of_language": row["counted"] / two_n} for row in rows]


def cache_rows(model: Seeing, context: int = 32) -> list[Row]:
    """Text tokens whose keys and values take as much cache as those of one image, which fills the inserted layers only.

    Counted on the toy; for Flamingo 80B there is only the formula.
    """
    c, plan, f, m = model.language.config, model.plan, *_published()
    kept = _kept(model, context)
    text, image = (
        sum(n for name, n in kept.items() if name.startswith(part)) for part in ("language.", "eyes.inserted.")
    )
    toy = _image_in_tokens(plan.latents, plan.every, c.n_layers, c.n_heads, c.n_kv_heads, c.head_width)
    shape = (m.need(key) for key in ("n_layers", "n_heads", "n_kv_heads", "head_dim"))
    flamingo = _image_in_tokens(f.visual_tokens, f.every, *shape)
    return [
        {"latents": plan.latents, **_compared("toy", context * image / text, toy)},
        {"latents": f.visual_tokens, **_compared("Flamingo 80B", None, flamingo)},
    ]


def _published() -> tuple[catalog.Constants, catalog.Model]:
    return catalog.constants["flamingo-80b"], catalog.models["chinchilla-70b"]


def _compared(part: str, counted: float | None, formula: float, published: float | None = None) -> Row:
    found = published if counted is None else counted
    ratio = None if found is None else found / formula
    return {"part": part, "counted": counted, "formula": formula, "published": published, "ratio": ratio}


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _sum(flop: dict[str, int], inside: str, ends: tuple[str, ...]) -> int:
    return sum(n for name, n in flop.items() if inside in name and name.endswith(ends))


def _image_in_tokens(latents: float, every: float, layers: int, heads: int, kv_heads: int, width: int) -> float:
    """Cache of all latents in the inserted layers, over that of a text token in all layers."""
    one_latent = bytes_per_token(layers / every, heads, width, 1)
    return float(latents * one_latent / bytes_per_token(layers, kv_heads, width, 1))


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
