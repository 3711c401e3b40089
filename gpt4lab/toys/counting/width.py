"""The width of a model, read off its answers (Finlayson 2024, Carlini 2024).

Scores of all tokens are one matrix times what stands before it, which has as many values as the model is wide: however
many prompts are asked, their answers span no more dimensions than that. Symbols: n prompts, V tokens, d width.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import sqrt

import torch
from attrs import frozen
from torch import Tensor

from gpt4lab.checks.check import Check, Checks
from gpt4lab.toys.core.corpus import VOCABULARY, load_corpus
from gpt4lab.toys.core.training import training_rows
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model
from gpt4lab.units import BITS_PER_NAT

CONTEXT, ROWS, STEPS = 48, 16, 60  # bytes of a text, texts of a training step, such steps
ROUNDING = 2.0**-23  # of the 32-bit numbers that the toy computes with, as a share of the largest
EDGE = 1.05  # how far above the edge of pure noise a singular value must be


@frozen
class Spectrum:
    """Singular values of the answers, largest first, and the level that noise and rounding alone would reach.

    bits: what the next byte costs by the scores as they were given away; exact_bits: by the model's own.
    """

    values: Sequence[float]
    level: float
    noise: float
    bits: float
    exact_bits: float

    @property
    def width(self) -> int:
        """How many stand above the level: the width, if noise hides none of it."""
        return sum(value > self.level for value in self.values)


@cache
def taught(width: int, seed: int = 0, steps: int = STEPS) -> Transformer:
    """A toy of this width with a little training, so that its scores mean something."""
    config = ToyConfig(d_model=width, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=2 * width)
    model = build_model(config, seed)
    for _ in training_rows(model, load_corpus().sampler(ROWS, CONTEXT), steps, seed):
        pass
    return model.eval()


@torch.no_grad()
def answers(model: Transformer, prompts: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Scores of all bytes for the next one of so many held-out texts, (n, V), and which it was, (n,)."""
    batch = load_corpus().batch(prompts, CONTEXT, torch.Generator().manual_seed(seed), "held-out")
    return model(batch.tokens)[:, -1], batch.targets[:, -1]


def given_away(scores: Tensor, noise: float, repeats: int = 1, seed: int = 0) -> Tensor:
    """The scores as who asks `repeats` times and averages has them, when each answer is blurred."""
    dice = torch.Generator().manual_seed(seed)
    return scores + noise / sqrt(repeats) * torch.randn(scores.shape, generator=dice)


def spectrum(scores: Tensor) -> list[float]:
    """Singular values of answers (n, V), each centred: a constant in all scores of an answer changes no chance."""
    return torch.linalg.svdvals((scores - scores.mean(1, keepdim=True)).double()).tolist()


def level(largest: float, n: int, noise: float, tokens: int = VOCABULARY) -> float:
    """Where the singular values of n × V independent noise end (Marchenko and Pastur), or those of rounding."""
    return EDGE * max(noise, ROUNDING * largest / sqrt(n)) * (sqrt(n) + sqrt(tokens))


def read(width: int, prompts: int, noise: float = 0.0, repeats: int = 1, seed: int = 0, steps: int = STEPS) -> Spectrum:
    """What a thief sees of a toy of this width: ask, average, decompose, and count what rises above the noise."""
    scores, targets = answers(taught(width, seed, steps), prompts, seed)
    seen = given_away(scores, noise, repeats, seed)
    found = spectrum(seen)
    blurred = given_away(scores, noise, 1, seed)
    edge = level(found[0], prompts, noise / sqrt(repeats))
    return Spectrum(found, edge, noise, _bits(blurred, targets), _bits(scores, targets))


def width_checks(widths: Sequence[int], seeds: int = 3, prompts: int = 256) -> Checks:
    """The width of some toys, each trained from several seeds, against what their answers tell."""
    return Checks(
        Check("width", width, read(width, prompts, seed=seed).width, "1", name=f"width {width}, seed {seed}")
        for width in widths
        for seed in range(seeds)
    )


def _bits(scores: Tensor, targets: Tensor) -> float:
    return BITS_PER_NAT * torch.nn.functional.cross_entropy(scores, targets).item()
