"""A decoder-only transformer small enough to train while one reads, with the choices that the book is about.

Attention is MHA, GQA or MQA by `n_kv_heads`; the feed-forward layer is dense or a mixture of experts by `n_experts`.
Positions are rotary (Su 2021), normalisation is RMSNorm before each block. Shapes: B batch, T time, C d_model,
H heads, K KV heads, D head width, V vocabulary.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpt4lab.toys.core.corpus import VOCABULARY, decode, encode
from gpt4lab.toys.core.moe import FeedForward, MoE, Routing

_seeding = threading.RLock()  # torch has one generator for all threads: two models must not draw from it in turns


@dataclass(frozen=True)
class ToyConfig:
    """Shape of a toy model. `d_ff` is the width of one feed-forward network: of each expert, if there are several.

    `rope_bent` are the rotations of the pairs where they are not those of the base, in radians a position, as
    `formulas.rotary.bent` gives them; `rope_gain` multiplies turned queries and keys.
    """

    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 2
    n_kv_heads: int = 2
    d_ff: int = 256
    n_experts: int = 1
    top_k: int = 1
    capacity_factor: float | None = None
    router_noise: float = 0.0
    balance_weight: float = 0.01
    vocabulary: int = VOCABULARY
    rope_base: float = 10_000.0
    rope_bent: tuple[float, ...] = ()
    rope_gain: float = 1.0

    def __post_init__(self) -> None:
        _require(self.d_model % (2 * self.n_heads) == 0, "d_model must be a multiple of 2 n_heads (rotary pairs)")
        _require(self.n_heads % self.n_kv_heads == 0, "n_heads must be a multiple of n_kv_heads")
        _require(1 <= self.top_k <= self.n_experts, "top_k must be between 1 and n_experts")
        _require(self.d_ff % 4 == 0, "d_ff must be a multiple of 4")
        _require(0 < self.rope_gain < math.inf, "rope_gain must be a positive number")
        _require(len(self.rope_bent) in (0, self.head_width // 2), "rope_bent must have a rotation for each pair")

    @property
    def head_width(self) -> int:
        """Coordinates of one head."""
        return self.d_model // self.n_heads

    @property
    def rope_frequencies(self) -> Tensor:
        """How far each pair of a head's coordinates turns from one position to the next, (D/2,) radians."""
        if self.rope_bent:
            return torch.tensor(self.rope_bent)
        return self.rope_base ** (-torch.arange(0, self.head_width, 2) / self.head_width)

    @property
    def dense_twin(self) -> ToyConfig:
        """The dense model with the same active feed-forward FLOP: one network as wide as the top_k experts together."""
        return replace(self, d_ff=self.top_k * self.d_ff, n_experts=1, top_k=1, capacity_factor=None, router_noise=0.0)

    @property
    def active_fraction(self) -> float:
        """Share of the experts that one token uses."""
        return self.top_k / self.n_experts


class Loss(NamedTuple):
    """Next-token cross-entropy in nats, and the balance loss averaged over the mixture layers (0 if none)."""

    tokens: Tensor
    balance: Tensor


class RMSNorm(nn.Module):
    """x / rms(x). No learned gain: the matrix that follows can scale just as well."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to (..., C)."""
        return F.rms_norm(x, x.shape[-1:])


class Rotary(nn.Module):
    """Turns each pair of a head's coordinates, read as a complex number, by position x frequency."""

    def __init__(self, frequencies: Tensor, gain: float = 1.0) -> None:
        super().__init__()
        self.frequencies, self.gain = frequencies, gain  # (D/2,)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, T, D) to (B, H, T, D)."""
        angle = torch.arange(x.shape[-2], device=x.device)[:, None] * self.frequencies.to(x.device)  # (T, D/2)
        pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))  # (B, H, T, D/2)
        return torch.view_as_real(pairs * torch.polar(torch.full_like(angle, self.gain), angle)).flatten(-2)


