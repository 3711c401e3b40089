"""How many parameters a decoder has, part by part, and how many of them one token uses.

Counted are the matrices: projections, experts, routers, embeddings. Norms, biases and learned positions are left out:
below 0.4% in every model of the catalog. Any kind of attention (MHA, GQA, MQA, MLA), gated or plain experts, shared
experts, layers without experts. Whatever has the fields of `SHAPE` can be counted; they may be arrays.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from gpt4lab.formulas import layer
from gpt4lab.formulas.answering_layer import latent_weights
from gpt4lab.formulas.arith import Num, where

#: What the parameters of a decoder follow from. A dense model has one expert, which every token uses.
SHAPE = (
    *("layers", "d_model", "heads", "kv_heads", "head_dim", "d_ff", "gated", "experts", "top_k", "shared_experts"),
    *("vocab", "tied_embeddings", "dense_layers", "dense_d_ff", "dense_gated"),
    *("query_rank", "kv_rank", "rope_dim", "nope_dim"),
)
Shape = Any  # whatever has those fields: a network, the model of a scenario


@frozen
class Parts:
    """Parameters by part, over all layers; `used` are those of the routed experts that one token passes through.

    The one feed-forward network of a model without experts counts as dense.
    """

    attention: Num
    dense: Num
    routed: Num
    shared: Num
    routers: Num
    embedding: Num
    head: Num
    used: Num

    @property
    def total(self) -> Num:
        """All that must be stored."""
        return self._always + self.routed

    @property
    def active(self) -> Num:
        """What one token uses, its embedding table counted whole."""
        return self._always + self.used

    @property
    def multiplied(self) -> Num:
        """What multiplies a token, 2 FLOP each: an embedding is only looked up, unless it is the head too."""
        return self.active - where(self.head == 0, 0, self.embedding)

    @property
    def _always(self) -> Num:
        return self.attention + self.dense + self.shared + self.routers + self.embedding + self.head


def parts(shape: Shape, rest: Num = 0) -> Parts:
    """The parameters of a shape, by part; `rest` is weights of a layer that the shape does not tell."""
    n, sparse = shape, shape.layers - shape.dense_layers
    expert, alone = layer.feed_forward_weights(n.d_model, n.d_ff, n.gated), n.experts == 1
    first = n.dense_layers * layer.feed_forward_weights(n.d_model, n.dense_d_ff, n.dense_gated)
    return Parts(
        attention=n.layers * (attention(n) + rest),
        dense=first + where(alone, sparse * expert, 0),
        routed=where(alone, 0, sparse * n.experts * expert),
        shared=sparse * n.shared_experts * expert,
        routers=where(alone, 0, sparse * n.d_model * n.experts),
        embedding=n.vocab * n.d_model,
        head=n.vocab * n.d_model * (1 - n.tied_embeddings),
        used=where(alone, 0, sparse * n.top_k * expert),
    )


def attention(n: Shape) -> Num:
    """Projections of one layer, of whatever kind: latent attention where keys and values have a rank."""
    latent = latent_weights(n.d_model, n.heads, n.query_rank, n.kv_rank, n.nope_dim, n.rope_dim, n.head_dim, 1)
    return where(n.kv_rank > 0, latent, layer.attention_weights(n.d_model, n.heads, n.kv_heads, n.head_dim, 1))


def stated_sizes(shape: Shape) -> tuple[Num, Num]:
    """What the parts sum up to, as the post states sizes: (one expert over its layers, all that tokens share).

    All shared weights count, embedding, head and routers too. A dense model's one expert is its feed-forward.
    """
    found = parts(shape)
    expert = (shape.layers - shape.dense_layers) * layer.feed_forward_weights(shape.d_model, shape.d_ff, shape.gated)
    return expert, found.total - shape.experts * expert
