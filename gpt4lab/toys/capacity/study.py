"""How much a model can hold: strings of random bytes, of which nothing can be understood (Morris 2025).

Each byte costs seven bits to whoever has not seen it. What the model has learned to save of them, it has memorised:
there is no other way. With few strings it holds all of them; with many it holds as much as it can, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import ClassVar

import torch
from attrs import frozen
from torch import Tensor

from gpt4lab.rows import Row
from gpt4lab.toys.core.background import StepRows
from gpt4lab.toys.core.corpus import VOCABULARY, Batch
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import bits, require_whole, training_rows
from gpt4lab.toys.core.transformer import Transformer, build_model, count_parameters
from gpt4lab.toys.memorisation.canaries import shape

LENGTH = 17  # bytes of a string; the first is given, the others are asked
BITS = (LENGTH - 1) * log2(VOCABULARY)  # in what is asked of a string
ROWS = 128  # strings a step
ADAM_LR = 0.02  # more than the toys of text take: with less, many more steps are needed to fill a model


def strings(count: int, seed: int = 0) -> Tensor:
    """(count, LENGTH) random bytes."""
    return torch.randint(VOCABULARY, (count, LENGTH), generator=torch.Generator().manual_seed(1000 + seed))


def batch_of(text: Tensor) -> Batch:
    """All of them as one batch."""
    return Batch(text[:, :-1], text[:, 1:], torch.zeros(len(text), dtype=torch.long))


def fill_up(model: Transformer, text: Tensor, steps: int, seed: int = 0) -> StepRows:
    """The training on these strings; each `next` is one step."""

    def some(generator: torch.Generator) -> Batch:
        return batch_of(text[torch.randperm(len(text), generator=generator)[:ROWS]])

    return training_rows(model, some, steps, seed, adam_lr=ADAM_LR)


def held(model: Transformer, text: Tensor) -> float:
    """Bits of the strings that the model has: those that they have, less those that they still cost it."""
    return len(text) * BITS - bits(model, batch_of(text)).sum().item()


@frozen
class Capacity(Study):
    """Models of each width and seed, each filled with so many random bits for each of its parameters.

    load: bits offered a parameter. held: bits memorised a parameter. All parameters count, those of the two
    vocabularies too. A fixed number of steps: more would hold a little more.
    """

    name = "capacity"
    columns = columns("width 1, load 1, seed 1, parameters param, strings 1, steps step, held 1")
    # Ten to twenty minutes of one core.
    recorded: ClassVar = {"widths": (8, 16), "loads": (1, 2, 4, 8), "seeds": 3}
    fixed: ClassVar = {"bytes": LENGTH, "batch": ROWS, "adam_lr": ADAM_LR}

    corpus: object = None
    widths: Sequence[int] = (8,)
    loads: Sequence[float] = (1, 4)
    seeds: int = 1
    steps: int = 2000

    def cases(self) -> list[Row]:
        """By seed, width and load."""
        require_whole(seeds=self.seeds, steps=self.steps)
        return [
            {"width": width, "load": load, "seed": seed}
            for seed in range(self.seeds)
            for width in self.widths
            for load in self.loads
        ]

    def train(self, case: Row) -> Trained:
        """A row with the loss a step; at the end what is held."""
        model = build_model(shape(case["width"]), case["seed"])
        parameters = count_parameters(model).total
        text = strings(max(1, round(case["load"] * parameters / BITS)), case["seed"])
        for row in fill_up(model, text, self.steps, case["seed"]):
            yield {"loss": row["loss"]}
        found = {"parameters": parameters, "strings": len(text), "steps": self.steps}
        yield Found([{**found, "held": held(model, text) / parameters}])
