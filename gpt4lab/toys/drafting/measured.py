"""Speculative decoding measured: its speed against the formula, what lenience costs, and the proof that it is exact."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import torch
from attrs import frozen
from torch import Tensor

from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities.topics.speculation import batch_speedup
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.decoding.cache import NOW, one_thread
from gpt4lab.toys.decoding.cached import CachedDecoder
from gpt4lab.toys.drafting.drafts import Draft
from gpt4lab.toys.drafting.speculation import DEFAULT, Decoded, Row, Settings, one_pass, speculate

WARM, PAIR = Settings(temperature=1.0), Settings(gamma=2)
PROMPTS = (
    "The following methods are ",
    "    def __init__(self, ",
    "Return a list of all the ",
    "        if not isinstance(",
    "This module provides ",
    "    for key, value in ",
    "If the argument is omitted, ",
    "        raise ValueError(",
)


def compare(
    target: CachedDecoder,
    draft: Draft,
    settings: Settings = DEFAULT,
    length: int = 128,
    prompts: Sequence[str] = PROMPTS,
) -> Row:
    """Plain and speculative decoding of each prompt in turns: measured against predicted, over all prompts."""
    return compared(*in_turns(target, draft, settings, length, prompts))


def in_turns(
    target: CachedDecoder,
    draft: Draft,
    settings: Settings = DEFAULT,
    length: int = 128,
    prompts: Sequence[str] = PROMPTS,
    seed: int = 0,
) -> tuple[Decoded, Decoded]:
    """Plain and speculative decoding of each prompt, one after the other, so that a busy machine slows both."""
    pairs = [
        (speculate(target, draft, prompt, length, s, at) for s in (replace(settings, gamma=0), settings))
        for at, prompt in enumerate(prompts, seed)
    ]
    plain, fast = (reduce(add, found) for found in zip(*pairs, strict=True))
    return plain, fast


def compared(plain: Decoded, fast: Decoded) -> Row:
    """Measured against predicted.

    c: a draft step in units of a plain pass; r: a pass that checks gamma tokens, in the same unit (Theorem 3.8 has
    r = 1, a machine bound by memory), both by CPU time. predicted: formula / (gamma c + r). speedup: wall clock a
    token; on a busy machine trust speedup_cpu.
    """
    one, settings = plain.target_s / plain.passes, fast.settings
    c, r = fast.draft_s / max(1, fast.drafted) / one, fast.target_s / fast.passes / one
    return {
        "gamma": settings.gamma,
        "temperature": settings.temperature,
        **_averages(fast),
        "formula": fast.formula,
        "c": c,
        "r": r,
        "pass_s": one,
        "predicted": float(batch_speedup(fast.formula, settings.gamma, c, r)),
        "speedup": (plain.seconds / len(plain.rows)) / (fast.seconds / len(fast.rows)),
        "speedup_cpu": (plain.cpu_s / len(plain.rows)) / (fast.cpu_s / len(fast.rows)),
    }


def draft_checks(raced: Mapping[str, Row]) -> Checks:
    """Tokens a pass and times faster of some comparisons: case -> its row of `compare`."""
    kinds = (
        ("tokens a pass", "formula", "tokens_per_pass", "token", NOW),
        ("times faster", "predicted", "speedup_cpu", "x", "this machine, CPU time"),
    )
    return Checks(
        Check(f"{what}: {case}", row[said], row[found], unit, where)
        for what, said, found, unit, where in kinds
        for case, row in raced.items()
    )


@frozen
class Lenience(Study):
    """What is lost and what is won at each lenience: the target's bits a byte, tokens per pass, and a sample.

    At temperature 1 and lenience 1 the bits are the target's own entropy; what lies above is lost quality.
    """

    name = "lenience"
    columns = columns("lenience 1, acceptance fraction, tokens_per_pass token, bits bit/byte, text")

    target: CachedDecoder
    draft: Draft
    leniences: Sequence[float]
    settings: Settings = WARM
    length_bytes: int = 128
    prompts: Sequence[str] = PROMPTS
    seed: int = 0

    def cases(self) -> list[Row]:
        """By lenience."""
        return [{"lenience": lenience} for lenience in self.leniences]

    def train(self, case: Row) -> Trained:
        """Nothing is trained here: one row, and the same found."""
        chosen, numbered = replace(self.settings, **case), enumerate(self.prompts, self.seed)
        texts = [speculate(self.target, self.draft, p, self.length_bytes, chosen, at) for at, p in numbered]
        row = {**_averages(reduce(add, texts)), "text": texts[0].text}
        yield Found([row])
        yield row


# --- proving that it is exact -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exactness:
    """Chi-square of the first two tokens against all pairs; rare pairs are put together. p: chance of a larger one."""

    chi_square: float
    df: int
    p: float


def exactness(
    target: CachedDecoder,
    draft: Draft,
    tokens: Sequence[int],
    samples: int = 5_000,
    settings: Settings = PAIR,
    seed: int = 0,
) -> Exactness:
    """Are the two tokens after these distributed as the target says? Each sample is a decoding of its own."""
    start, rng = list(tokens), random.Random(seed)
    with one_thread():
        expected = joint(target, start, settings.temperature)  # (V, V)
        counts = torch.zeros_like(expected)
        for _ in range(samples):
            counts[two_tokens(target, draft, start, settings, rng)] += 1
    return chi_square(counts.flatten(), samples * expected.flatten())


def joint(target: CachedDecoder, tokens: list[int], temperature: float) -> Tensor:
    """P(first, second | tokens), (V, V), by trying every first token."""
    target.rewind(0)
    first = target.next(tokens, temperature)  # (V,)
    seconds = []
    for x in range(len(first)):
        target.rewind(len(tokens))
        seconds.append(target.next([*tokens, x], temperature))
    return first[:, None] * torch.stack(seconds)


def two_tokens(
    target: CachedDecoder, draft: Draft, tokens: list[int], settings: Settings, rng: random.Random
) -> tuple[int, int]:
    """The first two tokens of one decoding; what was read of `tokens` stays in the cache."""
    decoded, grown = Decoded(settings), list(tokens)
    target.rewind(len(tokens) - 1)
    draft.rewind(len(tokens) - 1)
    while len(decoded.rows) < 2:
        one_pass(target, draft, grown, decoded, rng)
    return decoded.rows[0]["token"], decoded.rows[1]["token"]


def chi_square(counts: Tensor, expected: Tensor, fewest: float = 5.0) -> Exactness:
    """Pearson's test. The rarest cells become one, so that each cell expects `fewest` or more."""
    order = expected.argsort()
    rare = int(max((expected < fewest).sum(), (expected[order].cumsum(0) < fewest).sum() + 1))
    counts, expected = (torch.cat([x[order[:rare]].sum()[None], x[order[rare:]]]).double() for x in (counts, expected))
    chi = float(((counts - expected) ** 2 / expected).sum())
    df = len(counts) - 1
    p = torch.special.gammaincc(torch.tensor(df / 2, dtype=torch.double), torch.tensor(chi / 2, dtype=torch.double))
    return Exactness(chi, df, float(p))


def _averages(decoded: Decoded) -> Row:
    return {name: getattr(decoded, name) for name in ("acceptance", "tokens_per_pass", "bits")}
