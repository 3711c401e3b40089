"""Eyes for a language model that has learned already: gated cross-attention (Flamingo, Alayrac 2022).

An encoder makes a feature of each place of the image, a resampler a few latents of the features, and between the blocks
of the frozen language model text looks at the latents:

    x = x + tanh(a) attention(x, latents)
    x = x + tanh(f) feed_forward(x)

Both gates, a and f, start at 0, so that the first step begins with exactly the model that was there. Only the new
weights learn. Unlike Flamingo's, this encoder learns along, and a text has one image, which all of it may see. What
Flamingo's authors left out in turn can be left out here: the gates, the freezing, what was learned, some insertions.
Shapes: B batch, T time, C width, R latents, P = 64 places of the image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpt4lab.rows import Row
from gpt4lab.toys.core.corpus import decode, encode
from gpt4lab.toys.core.moe import FeedForward
from gpt4lab.toys.core.training import require_whole
from gpt4lab.toys.core.transformer import RMSNorm, ToyConfig, Transformer, seeded, snapshot
from gpt4lab.toys.vision.captions import CAPTIONS, END, IMAGE, INK, SIDE, as_image

CHANNELS = 16  # of the encoder's first layer


@dataclass(frozen=True)
class Plan:
    """How eyes are added.

    every: blocks between insertions. language: whether the model keeps its weights, learns along, or forgets them first
    and learns along; pace: by which share of the eyes' learning rates. gated: with gates that start shut; without, what
    is inserted counts in full from the first step.
    """

    every: int = 1
    latents: int = 4
    steps: int = 160
    batch: int = 32
    language: Literal["frozen", "learns", "scratch"] = "frozen"
    pace: float = 1.0
    gated: bool = True

    def __post_init__(self) -> None:
        require_whole(every=self.every, latents=self.latents, steps=self.steps, batch=self.batch)


PLAN = Plan()


class CrossAttention(nn.Module):
    """Each row of x looks at all rows of y."""

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(d_model, d_model, bias=False) for _ in range(4))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(B, T, C) and (B, R, C) to (B, T, C)."""
        q, k, v = self._split(self.query(x)), self._split(self.key(y)), self._split(self.value(y))
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    def weights(self, x: Tensor, y: Tensor) -> Tensor:
        """How much each row of x looks at each row of y, (B, T, R), averaged over the heads."""
        q, k = self._split(self.query(x)), self._split(self.key(y))  # (B, heads, T, D), (B, heads, R, D)
        return (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1).mean(1)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class GatedCrossAttention(nn.Module):
    """What is inserted before a block; with both gates at 0 it changes nothing, to the last bit.

    Not gated, both stand open for good, at the tanh of infinity.
    """

    def __init__(self, d_model: int, heads: int, gated: bool = True) -> None:
        super().__init__()
        self.norm = RMSNorm()
        self.attention, self.feed_forward = CrossAttention(d_model, heads), FeedForward(d_model, 4 * d_model)
        self.attention_gate, self.feed_forward_gate = (
            nn.Parameter(torch.zeros(())) if gated else torch.tensor(math.inf) for _ in range(2)
        )

    def forward(self, x: Tensor, latents: Tensor) -> Tensor:
        """(B, T, C) and (B, R, C) to (B, T, C)."""
        x = x + self.attention_gate.tanh() * self.attention(self.norm(x), latents)
        return x + self.feed_forward_gate.tanh() * self.feed_forward(self.norm(x))


