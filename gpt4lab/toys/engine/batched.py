"""A toy transformer that decodes many sequences at once, each in a slot of its own, at its own position.

One pass takes one token of every answer that is under way and the whole prompts of those who enter. All these tokens
go through the weight matrices together; only attention goes sequence by sequence, as each has keys and values of its
own. Orca calls this selective batching (Yu 2022).
Shapes: n tokens of a pass, b answers among them, S slots, s places in use, C d_model, H heads, D head width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gpt4lab.scenario import ScenarioError
from gpt4lab.toys.core.transformer import Transformer
from gpt4lab.toys.decoding.cache import KVCache
from gpt4lab.toys.decoding.cached import CachedDecoder, feed_forward, norm


class Places(NamedTuple):
    """Where the tokens of a pass belong: its answers come first, then its prompts, one after the other."""

    slot: Tensor  # (n,)
    position: Tensor  # (n,)
    answers: int  # b
    prompts: tuple[int, ...]  # tokens of each
    mask: Tensor  # (S, 1, 1, s): True where the answer of a slot has a token; s is that of the longest


class BatchedDecoder:
    """Greedy decoding of up to `slots` sequences of up to `context` tokens. `length`: tokens in the cache, by slot."""

    def __init__(self, model: Transformer, slots: int = 8, context: int = 256) -> None:
        for name, given, least in (("slots", slots, 1), ("context", context, 2)):
            if not isinstance(given, int) or given < least:
                raise ScenarioError(f"engine.{name} = {given!r}; allowed: whole numbers from {least}.")
        c = model.config
        self.slots, self.context, self.one = slots, context, CachedDecoder(model, context)
        self.cache = KVCache(c.n_layers, slots * c.n_kv_heads, c.head_width, context)
        self.keys, self.values = (
            kept.unflatten(1, (slots, c.n_kv_heads)) for kept in (self.cache.keys, self.cache.values)
        )  # (layers, S, H, context, D)
        self.length = [0] * slots

    @torch.inference_mode()
    def step(self, answers: Mapping[int, int], prompts: Mapping[int, Sequence[int]]) -> dict[int, int]:
        """The next token of every slot: after the last token of each answer, and after each prompt, which is new."""
        for slot in prompts:
            self.length[slot] = 0
        parts = {slot: [token] for slot, token in answers.items()} | {s: list(prompts[s]) for s in prompts}
        x = self.one.embedding[[token for part in parts.values() for token in part]]  # (n, C)
        places = self._places(parts, answers)
        for i, layer in enumerate(self.one.layers):
            x = torch.addmm(x, self._attend(i, norm(x) @ layer.query_key_value, places), layer.out)
            x = feed_forward(x, layer)
        last = torch.tensor([len(part) for part in parts.values()]).cumsum(0) - 1
        best = (norm(x[last]) @ self.one.head).argmax(-1)
        return dict(zip(parts, best.tolist(), strict=True))

    def _places(self, parts: Mapping[int, Sequence[int]], answers: Mapping[int, int]) -> Places:
        slot = [s for s, part in parts.items() for _ in part]
        position = [self.length[s] + i for s, part in parts.items() for i in range(len(part))]
        for s, part in parts.items():
            self.length[s] += len(part)
        in_use = torch.zeros(1 + max(answers, default=-1), 1, dtype=torch.long)  # (S, 1), up to the last slot in use
        for s in answers:
            in_use[s] = self.length[s]
        mask = torch.arange(int(in_use.max()) if answers else 0) < in_use
        prompts = tuple(len(part) for s, part in parts.items() if s not in answers)
        return Places(torch.tensor(slot), torch.tensor(position), len(answers), prompts, mask[:, None, None])

    def _attend(self, i: int, qkv: Tensor, at: Places) -> Tensor:
        """(n, 3 C) to (n, C), keeping keys and values."""
        query, key, value = self._heads(qkv, at.position)  # (n, H, D)
        keys, values, b = self.keys[i], self.values[i], at.answers
        keys[at.slot, :, at.position], values[at.slot, :, at.position] = key, value
        mixed = [self._answer(query[:b], keys, values, at.slot[:b], at.mask)] if b else []
        for part in torch.stack([query[b:], key[b:], value[b:]]).split(at.prompts, 1):
            q, k, v = part.transpose(1, 2)[:, None]  # (1, H, prompt, D) each
            mixed.append(F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0)[0].transpose(0, 1))
        return torch.cat(mixed).flatten(1)

    def _answer(self, query: Tensor, keys: Tensor, values: Tensor, slot: Tensor, mask: Tensor) -> Tensor:
        """(b, H, D) to the same. Idle slots attend too, since to pick the busy ones would copy keys and values."""
        slots, longest = len(mask), mask.shape[-1]
        everyone = query.new_zeros(slots, *query.shape[1:]).index_copy_(0, slot, query)[:, :, None]  # (S, H, 1, D)
        k, v = (cache[:slots, :, :longest] for cache in (keys, values))  # (S, H, s, D)
        return F.scaled_dot_product_attention(everyone, k, v, mask, scale=1.0)[slot, :, 0]

    def _heads(self, qkv: Tensor, position: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries and keys, turned by their own positions, and values: (n, H, D) each. Queries carry 1 / sqrt(D)."""
        heads = self.one.heads
        parts = qkv.unflatten(-1, (3 * heads, -1))  # (n, 3 H, D)
        pairs = torch.view_as_complex(parts[:, : 2 * heads].unflatten(-1, (-1, 2)))
        turned = torch.view_as_real(pairs * self.one.turn[position]).flatten(-2)
        return turned[:, :heads], turned[:, heads:], parts[:, 2 * heads :]
