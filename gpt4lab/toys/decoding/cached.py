"""A toy transformer that reads one sequence with its keys and values kept, and can go back.

Speculative decoding reads several tokens at once and takes some of them back. Taking back is free here: the cache is
allocated once, and what lies behind `position` is simply overwritten. The layers are unrolled into as few operations
as possible, since at this size a pass is mostly the cost of calling them. A few rows are multiplied by the library that
does it well here: some processors get slow products of a few rows from torch's, and with them checking would not pay.
Shapes: n new tokens, s tokens in use after them, C d_model, H heads, D head width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gpt4lab.toys.core.transformer import Block, FeedForward, Transformer
from gpt4lab.toys.decoding.cache import cache_for, race
from gpt4lab.toys.drafting.drafts import soften

Product = Callable[[Tensor, Tensor], Tensor]  # (n, C) times (C, D) to (n, D)
CLEARLY = 1.5  # so many times quicker, or torch's it is: the choice must not hang on what else runs


class Layer(NamedTuple):
    """The matrices of one block, each as it multiplies from the right."""

    query_key_value: Tensor  # (C, 3 C); the queries carry the 1 / sqrt(D)
    out: Tensor  # (C, C)
    w_in: Tensor  # (C, d_ff)
    w_out: Tensor  # (d_ff, C)


class CachedDecoder:
    """The same function as the model, token by token: dense feed-forward, one key-value head a query head.

    read: logits of what was not read yet. rewind: forget the end. `position` tokens are in the cache.
    """

    def __init__(self, model: Transformer, context: int = 256) -> None:
        c = model.config
        if c.n_experts > 1 or c.n_kv_heads != c.n_heads:
            raise ValueError("the cached decoder takes dense models with one key-value head a query head")
        self.context, self.heads, self.width, self.position = context, c.n_heads, c.head_width, 0
        self.cache = cache_for(model, context)
        self.embedding, self.head = model.embedding.weight.detach(), model.head.weight.detach().t().contiguous()
        self.layers = [_layer(cast(Block, block)) for block in model.blocks]
        angle = torch.arange(context)[:, None] * c.rope_frequencies
        self.turn = torch.polar(torch.full_like(angle, c.rope_gain), angle)[:, None]  # (context, 1, D/2)
        self.mask = torch.full((context, context), -torch.inf).triu(1)  # added to the scores

    def rewind(self, position: int) -> None:
        """Forget all but the first `position` tokens."""
        self.position = min(self.position, position)

    def next(self, tokens: Sequence[int], temperature: float) -> Tensor:
        """Probabilities of the token after `tokens`, (V,): the decoder as a draft."""
        return soften(self.read(tokens)[-1], temperature)

    @torch.inference_mode()
    def read(self, tokens: Sequence[int]) -> Tensor:
        """Logits after each token that was not read yet, (n, V), n = len(tokens) - position. ValueError if full."""
        if len(tokens) > self.context:
            raise ValueError(f"the cache holds {self.context} tokens, not {len(tokens)}")
        at = slice(self.position, len(tokens))
        x = self.embedding[list(tokens[at])]  # (n, C)
        for i, layer in enumerate(self.layers):
            x = x + times(self._attend(i, times(norm(x), layer.query_key_value), at), layer.out)
            x = feed_forward(x, layer)
        self.position = self.cache.length = len(tokens)
        return times(norm(x), self.head)

    def _attend(self, i: int, qkv: Tensor, at: slice) -> Tensor:
        """(n, 3 C) to (n, C), keeping keys and values."""
        n, s, wide = len(qkv), at.stop, self.heads * self.width
        pairs = torch.view_as_complex(qkv[:, : 2 * wide].unflatten(1, (2 * self.heads, -1, 2)))  # (n, 2 H, D/2)
        turned = torch.view_as_real(pairs * self.turn[at]).flatten(2).transpose(0, 1)  # (2 H, n, D)
        keys, values = self.cache.keys[i], self.cache.values[i]  # (H, context, D)
        keys[:, at] = turned[self.heads :]
        values[:, at] = qkv[:, 2 * wide :].unflatten(1, (self.heads, -1)).transpose(0, 1)
        scores = torch.baddbmm(self.mask[at, :s], turned[: self.heads], keys[:, :s].mT)  # (H, n, s)
        return torch.bmm(scores.softmax(-1), values[:, :s]).transpose(0, 1).reshape(n, wide)


def norm(x: Tensor) -> Tensor:
    """RMSNorm of each row."""
    return F.rms_norm(x, x.shape[-1:])


def feed_forward(x: Tensor, layer: Layer) -> Tensor:
    """x plus what the feed-forward layer adds, (n, C)."""
    return x + times(torch.relu(times(norm(x), layer.w_in)).square_(), layer.w_out)


def times(x: Tensor, w: Tensor) -> Tensor:
    """The product (n, D) of rows (n, C) and weights (C, D): of one row it is a reading, of a few it is arithmetic."""
    return x @ w if len(x) == 1 else of_a_few_rows()(x, w)


@cache
def of_a_few_rows() -> Product:
    """Torch's product, or NumPy's where five rows take it clearly less time on this processor. Found out once."""
    x, w = torch.ones(5, 128), torch.ones(128, 512)
    found = race({way: lambda way=way: way(x, w) for way in (torch.matmul, by_numpy)}, rounds=9, in_a_row=50)
    return by_numpy if found[torch.matmul].quickest > CLEARLY * found[by_numpy].quickest else torch.matmul


def by_numpy(x: Tensor, w: Tensor) -> Tensor:
    """The same product by NumPy's own library."""
    return torch.from_numpy(np.matmul(x.numpy(), w.numpy()))


def _layer(block: Block) -> Layer:
    a, f = block.attention, cast(FeedForward, block.feed_forward)
    stacked = torch.cat([a.query.weight / a.width**0.5, a.key.weight, a.value.weight]).detach()
    out = a.out.weight.detach().t().contiguous()
    return Layer(stacked.t().contiguous(), out, f.w_in[0].detach(), f.w_out[0].detach())