class Encoder(nn.Module):
    """Two 3 x 3 convolutions, written as linear maps of each place's neighbourhood, and an embedding of the place."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(9, CHANNELS), nn.Linear(9 * CHANNELS, d_model, bias=False)
        self.place_embedding = nn.Parameter(0.3 * torch.randn(SIDE**2, d_model))

    def forward(self, images: Tensor) -> Tensor:
        """(B, P) to (B, P, C)."""
        x = (2 * images / INK - 1)[..., None]  # (B, P, 1)
        x = F.relu(self.first(_neighbourhoods(x))).square()  # (B, P, CHANNELS)
        return F.relu(self.second(_neighbourhoods(x))) + self.place_embedding


class Resampler(nn.Module):
    """Learned latents that look at the features and at each other, then a feed-forward: one perceiver layer."""

    def __init__(self, d_model: int, heads: int, latents: int) -> None:
        super().__init__()
        self.norm, self.attention = RMSNorm(), CrossAttention(d_model, heads)
        self.feed_forward = FeedForward(d_model, 4 * d_model)
        self.latent_embedding = nn.Parameter(0.3 * torch.randn(latents, d_model))

    def forward(self, features: Tensor) -> Tensor:
        """(B, P, C) to (B, R, C)."""
        latents, seen = self.looks(features)
        x = self.latent_embedding + self.attention(latents, seen)
        return self.norm(x + self.feed_forward(self.norm(x)))

    def looks(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """What looks, (B, R, C), and what it looks at, (B, P + R, C)."""
        latents = self.norm(self.latent_embedding).expand(len(features), -1, -1)
        return latents, torch.cat([self.norm(features), latents], 1)


class Sight(nn.Module):
    """All the new weights: encoder, resampler, and one inserted layer before every so-many-th block."""

    def __init__(self, config: ToyConfig, plan: Plan) -> None:
        super().__init__()
        shape, inserts = (config.d_model, config.n_heads), math.ceil(config.n_layers / plan.every)
        self.encoder, self.resampler = Encoder(config.d_model), Resampler(*shape, plan.latents)
        self.inserted = nn.ModuleList(GatedCrossAttention(*shape, plan.gated) for _ in range(inserts))

    def forward(self, images: Tensor) -> Tensor:
        """(B, P) to latents (B, R, C)."""
        return self.resampler(self.encoder(images))


class Seeing(nn.Module):
    """A copy of a language model, and eyes. Without an image it is the language model, and no gate is asked."""

    def __init__(self, language: Transformer, plan: Plan = PLAN) -> None:
        super().__init__()
        if plan.every > language.config.n_layers:
            raise ValueError(f"every must be from 1 to {language.config.n_layers} layers, not {plan.every}")
        start = Transformer(language.config) if plan.language == "scratch" else language
        self.plan, self.language = plan, snapshot(start).requires_grad_(plan.language != "frozen")
        self.eyes = Sight(language.config, plan)

    def forward(self, tokens: Tensor, images: Tensor | None = None) -> Tensor:
        """(B, T) and (B, P) to (B, T, V)."""
        if images is None:
            return self.language(tokens)
        latents, x = self.eyes(images), self.language.embedding(tokens)  # (B, R, C), (B, T, C)
        for i, block in enumerate(self.language.blocks):
            if i % self.plan.every == 0:  # from the first block on, as in Flamingo
                x = self.eyes.inserted[i // self.plan.every](x, latents)
            x = block(x)
        return self.language.head(self.language.norm(x))

    def gates(self) -> list[Row]:
        """tanh of both gates, one row an insertion. Their sign means nothing: the layer behind can turn it."""
        return [
            {
                "insertion": i,
                "attention": layer.attention_gate.tanh().item(),
                "feed_forward": layer.feed_forward_gate.tanh().item(),
            }
            for i, layer in enumerate(cast(list[GatedCrossAttention], list(self.eyes.inserted)), 1)
        ]


def build_seeing(language: Transformer, plan: Plan = PLAN, seed: int = 0) -> Seeing:
    """New eyes with shut gates; the same seed gives the same weights. ValueError where `every` exceeds the layers."""
    with seeded(seed):
        return Seeing(language, plan)


class Description(NamedTuple):
    """A caption, and a row for each of its characters: char, probability, and the runner-up with its own."""

    caption: str
    rows: list[Row]


@torch.no_grad()
def describe(model: Seeing, image: Sequence[float] | Tensor | None, longest: int = 40) -> Description:
    """Write the likeliest next character until the caption ends. Without an image: what the language model expects.

    image: 64 numbers from 0 to 16, row by row; see `captions.as_image` for its errors.
    """
    tokens, rows, images = encode(IMAGE).long()[None], [], None if image is None else as_image(image)[None]
    for _ in range(longest):
        best = model(tokens, images)[0, -1].softmax(-1).topk(2)
        (char, other), (p, q) = map(chr, best.indices.tolist()), best.values.tolist()
        rows.append({"position": len(rows), "char": char, "probability": p, "other": other, "other_probability": q})
        if char == END:
            break
        tokens = torch.cat([tokens, best.indices[None, :1]], 1)
    return Description(decode(tokens[0, 1:]), rows)


@torch.no_grad()
def write(model: Seeing, images: Tensor, longest: int = 32) -> list[str]:
    """The caption of each image (n, 64), by the likeliest character each time, all at once."""
    tokens = encode(IMAGE).long().expand(len(images), 1)
    for _ in range(longest):
        tokens = torch.cat([tokens, model(tokens, images)[:, -1:].argmax(-1)], 1)
    return [decode(row[1:]).partition(END)[0] for row in tokens]


@torch.no_grad()
def caption_shares(model: Seeing, image: Sequence[float] | Tensor) -> dict[str, float]:
    """How likely the model holds each of the forty captions for this image; they need not sum to 1."""
    texts = [encode(f"{IMAGE}{caption}{END}").long() for caption in CAPTIONS]
    tokens = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)  # (40, T)
    padded = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=-100)[:, 1:]
    logits = model(tokens[:, :-1], as_image(image).expand(len(texts), -1))
    nats = F.cross_entropy(logits.mT, padded, reduction="none").sum(1)  # (40,)
    return dict(zip(CAPTIONS, (-nats).exp().tolist(), strict=True))


@torch.no_grad()
def look_rows(model: Seeing, image: Sequence[float] | Tensor) -> list[Row]:
    """Where each latent looks: latent, x, y (from the left and from the top), weight (over the image it sums to 1).

    A place stands for what the encoder sees around it, two pixels to every side.
    """
    latents, seen = model.eyes.resampler.looks(model.eyes.encoder(as_image(image)[None]))
    weights = model.eyes.resampler.attention.weights(latents, seen)[0, :, : SIDE**2]  # (R, P)
    weights = weights / weights.sum(1, keepdim=True)
    return [
        {"latent": latent, "x": place % SIDE, "y": place // SIDE, "weight": weight}
        for latent, row in enumerate(weights.tolist(), 1)
        for place, weight in enumerate(row)
    ]


def _neighbourhoods(x: Tensor) -> Tensor:
    """(B, P, c) to (B, P, 9 c): each place with the eight around it, 0 outside."""
    return F.unfold(x.mT.unflatten(-1, (SIDE, SIDE)), kernel_size=3, padding=1).mT
