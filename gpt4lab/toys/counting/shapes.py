"""Any model of the catalog as torch modules, of full size: on the meta device a tensor has a shape and no numbers.

The modules follow the papers' own structure and know no formula of this book, so counting their parameters checks the
formulas one by one. They cannot run. Left out, as in the formulas: norms, biases, learned positions.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from gpt4lab import catalog
from gpt4lab.catalog import PublishedModel
from gpt4lab.checks.check import Check, Checks
from gpt4lab.models.search import parameters

#: Part of the formula -> where its parameters are in a module's name.
PARTS = {
    "attention": ".attention.",
    "dense": ".feed_forward.",
    "routed": ".mixture.routed.",
    "shared": ".mixture.shared.",
    "routers": ".mixture.router.",
    "embedding": "embedding.",
    "head": "head.",
}


class Counted(NamedTuple):
    """Parameters of built modules: by part, all, and those that one token uses."""

    parts: dict[str, int]
    total: int
    active: int


def build(name: str) -> FullModel:
    """A model of the catalog, on the meta device. Raises catalog.MissingFact where its shape is not known in full."""
    return build_entry(catalog.models[name])


def build_entry(entry: PublishedModel) -> FullModel:
    """The same for an entry of one's own: `attrs.evolve(catalog.models["nvidia-gpt-moe-1.8t"], n_heads=120, ...)`."""
    with torch.device("meta"):
        return FullModel(entry)


def count(model: FullModel) -> Counted:
    """Counted from the tensors."""
    sizes = [(f".{name}", p.numel()) for name, p in model.named_parameters()]
    parts = {part: sum(n for name, n in sizes if where in name) for part, where in PARTS.items()}
    total = sum(n for _, n in sizes)
    idle = parts["routed"] - parts["routed"] * model.top_k // model.experts
    return Counted(parts, total, total - idle)


def parameter_checks(entry: PublishedModel) -> Checks:
    """Parameters of each part that the model has, and the total and active ones."""
    counted, formula = count(build_entry(entry)), parameters.published(entry)
    found = {**counted.parts, "total": counted.total, "active": counted.active}
    return Checks(Check("parameters", getattr(formula, part), n, "param", name=part) for part, n in found.items() if n)


class FullModel(nn.Module):
    """Embedding, blocks, head; a tied head is the embedding's own tensor. Layers without experts come first."""

    def __init__(self, m: PublishedModel) -> None:
        super().__init__()
        self.experts, self.top_k = m.n_experts or 1, m.top_k or 1
        dense = m.need("n_layers") - (m.n_moe_layers or 0)
        table = torch.empty(m.need("vocab_size"), m.need("d_model"))
        self.embedding = nn.Embedding.from_pretrained(table, freeze=False)
        self.blocks = nn.ModuleList(FullBlock(m, mixed=layer >= dense) for layer in range(m.need("n_layers")))
        self.head = Matrix(m.need("d_model"), m.need("vocab_size"))
        if m.need("tied_embeddings"):
            self.head.weight = self.embedding.weight


class FullBlock(nn.Module):
    """Attention, and a feed-forward network or a mixture of them."""

    def __init__(self, m: PublishedModel, mixed: bool) -> None:
        super().__init__()
        self.attention = LatentAttention(m) if m.attention == "MLA" else FullAttention(m)
        if mixed:
            self.mixture = FullMixture(m)
        else:
            self.feed_forward = FullFeedForward(m.need("d_model"), m.need("d_ff"), m.need("gated_mlp"))


class FullAttention(nn.Module):
    """MHA, GQA or MQA: query heads share as many key-value heads as there are."""

    def __init__(self, m: PublishedModel) -> None:
        super().__init__()
        d, width = m.need("d_model"), m.need("head_dim")
        self.query = Matrix(d, m.need("n_heads") * width)
        self.key = Matrix(d, m.need("n_kv_heads") * width)
        self.value = Matrix(d, m.need("n_kv_heads") * width)
        self.out = Matrix(m.need("n_heads") * width, d)


class LatentAttention(nn.Module):
    """MLA (DeepSeek-V2): down to a small query, a small key-value and one rotary key, then up to the heads."""

    def __init__(self, m: PublishedModel) -> None:
        super().__init__()
        d, heads, rope, nope = (m.need(key) for key in ("d_model", "n_heads", "rope_head_dim", "nope_head_dim"))
        self.query_down = Matrix(d, m.need("q_lora_rank"))
        self.query_up = Matrix(m.need("q_lora_rank"), heads * (nope + rope))
        self.key_value_down = Matrix(d, m.need("kv_lora_rank") + rope)
        self.key_up = Matrix(m.need("kv_lora_rank"), heads * nope)
        self.value_up = Matrix(m.need("kv_lora_rank"), heads * m.need("v_head_dim"))
        self.out = Matrix(heads * m.need("v_head_dim"), d)


class FullFeedForward(nn.Module):
    """A matrix in, a matrix out, and a third one if gated."""

    def __init__(self, d: int, width: int, gated: bool) -> None:
        super().__init__()
        self.into, self.out = Matrix(d, width), Matrix(width, d)
        self.gate = Matrix(d, width) if gated else None


class FullMixture(nn.Module):
    """A router, the experts that it chooses from, and those that every token uses."""

    def __init__(self, m: PublishedModel) -> None:
        super().__init__()
        d, width = m.need("d_model"), m.need("expert_d_ff")
        gated = m.need("gated_mlp") if m.gated_experts is None else m.gated_experts
        self.router = Matrix(d, m.need("n_experts"))
        self.routed = Stack(m.need("n_experts"), d, width, gated)
        self.shared = nn.ModuleList(FullFeedForward(d, width, gated) for _ in range(m.n_shared_experts or 0))


class Stack(nn.Module):
    """Experts in one tensor a matrix, (experts, in, out): a hundred thousand modules would take seconds to make."""

    def __init__(self, experts: int, d: int, width: int, gated: bool) -> None:
        super().__init__()
        self.into, self.out = (nn.Parameter(torch.empty(experts, *size)) for size in ((d, width), (width, d)))
        self.gate = nn.Parameter(torch.empty(experts, d, width)) if gated else None


class Matrix(nn.Linear):
    """A linear map without bias that draws no first numbers: here there are none, and drawing them takes its time."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__(into, out, bias=False)

    def reset_parameters(self) -> None:
        """Nothing to set."""
