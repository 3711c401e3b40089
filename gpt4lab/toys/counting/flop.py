"""Count the FLOP of a real forward pass with torch's own counter, and set them beside the formulas.

The counter watches every operation that torch runs, so it knows nothing of our formulas. Two kernels that run on a CPU
are missing from its list (attention and grouped matrix products) and would count as nothing: they are registered here.
On torch's meta device tensors have shapes but no numbers, so even a model with 1.8 trillion parameters can be counted.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gpt4lab import catalog
from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities.topics.flop import per_token, scores_per_token
from gpt4lab.quantities.topics.geometry import router_params
from gpt4lab.scenario.records import Model
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model, count_parameters

PARTS = ("attention projections", "attention scores", "feed-forward", "routers", "head")
COUNTER = "torch's counter, this machine"


def config_of(model: Model, kv_heads: int | None = None) -> ToyConfig:
    """A scenario's model as a model that can be built; `kv_heads` to try another attention on the same shape.

    Experts are d_ff wide, whatever `model.expert_params` says: counting shows whether the two agree.
    """
    return ToyConfig(
        d_model=model.d_model,
        n_layers=model.layers,
        n_heads=model.heads,
        n_kv_heads=kv_heads or model.kv_heads,
        d_ff=model.d_ff,
        n_experts=model.experts,
        top_k=model.top_k,
        vocabulary=model.vocab,
    )


def published_config(name: str = "gpt-3-175b") -> ToyConfig:
    """A dense model of the catalog with a plain two-matrix MLP and heads of d_model / n_heads."""
    m = catalog.models[name]
    if m.gated_mlp:
        raise ValueError(f"{name} has a gated MLP, which the toy has not")
    return ToyConfig(
        d_model=int(m.need("d_model")),
        n_layers=int(m.need("n_layers")),
        n_heads=int(m.need("n_heads")),
        n_kv_heads=int(m.need("n_kv_heads")),
        d_ff=int(m.need("d_ff")),
        vocabulary=int(m.need("vocab_size")),
    )


def count_flop(model: Transformer, context: int, batch: int = 1) -> dict[str, float]:
    """FLOP per token of one forward pass over `context` tokens, by part, as torch counts them (no causal saving)."""
    tokens = torch.zeros(batch, context, dtype=torch.long, device=model.head.weight.device)
    counted = count_modules(model, tokens)
    return _by_part({name: flop / tokens.numel() for name, flop in counted.items()})


@torch.no_grad()
def count_modules(model: nn.Module, *inputs: torch.Tensor) -> dict[str, int]:
    """FLOP of one forward pass by the name of the module, "Transformer.blocks.0.attention"; "Global" is the sum."""
    counter = FlopCounterMode(
        display=False,
        custom_mapping={
            torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flop,
            torch.ops.aten._grouped_mm: _grouped_flop,
        },
    )
    with counter:
        model(*inputs)
    return {name: sum(kinds.values()) for name, kinds in counter.get_flop_counts().items()}


def predict_flop(config: ToyConfig, context: int) -> dict[str, float]:
    """The same parts from the formulas of the book: 2 FLOP a weight, and the full square of attention scores."""
    layers, d, width = config.n_layers, config.d_model, config.head_width
    projections = layers * d * width * (2 * config.n_heads + 2 * config.n_kv_heads)
    parts = (
        per_token(projections),
        scores_per_token(layers, context, config.n_heads, width, width),
        per_token(layers * config.top_k * 2 * d * config.d_ff),
        per_token(router_params(config.n_experts, layers, d)),
        per_token(d * config.vocabulary),
    )
    return dict(zip(PARTS, map(float, parts), strict=True))


def flop_checks(config: ToyConfig, context: int) -> Checks:
    """FLOP per token of each part that the model has, and of all."""
    counted, predicted = count_flop(meta_model(config), context), predict_flop(config, context)
    counted["all"], predicted["all"] = sum(counted.values()), sum(predicted.values())
    return Checks(
        Check("FLOP per token", predicted[part], counted[part], "FLOP", COUNTER, part)
        for part in counted
        if predicted[part]
    )


def two_n_checks(name: str, config: ToyConfig, *contexts: int) -> Checks:
    """2N, where N counts the weights that one token multiplies, against the FLOP per token of each context."""
    model = meta_model(config)
    two_n = 2 * count_parameters(model).multiplied
    counts = {context: sum(count_flop(model, context).values()) for context in contexts}
    return Checks(Check("2N", two_n, flop, "FLOP", COUNTER, f"{name}, context {s:,}") for s, flop in counts.items())


def meta_model(config: ToyConfig) -> Transformer:
    """A model of any size without its numbers: shapes only, no memory."""
    with torch.device("meta"):
        return build_model(config)


def _by_part(modules: dict[str, float]) -> dict[str, float]:
    """From FLOP by module name to FLOP by part; what attention does beyond its projections are the scores."""

    def total(*ends: str) -> float:
        return sum(flop for name, flop in modules.items() if name.endswith(ends))

    projections = total("attention.query", "attention.key", "attention.value", "attention.out")
    routers = total("feed_forward.router")
    parts = (projections, total(".attention") - projections, total(".feed_forward") - routers, routers, total(".head"))
    return dict(zip(PARTS, parts, strict=True))


def _attention_flop(query: Any, key: Any, value: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    """Scores and weighted sum over the full square, as torch counts its other attention kernels."""
    batch, heads, time, width = query
    return 4 * batch * heads * time * key[2] * width


def _grouped_flop(rows: Any, weights: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    """Each row meets one expert's matrix."""
    return 2 * rows[0] * weights[-2] * weights[-1]
