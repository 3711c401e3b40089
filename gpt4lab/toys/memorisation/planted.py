"""A sentence of the reader's own: planted in a text, learned, and watched while the model reads."""

from __future__ import annotations

import random
from collections.abc import Sequence

from torch import Tensor

from gpt4lab.formulas.memorisation import exposure
from gpt4lab.toys.core.background import BackgroundRun, StepRows
from gpt4lab.toys.core.corpus import Batch, encode, load_corpus
from gpt4lab.toys.core.training import bits, training_rows
from gpt4lab.toys.core.transformer import Transformer, build_model
from gpt4lab.toys.memorisation.canaries import CONTEXT, LIVE_BYTES, ROWS, epoch_steps, plant, shape

EVERY = 8  # steps between two looks
OTHERS = 63  # sentences that were not planted, to rank against
TRIES = 20  # shuffles for each of them
FEW = 5  # words: with fewer, letters change places


def others(sentence: str, seed: int = 0) -> list[str]:
    """The same words in other orders, at most `OTHERS`: as long, of the same letters, and never planted.

    The letters change places where there are few words; nothing is returned where no other order exists.
    """
    dice, words = random.Random(seed), sentence.split(" ")
    parts, between = (words, " ") if len(set(words)) >= FEW else (list(sentence), "")
    found = dict.fromkeys(between.join(dice.sample(parts, len(parts))) for _ in range(TRIES * OTHERS))
    return [other for other in found if other != sentence][:OTHERS]


def costs(model: Transformer, sentences: Sequence[str]) -> Tensor:
    """Bits that each byte of some equally long lines costs, (sentences, bytes)."""
    tokens = encode("".join(f"\n{line}" for line in sentences)).long().view(len(sentences), -1)
    return bits(model, Batch(tokens[:, :-1], tokens[:, 1:], tokens[:, 0]))


def read(
    sentence: str, duplicates: int, epochs: int, width: int = 64, seed: int = 0, most_steps: int = 10_000
) -> BackgroundRun[Transformer]:
    """Read a text that holds the sentence so often, `epochs` times, in the background; the result is the model.

    Now and then a row has the bits that the sentence costs, the mean of the other orders of its words, and its exposure
    among them. ValueError for what `plant` does not take.
    """
    corpus = plant(sentence, duplicates) if duplicates else load_corpus(LIVE_BYTES)
    model, an_epoch = build_model(shape(width), seed), epoch_steps(corpus)
    steps = min(most_steps, epochs * an_epoch)
    rows = training_rows(model, corpus.sampler(ROWS, CONTEXT), steps, seed)
    return BackgroundRun(watched(rows, model, sentence, an_epoch, steps), model, steps, "planted").start()


def watched(rows: StepRows, model: Transformer, sentence: str, an_epoch: int, steps: int) -> StepRows:
    """The rows of a training, some with what the sentence costs by then."""
    lines = [sentence, *others(sentence)]
    for step, row in enumerate(rows, 1):
        found = {"loss": row["loss"], "tokens": row["tokens"]}
        if step % EVERY == 0 or step in (1, steps):
            own, *rest = costs(model, lines).sum(1).tolist()
            rank = 1 + sum(other < own for other in rest)
            found |= {"read": step / an_epoch, "own": own, "exposure": exposure(rank, len(lines))}
            found |= {"others": sum(rest) / len(rest)} if rest else {}
        yield found
