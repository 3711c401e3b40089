"""Drafts for speculative decoding: whatever says quickly what the next token may be.

The n-gram draft has no weights: it looks up what followed the last few bytes in a text. Its table is that text, sorted
once by the bytes before each position, the latest byte first: then the places that share a context of *any* length
lie next to each other. A small `CachedDecoder` is the neural draft.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from typing import Protocol

import torch
from torch import Tensor

from gpt4lab.toys.core.corpus import DOMAINS, VOCABULARY, load_corpus


class Draft(Protocol):
    """Says the probabilities q (V,) of the token after `tokens`; `rewind` takes all but the first tokens back."""

    def next(self, tokens: Sequence[int], temperature: float) -> Tensor:
        """Of the next token, (V,)."""
        ...

    def rewind(self, position: int) -> None:
        """Forget all but the first `position` tokens."""
        ...


class NGram:
    """Counts of what follows the last order - 1 tokens, backing off to shorter contexts (Witten and Bell 1991).

    A context seen n times with t different followers says (counts + t x what the shorter context says) / (n + t).
    """

    def __init__(self, text: Tensor, order: int = 6, vocabulary: int = VOCABULARY) -> None:
        if not 2 <= order <= 8:
            raise ValueError("order must be 2 to 8: a context and its follower have to fit into 63 bits")
        self.order, self.vocabulary = order, vocabulary
        codes = _codes(text, order, vocabulary).sort().values
        self.codes, self.followers = array("q", codes.tolist()), codes % vocabulary
        self.raw: dict[tuple[int, ...], Tensor] = {}
        self.softened: dict[tuple[float, ...], Tensor] = {}

    def next(self, tokens: Sequence[int], temperature: float) -> Tensor:
        """(V,)."""
        key = (temperature, *tokens[1 - self.order :])
        if key not in self.softened:
            self.softened[key] = soften(self.counted(key[1:]).log(), temperature)  # type: ignore[arg-type]
        return self.softened[key]

    def rewind(self, position: int) -> None:
        """Nothing to forget: each question brings its context."""

    def counted(self, context: tuple[int, ...]) -> Tensor:
        """Smoothed frequencies of the followers, (V,)."""
        if context not in self.raw:
            places = self.followers[self._range(context)]
            counts = torch.bincount(places, minlength=self.vocabulary).float()
            shorter = self.counted(context[1:]) if context else torch.full_like(counts, 1 / self.vocabulary)
            t = counts.count_nonzero()
            self.raw[context] = (counts + t * shorter) / (len(places) + t) if len(places) else shorter
        return self.raw[context]

    def _range(self, context: tuple[int, ...]) -> slice:
        """Where the sorted text has this context."""
        code = 0
        for token in reversed(context):
            code = code * self.vocabulary + token
        scale = self.vocabulary ** (self.order - len(context))
        return slice(bisect_left(self.codes, code * scale), bisect_left(self.codes, (code + 1) * scale))


def soften(logits: Tensor, temperature: float) -> Tensor:
    """Probabilities at a temperature; 0 puts all on the largest: greedy decoding is sampling from that."""
    if temperature == 0:
        return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    return (logits / temperature).softmax(-1)


@cache
def load_ngram(order: int = 6, bytes_per_domain: int = 1_000_000) -> NGram:
    """An n-gram draft over the training text of the corpus; takes about a second, then it is kept."""
    corpus = load_corpus(bytes_per_domain)
    return NGram(torch.cat([corpus.train[domain] for domain in DOMAINS]), order)


def _codes(text: Tensor, order: int, vocabulary: int) -> Tensor:
    """One number for each place: the order - 1 tokens before it, the latest first, then the token itself."""
    tokens, count = text.long(), len(text) - order + 1
    code = torch.zeros(count, dtype=torch.long)
    for back in range(1, order):
        code = code * vocabulary + tokens[order - 1 - back :][:count]
    return code * vocabulary + tokens[order - 1 :][:count]
