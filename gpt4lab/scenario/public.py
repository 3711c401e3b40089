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


#: Both sizes of a scenario follow from these two totals.
TOTALS = ("params_total", "params_active")
#: Field -> the facts of a catalog entry that say it: the first that is published, and for the sizes both totals.
FACTS = {
    "model.experts": ("n_experts",),
    "model.top_k": ("top_k",),
    "model.expert_params": TOTALS,
    "model.shared_params": TOTALS,
    "model.layers": ("n_layers",),
    "model.d_model": ("d_model",),
    "model.d_ff": ("expert_d_ff", "d_ff"),
    "model.heads": ("n_heads",),
    "model.kv_heads": ("n_kv_heads",),
    "model.head_dim": ("head_dim",),
    "model.vocab": ("vocab_size",),
    "model.context": ("context",),
    "training.tokens": ("training_tokens",),
    "training.batch_tokens": ("batch_tokens",),
    "training.mfu": ("mfu",),
}


def changes_for(name: str) -> dict[str, Any]:
    """What differs from the post in a public model's scenario, by dotted path."""
    model = catalog.models[name]
    expert, shared = _sizes(model)
    found = {path: getattr(model, facts_behind(model, path)[0]) for path in FACTS}
    found |= {"model.expert_params": expert, "model.shared_params": shared}
    found |= {path: found[path] or 1 for path in ("model.experts", "model.top_k")}  # a dense model is one expert
    return {path: value for path, value in found.items() if value is not None}


def facts_behind(model: catalog.PublishedModel, path: str) -> tuple[str, ...]:
    """The facts of a catalog entry that say what the field at `path` is."""
    facts = FACTS[path]
    return facts if facts is TOTALS else next(((fact,) for fact in facts if getattr(model, fact) is not None), facts)


def _sizes(model: catalog.PublishedModel) -> tuple[float, float]:
    """(parameters of one expert over all layers, parameters that every token uses)."""
    total, active = model.need("params_total"), model.need("params_active")
    if model.n_experts:
        expert = (total - active) / (model.n_experts - (model.top_k or 1))
        return expert, total - model.n_experts * expert
    matrices = 3 if model.gated_mlp else 2
    feed_forward = matrices * model.need("n_layers") * model.need("d_model") * model.need("d_ff")
    return feed_forward, total - feed_forward
