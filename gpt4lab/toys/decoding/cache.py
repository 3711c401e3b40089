"""Decoding with a KV cache: one new token asks, the keys and values of all earlier tokens answer.

Attention of a decode step has almost nothing to compute and a whole cache to read, so its time follows its bytes, but
only if the cache is read once. Query heads that share a key-value head are laid side by side as the rows of one matrix
product; then MQA reads 1/16 of what MHA reads with 16 heads. Called head by head, it would read all of it again.
Shapes: L layers, H query heads, K key-value heads, D head width, N places in the cache, n places in use.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities.topics.kv import bytes_per_token, kept_values
from gpt4lab.rows import Row
from gpt4lab.toys.core.transformer import Attention, Rotary, Transformer

Name = TypeVar("Name")
HEADS, HEAD_WIDTH = 16, 64  # the attention that is timed
SCATTER = 1.25  # a median this far above the quickest run: something else used the machine
BLOCK = 1024  # tokens of noise that fill a cache
STORAGE, NOW = "tensor storage, here", "this machine, just now"


class KVCache:
    """Keys and values of up to `context` tokens, allocated once; `length` of them are in use."""

    def __init__(self, layers: int, kv_heads: int, head_width: int, context: int) -> None:
        if min(layers, kv_heads, head_width, context) < 1:
            raise ValueError("a cache needs at least one layer, head, coordinate and token")
        self.keys = torch.zeros(layers, kv_heads, context, head_width)  # (L, K, N, D)
        self.values = torch.zeros_like(self.keys)
        self.length = 0

    @property
    def bytes(self) -> int:
        """Memory of the two tensors, asked of their storage."""
        return self.keys.untyped_storage().nbytes() + self.values.untyped_storage().nbytes()

    @property
    def predicted_bytes(self) -> float:
        """The same by the book's formula, 2 L n_kv d_h bytes a token."""
        layers, kv_heads, context, width = self.keys.shape
        return context * float(bytes_per_token(layers, kept_values(0, 0, kv_heads, width), self.keys.element_size()))

    def put(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keep key and value (K, D) of the next token; return all that are in use, (K, n, D) each."""
        if self.length >= self.keys.shape[2]:
            raise ValueError(f"the cache is full: {self.length:,} tokens")
        self.keys[layer, :, self.length], self.values[layer, :, self.length] = key, value
        return self.keys[layer, :, : self.length + 1], self.values[layer, :, : self.length + 1]

    def fill(self) -> KVCache:
        """Noise in every place, for timing; returns itself."""
        for tensor in (self.keys, self.values):
            noise = torch.randn(*tensor.shape[:2], BLOCK, tensor.shape[3], generator=torch.Generator())
            for at in range(0, tensor.shape[2], BLOCK):
                part = tensor[:, :, at : at + BLOCK]
                part.copy_(noise[:, :, : part.shape[2]])
        self.length = self.keys.shape[2]
        return self


# --- four ways to attend: query (H, D), keys and values (K, n, D) to (H, D) -------------------------------------------


def folded(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """The query heads of a group as rows of one product: each key and value is read once."""
    rows = query.unflatten(0, (keys.shape[0], -1))  # (K, H/K, D)
    return F.scaled_dot_product_attention(rows[None], keys[None], values[None])[0].flatten(0, 1)


def by_hand(query: Tensor, keys: Tensor, values: Tensor, chunk: int = 8192) -> Tensor:
    """The same fold, written out: two batched products a chunk of the context, put together by their weights."""
    rows = query.unflatten(0, (keys.shape[0], -1)) / query.shape[-1] ** 0.5  # (K, H/K, D)
    mixed, weights = [], []
    for k, v in zip(keys.split(chunk, 1), values.split(chunk, 1), strict=True):
        scores = torch.bmm(rows, k.transpose(1, 2))  # (K, H/K, chunk)
        weights.append(scores.logsumexp(-1, keepdim=True))
        mixed.append(torch.bmm(scores.sub_(weights[-1]).exp_(), v))  # (K, H/K, D)
    share = torch.stack(weights).softmax(0)  # of each chunk
    return (torch.stack(mixed) * share).sum(0).flatten(0, 1)


def enable_gqa(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """PyTorch's own switch: it reads a shared head again for each query head."""
    grouped = F.scaled_dot_product_attention(query[None, :, None], keys[None], values[None], enable_gqa=True)
    return grouped[0, :, 0]


def repeat_kv(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """What many libraries do: copy the shared heads until there is one for each query head."""
    copies = query.shape[0] // keys.shape[0]
    k, v = keys.repeat_interleave(copies, 0), values.repeat_interleave(copies, 0)
    return F.scaled_dot_product_attention(query[None, :, None], k[None], v[None])[0, :, 0]


WAYS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "folded": folded,
    "by hand": by_hand,
    "enable_gqa": enable_gqa,
    "repeat_kv": repeat_kv,
}


# --- a model that decodes ---------------------------------------------------------------------------------------------


def cache_for(model: Transformer, context: int) -> KVCache:
    """An empty cache that fits a toy model."""
    c = model.config
    return KVCache(c.n_layers, c.n_kv_heads, c.head_width, context)


@torch.no_grad()
def step(model: Transformer, token: int | Tensor, cache: KVCache) -> Tensor:
    """One decode step: a token in, the logits (V,) of the next one out; the cache grows by one place."""
    x = model.embedding(torch.as_tensor(token).reshape(1, 1))  # (1, 1, C)
    for layer, block in enumerate(model.blocks):
        x = x + _attend(block.attention, block.attention_norm(x), layer, cache)  # type: ignore[union-attr,arg-type]
        x = x + block.feed_forward(block.feed_forward_norm(x))  # type: ignore[operator]
    cache.length += 1
    return model.head(model.norm(x))[0, 0]


def _attend(attention: Attention, x: Tensor, layer: int, cache: KVCache) -> Tensor:
    query, key, value = (
        part(x).view(-1, attention.width) for part in (attention.query, attention.key, attention.value)
    )
    turned = _turn(torch.cat([query, key]), attention.rotary, cache.length)
    keys, values = cache.put(layer, turned[len(query) :], value)
    return attention.out(folded(turned[: len(query)], keys, values).view(1, 1, -1))


def _turn(x: Tensor, rotary: Rotary, position: int) -> Tensor:
    """Rotary position of one place; (heads, D) to (heads, D)."""
    pairs, angle = torch.view_as_complex(x.unflatten(-1, (-1, 2))), position * rotary.frequencies
    return torch.view_as_real(pairs * torch.polar(torch.full_like(angle, rotary.gain), angle)).flatten(-2)


# --- measuring --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """Median and quickest time of one contestant."""

    seconds: float
    quickest: float

    @property
    def disturbed(self) -> bool:
        """Whether the runs scatter more than a quiet machine's, or more programs run than there are processors."""
        return self.seconds > SCATTER * self.quickest or _load() > (os.cpu_count() or 1)


def _load() -> float:
    """Programs that ran or waited in the last minute, on average; 0 where the system does not say (Windows)."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


@contextmanager
def one_thread() -> Iterator[None]:
    """Small operations are quicker on one thread, and two fight on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.no_grad()
def race(runners: Mapping[Name, Callable[[], object]], rounds: int = 7, in_a_row: int = 3) -> dict[Name, Timing]:
    """Seconds of one call of each contestant; they take turns, so that a busy machine slows all of them.

    In each turn a contestant is called once to warm up, and then `in_a_row` times, as a model decodes token by token:
    what fits into the processor's own cache stays there. `in_a_row=0` times that first call instead.
    """
    times: dict[Name, list[float]] = {name: [] for name in runners}
    with one_thread():
        for _ in range(rounds + 1):
            for name, run in runners.items():
                times[name].append(_turn_of(run, in_a_row))
    return {name: Timing(median(found[1:]), min(found[1:])) for name, found in times.items()}


def _turn_of(run: Callable[[], object], in_a_row: int) -> float:
    if in_a_row:
        run()
    begin = time.perf_counter()
    for _ in range(max(in_a_row, 1)):
        run()
    return (time.perf_counter() - begin) / max(in_a_row, 1)


def attention_race(
    kv_heads: tuple[int, ...], context: int, ways: tuple[str, ...] = ("folded",), rounds: int = 7, in_a_row: int = 3
) -> list[Row]:
    """Attention of one layer and one token over a full cache: bytes and time for each number of KV heads and way."""
    query = torch.randn(HEADS, HEAD_WIDTH, generator=torch.Generator())  # not that of all threads: see `seeded`
    caches = {heads: KVCache(1, heads, HEAD_WIDTH, context).fill() for heads in kv_heads}
    sizes = {heads: {"bytes": cache.bytes, "formula": cache.predicted_bytes} for heads, cache in caches.items()}
    runners = {(heads, way): _runner(way, query, cache) for heads, cache in caches.items() for way in ways}
    return [
        {
            "kv_heads": heads,
            "way": way,
            "context": context,
            **sizes[heads],
            "seconds": t.seconds,
            "disturbed": t.disturbed,
        }
        for (heads, way), t in race(runners, rounds, in_a_row).items()
    ]


def cache_checks(raced: Sequence[Row]) -> Checks:
    """Bytes of the largest and the smallest cache, and their times: the formula says that only bytes count."""
    rows = {(row["kv_heads"], row["way"]): row for row in raced}
    (most, way), (least, _) = max(rows), min(rows)
    sizes = (
        Check(f"cache of {row['context']:,} tokens, KV heads: {heads}", row["formula"], row["bytes"], "byte", STORAGE)
        for heads, row in ((heads, rows[heads, way]) for heads in (most, least))
    )
    ways = dict.fromkeys(row["way"] for row in raced)
    return Checks((*sizes, *(_time_check(rows[most, way], rows[least, way]) for way in ways)))


def _time_check(many: Row, few: Row) -> Check:
    what = f"{many['kv_heads']} heads / {few['kv_heads']} head in time, {many['way']}"
    predicted, found = (many[key] / few[key] for key in ("bytes", "seconds"))
    return Check(what, predicted, found, "x", NOW, disturbed=many["disturbed"] or few["disturbed"])


def _runner(way: str, query: Tensor, cache: KVCache) -> Callable[[], object]:
    keys, values = cache.keys[0], cache.values[0]
    return lambda: WAYS[way](query, keys, values)