class Attention(nn.Module):
    """Causal attention; H / K query heads share one key-value head."""

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.width = config.n_heads, config.n_kv_heads, config.head_width
        self.query = nn.Linear(config.d_model, self.heads * self.width, bias=False)
        self.key = nn.Linear(config.d_model, self.kv_heads * self.width, bias=False)
        self.value = nn.Linear(config.d_model, self.kv_heads * self.width, bias=False)
        self.out = nn.Linear(self.heads * self.width, config.d_model, bias=False)
        self.rotary = Rotary(config.rope_frequencies, config.rope_gain)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) to (B, T, C)."""
        q = self.rotary(self._split(self.query(x)))  # (B, H, T, D)
        k = self.rotary(self._split(self.key(x)))  # (B, K, T, D)
        v = self._split(self.value(x))  # (B, K, T, D)
        shared = self.kv_heads < self.heads
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=shared)  # (B, H, T, D)
        return self.out(y.transpose(1, 2).flatten(2))  # (B, T, C)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.width)).transpose(1, 2)


class Block(nn.Module):
    """x + attention, then x + feed-forward."""

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.attention_norm, self.attention = RMSNorm(), Attention(config)
        self.feed_forward_norm, self.feed_forward = RMSNorm(), _feed_forward(config)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) to (B, T, C)."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))


class Transformer(nn.Module):
    """Tokens (B, T) to next-token logits (B, T, V)."""

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.d_model)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.norm = RMSNorm()
        self.head = nn.Linear(config.d_model, config.vocabulary, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.3)
        nn.init.zeros_(self.head.weight)  # the first guess is uniform

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T) to (B, T, V)."""
        x = self.embedding(tokens)  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    def loss(self, tokens: Tensor, targets: Tensor) -> Loss:
        """Mean loss over all tokens of the batch."""
        logits = self(tokens)
        balance = [layer.balance for layer in self.mixtures]
        mean = torch.stack(balance).mean() if balance else torch.zeros(())
        return Loss(F.cross_entropy(logits.flatten(0, 1), targets.flatten()), mean)

    @property
    def mixtures(self) -> list[MoE]:
        """The mixture layers, from the first block to the last."""
        return [module for module in self.modules() if isinstance(module, MoE)]

    def routings(self) -> list[Routing]:
        """What each mixture layer decided in the last forward pass."""
        return [layer.routing for layer in self.mixtures if layer.routing is not None]


class ParameterCount(NamedTuple):
    """All parameters, those that one token uses, and the latter without the embedding table (a lookup, no FLOP)."""

    total: int
    active: int
    multiplied: int


def build_model(config: ToyConfig, seed: int = 0) -> Transformer:
    """A new model; the same seed gives the same weights, whatever else drew random numbers before."""
    with seeded(seed):
        return Transformer(config)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's random numbers from this seed, for one thread at a time; afterwards they go on as if nothing had been."""
    with _seeding, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def snapshot(model: Transformer) -> Transformer:
    """A copy to look at while the original trains on: without router noise, and without disturbing the run."""
    copy = build_model(model.config)
    copy.load_state_dict(model.state_dict())
    return copy.eval()


def count_parameters(model: Transformer) -> ParameterCount:
    """Counted from the tensors, not from a formula."""
    total = sum(p.numel() for p in model.parameters())
    experts = sum(layer.w_in.numel() + layer.w_out.numel() for layer in model.mixtures)
    idle = experts - round(experts * model.config.active_fraction)
    return ParameterCount(total, total - idle, total - idle - model.embedding.weight.numel())


@torch.no_grad()
def sample(model: Transformer, prompt: str, length: int = 200, temperature: float = 0.8, seed: int = 0) -> str:
    """Continue the prompt by `length` bytes. No KV cache: simple, and fast enough for a paragraph."""
    generator = torch.Generator().manual_seed(seed)
    tokens = encode(prompt).long()[None]  # (1, T)
    for _ in range(length):
        logits = model(tokens[:, -128:])[:, -1] / temperature  # (1, V)
        choice = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        tokens = torch.cat([tokens, choice], dim=1)
    return decode(tokens[0])


def _feed_forward(config: ToyConfig) -> nn.Module:
    if config.n_experts == 1:
        return FeedForward(config.d_model, config.d_ff)
    return MoE(config.d_model, config.d_ff, config.n_experts, config.top_k, config.capacity_factor, config.router_noise)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
