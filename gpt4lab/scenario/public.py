"""The public models as scenarios, made from the catalog, so that no number is typed twice.

A scenario knows two sizes: one expert, and what all tokens share. For a mixture both follow from the published totals,
total = E x + shared and active = k x + shared. A dense model is one expert, its feed-forward, and the rest is shared.
What a model's makers did not publish stays as in the post.
"""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog


def public_models() -> list[str]:
    """Names of the catalog's models whose size, layers and tokens are known. The post's own entries are left out."""
    needed = ("params_total", "params_active", "n_layers", "training_tokens")
    return [
        key
        for key, model in catalog.models.items()
        if all(getattr(model, field) for field in needed) and not key.startswith("gpt-4")
    ]


def changes_for(name: str) -> dict[str, Any]:
    """What differs from the post in a public model's scenario, by dotted path."""
    model = catalog.models[name]
    expert, shared = _sizes(model)
    found = {
        "model.experts": model.n_experts or 1,
        "model.top_k": model.top_k or 1,
        "model.expert_params": expert,
        "model.shared_params": shared,
        "model.layers": model.n_layers,
        "model.d_model": model.d_model,
        "model.d_ff": model.expert_d_ff or model.d_ff,
        "model.heads": model.n_heads,
        "model.kv_heads": model.n_kv_heads,
        "model.head_dim": model.head_dim,
        "model.vocab": model.vocab_size,
        "model.context": model.context,
        "training.tokens": model.training_tokens,
        "training.batch_tokens": model.batch_tokens,
        "training.mfu": model.mfu,
    }
    return {path: value for path, value in found.items() if value is not None}


def _sizes(model: catalog.PublishedModel) -> tuple[float, float]:
    """(parameters of one expert over all layers, parameters that every token uses)."""
    total, active = model.need("params_total"), model.need("params_active")
    if model.n_experts:
        expert = (total - active) / (model.n_experts - (model.top_k or 1))
        return expert, total - model.n_experts * expert
    matrices = 3 if model.gated_mlp else 2
    feed_forward = matrices * model.need("n_layers") * model.need("d_model") * model.need("d_ff")
    return feed_forward, total - feed_forward
