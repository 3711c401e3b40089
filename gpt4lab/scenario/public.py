"""The public models as scenarios, made from the catalog, so that no number is typed twice.

A scenario knows two sizes: one expert, and what all tokens share. Both are counted from the shape, embedding and all,
so that every quantity and the models of a step and of an answer mean the same network; the test of agreement says how
far each is from the published size. Where the shape is not published, total = E x + shared and active = k x + shared
give them. What nobody published is not known. What is not the model's (machines, prices, data) stays as in the post.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from gpt4lab import catalog
from gpt4lab.catalog import PublishedModel
from gpt4lab.formulas.parts import stated_sizes
from gpt4lab.scenario.records import Model, Scenario, Training

#: Models that are no decoder, or not only one: neither a scenario nor a model of this book describes them.
NOT_DECODERS = ("switch-c", "gshard-600b")
#: The post's own entry, which is the scenario "leak".
THE_POST = "gpt-4-leak"
#: Both sizes of a model whose shape is not published follow from these.
TOTALS = ("params_total", "params_active")
#: Field -> the facts of a catalog entry that say it: the first that is published.
FACTS = {
    "layers": ("n_layers",),
    "d_model": ("d_model",),
    "heads": ("n_heads",),
    "kv_heads": ("n_kv_heads", "attention"),
    "head_dim": ("v_head_dim", "head_dim"),
    "vocab": ("vocab_size",),
    "tied_embeddings": ("tied_embeddings",),
    "parallel_block": ("parallel_block",),
    "window": ("window",),
    "window_layers": ("n_window_layers",),
    "query_rank": ("q_lora_rank",),
    "kv_rank": ("kv_lora_rank",),
    "rope_dim": ("rope_head_dim",),
    "nope_dim": ("nope_head_dim",),
    "experts": ("n_experts",),
    "top_k": ("top_k",),
    "shared_experts": ("n_shared_experts",),
    "d_ff": ("expert_d_ff", "d_ff"),
    "gated": ("gated_experts", "gated_mlp"),
    "dense_layers": ("n_moe_layers",),
    "dense_d_ff": ("d_ff",),
    "dense_gated": ("gated_mlp",),
    "context": ("context",),
    "long_context": ("context",),
    "expert_params": TOTALS,
    "shared_params": TOTALS,
}
_RUN = {"training.tokens": "training_tokens", "training.batch_tokens": "batch_tokens", "training.mfu": "mfu"}


@cache
def public_models() -> tuple[str, ...]:
    """Names of the catalog's decoders."""
    return tuple(key for key in catalog.models if key not in (*NOT_DECODERS, THE_POST))


def public(name: str) -> Scenario:
    """A decoder of the catalog as a scenario."""
    entry = catalog.models[name]
    shape = shape_of(entry, lambda fact: getattr(entry, fact))
    found = {**_model(entry, shape), **{path: getattr(entry, fact) for path, fact in _RUN.items()}}
    unknown = sorted(path for path, value in found.items() if value is None and path != "training.mfu")
    known = {path: value for path, value in found.items() if value is not None}
    model = {path.removeprefix("model."): value for path, value in known.items() if path.startswith("model.")}
    run = {path.removeprefix("training."): value for path, value in known.items() if path in _RUN}
    words = (name, entry.name, _description(entry.name, unknown), unknown)
    return Scenario(*words, model=Model(**model), training=Training(**run))


def facts_behind(entry: PublishedModel) -> dict[str, tuple[str, ...]]:
    """The facts of a catalog entry that say what a field of its scenario is, for each field that one says."""
    facts = {f"model.{name}": some for name, some in FACTS.items()} | {path: (fact,) for path, fact in _RUN.items()}
    found = {path: [fact for fact in some if getattr(entry, fact) is not None] for path, some in facts.items()}
    return {path: tuple(some if facts[path] is TOTALS else some[:1]) for path, some in found.items() if some}


def shape_of(entry: PublishedModel, read: Callable[[str], Any]) -> dict[str, Any]:
    """The shape of a catalog entry in the words of a scenario's `model`; `read` gets a fact that has to be known."""
    latent, experts = entry.attention == "MLA", bool(entry.n_experts)
    gated = read("gated_mlp")
    return {
        "layers": read("n_layers"),
        "d_model": read("d_model"),
        "heads": read("n_heads"),
        "kv_heads": 1 if latent else read("n_kv_heads"),
        "head_dim": read("v_head_dim" if latent else "head_dim"),
        "vocab": read("vocab_size"),
        "tied_embeddings": _yes(read("tied_embeddings")),
        "parallel_block": _yes(entry.parallel_block or False),
        "window": entry.window or 0,
        "window_layers": entry.n_window_layers or 0,
        "query_rank": entry.q_lora_rank or 0,
        "kv_rank": entry.kv_lora_rank or 0,
        "rope_dim": entry.rope_head_dim or 0,
        "nope_dim": entry.nope_head_dim or 0,
        "experts": entry.n_experts or 1,
        "top_k": read("top_k") if experts else 1,
        "shared_experts": entry.n_shared_experts or 0,
        "d_ff": read("expert_d_ff" if experts else "d_ff"),
        "gated": _yes(gated if entry.gated_experts is None else entry.gated_experts),
        **(_dense(read) if experts else {"dense_layers": 0, "dense_d_ff": 0, "dense_gated": 0}),
    }


def _dense(read: Callable[[str], Any]) -> dict[str, Any]:
    """The layers of a mixture that have no experts."""
    layers, mixed = read("n_layers"), read("n_moe_layers")
    if layers is None or mixed is None or layers == mixed:
        return {"dense_layers": 0, "dense_d_ff": 0, "dense_gated": 0}
    return {"dense_layers": layers - mixed, "dense_d_ff": read("d_ff"), "dense_gated": _yes(read("gated_mlp"))}


def _yes(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _model(entry: PublishedModel, shape: Mapping[str, Any]) -> dict[str, Any]:
    """Group `model` by dotted path; None is not known."""
    expert, shared, counted = _sizes(entry, shape)
    found = {**shape, "expert_params": expert, "shared_params": shared, "counted": counted}
    found |= {"context": entry.context, "long_context": entry.context, "full_in_training": 0}
    return {f"model.{name}": value for name, value in found.items()}


def _sizes(entry: PublishedModel, shape: Mapping[str, Any]) -> tuple[Any, Any, int]:
    """(one expert over all layers, what every token uses, whether embeddings are among it)."""
    if None not in shape.values():
        return *stated_sizes(Model(**shape)), 1
    total, active, experts = entry.params_total, entry.params_active, entry.n_experts
    if total is None or active is None or not experts:
        return None, None, 0
    expert = (total - active) / (experts - (entry.top_k or 1))
    return expert, total - experts * expert, 0


def _description(title: str, unknown: list[str]) -> str:
    missing = f" Not known: {', '.join(unknown)}." if unknown else ""
    return f"{title} as its makers published it.{missing} Machines, prices, serving and data are as in the post."
