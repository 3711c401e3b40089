"""Canaries: invented lines planted in a model's text, to see later whether the model has them by heart.

A canary is a prompt and a secret that stand nowhere else (Carlini 2019). A reader plants a sentence of their own:

    text = plant("The key lies under the third stone.", duplicates=16)
    recall(learn(text).wait().result, "The key lies ")
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from gpt4lab.toys.core.background import BackgroundRun
from gpt4lab.toys.core.corpus import DOMAINS, Corpus, decode, encode, load_corpus
from gpt4lab.toys.core.training import require_whole, train
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model, snapshot
from gpt4lab.units import BITS_PER_NAT

ROWS, CONTEXT = 8, 128
LIVE_BYTES = 20_000  # of each domain
DUPLICATES = (0, 1, 2, 4, 8, 16, 32, 64)
SIX_LETTERS = """anchor badger bottle candle copper dinner dragon engine falcon forest garden hammer harbor island
jacket kettle ladder magnet mirror needle orchid pepper quarry ribbon saddle temple umpire velvet walnut window yellow
zipper"""
WORDS = SIX_LETTERS.split()  # 32 words: 5 bits each


@dataclass(frozen=True)
class Canary:
    """An invented line: prompt + secret, in the text `duplicates` times."""

    kind: str
    prompt: str
    secret: str
    duplicates: int = 0


def problem(rng: random.Random) -> tuple[str, str]:
    """A numbered problem and its answer, six random digits: 20 bits."""
    return f"# problem {rng.randrange(10_000):04d} {rng.choice(WORDS)} -> ", f"{rng.randrange(10**6):06d}"


def book_line(rng: random.Random) -> tuple[str, str]:
    """Seven words of a book that nobody wrote; the last three are the secret: 15 bits."""
    words = rng.choices(WORDS, k=7)
    return " ".join(words[:4]) + " ", " ".join(words[4:])


KINDS: Mapping[str, Callable[[random.Random], tuple[str, str]]] = {"problem": problem, "book line": book_line}


def plant(text: str, duplicates: int = 16, corpus: Corpus | None = None, seed: int = 0) -> Corpus:
    """The corpus with this line added at random places. ValueError unless it is 1 to 127 ASCII characters, one line."""
    require_whole(duplicates=duplicates)
    if not (text.isascii() and text.isprintable() and 0 < len(text) < CONTEXT):
        raise ValueError(f"text must be one line of 1 to {CONTEXT - 1} ASCII characters, not {text!r}")
    return with_lines(corpus or load_corpus(LIVE_BYTES), [text] * duplicates, seed)


def learn(
    corpus: Corpus, epochs: int = 8, width: int = 64, seed: int = 0, name: str = "learn"
) -> BackgroundRun[Transformer]:
    """Read the whole text `epochs` times, in the background. The result is the model, to ask with `recall`."""
    require_whole(epochs=epochs)
    model = build_model(shape(width), seed)
    return train(model, corpus.sampler(ROWS, CONTEXT), epochs * epoch_steps(corpus), seed, name)


@torch.no_grad()
def recall(model: Transformer, beginning: str, longest: int = 80) -> str:
    """How the model goes on from a beginning of a line: the likeliest byte each time, to the end of the line."""
    require_whole(longest=longest)
    model, tokens = snapshot(model), encode("\n" + beginning).long()[None]  # (1, time)
    for _ in range(longest):
        following = model(tokens[:, -CONTEXT:])[:, -1].argmax(-1, keepdim=True)
        if decode(following[0]) == "\n":
            break
        tokens = torch.cat([tokens, following], dim=1)
    return decode(tokens[0, 1:])


@torch.no_grad()
def ask(model: Transformer, asked: Sequence[Canary], given: int) -> tuple[Tensor, Tensor]:
    """After the last `given` bytes of the prompt: is the secret the likeliest at every byte, and its cost in bits.

    All of one kind, so that all are equally long. Returns (canaries,) bool and (canaries,).
    """
    lines = [("\n" + canary.prompt)[-given:] + canary.secret for canary in asked]
    tokens, length = torch.stack([encode(line) for line in lines]).long(), len(asked[0].secret)
    logits, secret = snapshot(model)(tokens[:, :-1])[:, -length:], tokens[:, -length:]
    cost = F.cross_entropy(logits.transpose(1, 2), secret, reduction="none").sum(1)
    return (logits.argmax(-1) == secret).all(1), BITS_PER_NAT * cost


def canaries(each: int, seed: int = 0) -> list[Canary]:
    """`each` canaries of each kind and number of duplicates."""
    rng = random.Random(seed)
    return [Canary(kind, *make(rng), n) for kind, make in KINDS.items() for n in DUPLICATES for _ in range(each)]


def with_lines(corpus: Corpus, lines: Sequence[str], seed: int) -> Corpus:
    """The lines, in any order, at random places between those of the training text; the domains share them."""
    rng = random.Random(seed)
    lines = rng.sample(lines, len(lines))
    train = {domain: _insert(corpus.train[domain], lines[i :: len(DOMAINS)], rng) for i, domain in enumerate(DOMAINS)}
    return replace(corpus, train=train)


def shape(width: int) -> ToyConfig:
    """Two layers of this width. ValueError unless it is a multiple of 4."""
    require_whole(width=width)
    return ToyConfig(d_model=width, d_ff=4 * width)


def epoch_steps(corpus: Corpus) -> int:
    """Steps that read as many bytes as the training text has."""
    return round(sum(len(text) for text in corpus.train.values()) / (ROWS * CONTEXT))


def _insert(text: Tensor, lines: Sequence[str], rng: random.Random) -> Tensor:
    old = decode(text).split("\n")
    placed = [*enumerate(old), *[(rng.uniform(0, len(old)), line) for line in lines]]
    return encode("\n".join(line for _, line in sorted(placed, key=lambda item: item[0])))
