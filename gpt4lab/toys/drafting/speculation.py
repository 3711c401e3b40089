"""Exact speculative decoding (Leviathan 2023, 2211.17192): a draft proposes gamma tokens, one pass checks them all.

p is the target's distribution, q the draft's. A drafted token x is accepted with probability min(1, p(x) / q(x)); at
the first refusal a token is drawn from the residual max(0, p - q), normalised; if all are accepted the pass yields one
more, the bonus. The tokens are then distributed exactly as if the target had drawn each of them.

Lenience l (Appendix A.5) puts l q in place of q: with l < 1 more is accepted, and the text is no longer the target's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from gpt4lab.quantities.topics.speculation import tokens_per_pass
from gpt4lab.rows import Row
from gpt4lab.toys.core.corpus import decode, encode
from gpt4lab.toys.decoding.cache import one_thread
from gpt4lab.toys.decoding.cached import CachedDecoder
from gpt4lab.toys.drafting.drafts import Draft, soften

SUMMED = ("rows", "passes", "drafted", "target_s", "draft_s", "cpu_s", "seconds")


@dataclass(frozen=True)
class Settings:
    """gamma: drafted tokens a pass (0: plain decoding). lenience: 1 is exact."""

    gamma: int = 4
    temperature: float = 0.7
    lenience: float = 1.0

    def __post_init__(self) -> None:
        if self.gamma < 0 or self.temperature < 0 or not 0 < self.lenience <= 1:
            raise ValueError("gamma and temperature must be at least 0, lenience above 0 and at most 1")


DEFAULT = Settings()


@dataclass
class Decoded:
    """What a decoding gave. One row a token: position, pass, label, token, refused (drafted instead), bits.

    label: "accepted" from the draft; "rejected": the target's own, in place of a refused draft; "bonus": the target's
    own, after gamma accepted ones. bits: the target's surprise at the token, at the temperature of the sampling.
    """

    settings: Settings
    rows: list[Row] = field(default_factory=list)
    passes: int = 0
    drafted: int = 0
    target_s: float = 0.0  # CPU time of this thread, which a busy machine does not stretch
    draft_s: float = 0.0
    cpu_s: float = 0.0  # of all the decoding, without reading the prompt
    seconds: float = 0.0  # wall clock of the same

    def __add__(self, other: Decoded) -> Decoded:
        """Both together, for averages over several prompts."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in SUMMED}
        return replace(self, **sums)

    @property
    def text(self) -> str:
        """The new text."""
        return decode(torch.tensor([row["token"] for row in self.rows]))

    @property
    def tokens_per_pass(self) -> float:
        """Block efficiency, 1 to gamma + 1."""
        return len(self.rows) / self.passes

    @property
    def acceptance(self) -> float:
        """alpha: accepted drafts per draft that was judged (those behind a refusal are not)."""
        judged = sum(row["label"] != "bonus" for row in self.rows)
        return sum(row["label"] == "accepted" for row in self.rows) / max(1, judged)

    @property
    def bits(self) -> float:
        """Mean surprise of the target a token: rises when lenience lets in what it would not have said."""
        return sum(row["bits"] for row in self.rows) / len(self.rows)

    @property
    def formula(self) -> float:
        """Tokens per pass that the measured acceptance predicts, (1 - alpha^(gamma+1)) / (1 - alpha)."""
        if self.acceptance == 1:
            return self.settings.gamma + 1
        return float(tokens_per_pass(self.acceptance, self.settings.gamma))


def speculate(
    target: CachedDecoder, draft: Draft, prompt: str, length: int = 128, settings: Settings = DEFAULT, seed: int = 0
) -> Decoded:
    """Continue a prompt of two bytes or more by at least `length`: the last pass may bring more.

    The target's context must hold the prompt, `length` and gamma; ValueError if it does not.
    """
    tokens, rng = encode(prompt).tolist(), random.Random(seed)
    with one_thread():
        for model in (target, draft):
            model.rewind(0)
            model.next(tokens[:-1], settings.temperature)
        decoded, begin, cpu_begin = Decoded(settings), time.perf_counter(), time.thread_time()
        while len(decoded.rows) < length:
            one_pass(target, draft, tokens, decoded, rng)
        decoded.seconds, decoded.cpu_s = time.perf_counter() - begin, time.thread_time() - cpu_begin
    return decoded


def one_pass(target: CachedDecoder, draft: Draft, tokens: list[int], decoded: Decoded, rng: random.Random) -> None:
    """Draft, check, keep: `tokens` and `decoded` grow by 1 to gamma + 1 tokens."""
    start, begin = len(tokens), time.thread_time()
    guesses, q = propose(draft, tokens, decoded.settings, rng)
    drafted = time.thread_time()
    p = soften(target.read(tokens + guesses)[-len(guesses) - 1 :], decoded.settings.temperature)  # (gamma + 1, V)
    checked = time.thread_time()
    rows = judge(p, q, guesses, decoded.settings.lenience, rng)
    tokens += [row["token"] for row in rows]
    target.rewind(len(tokens) - 1)  # the newest token was drawn, not read
    draft.rewind(len(tokens) - 1)
    decoded.passes, decoded.drafted = decoded.passes + 1, decoded.drafted + len(guesses)
    decoded.draft_s, decoded.target_s = decoded.draft_s + drafted - begin, decoded.target_s + checked - drafted
    decoded.rows += [{"position": start + i, "pass": decoded.passes, **row} for i, row in enumerate(rows)]


def propose(draft: Draft, tokens: list[int], settings: Settings, rng: random.Random) -> tuple[list[int], list[Tensor]]:
    """gamma tokens drawn from the draft, and the distribution q (V,) that each was drawn from."""
    guesses: list[int] = []
    q: list[Tensor] = []
    for _ in range(settings.gamma):
        q.append(draft.next(tokens + guesses, settings.temperature))
        guesses.append(draw(q[-1], rng))
    return guesses, q


def judge(p: Tensor, q: Sequence[Tensor], guesses: Sequence[int], lenience: float, rng: random.Random) -> list[Row]:
    """Algorithm 1 after the pass: p (gamma + 1, V), a q (V,) for each guess; at least one row comes out."""
    rows: list[Row] = []
    for i, x in enumerate(guesses):
        if rng.random() * lenience * float(q[i][x]) < float(p[i, x]):
            rows.append({"label": "accepted", "token": x, "refused": None})
            continue
        residual = (p[i] - lenience * q[i]).clamp(min=0)
        rows.append({"label": "rejected", "token": draw(residual, rng), "refused": x})
        break
    else:
        rows.append({"label": "bonus", "token": draw(p[len(guesses)], rng), "refused": None})
    bits = -p[range(len(rows)), [row["token"] for row in rows]].log2()
    return [row | {"bits": b} for row, b in zip(rows, bits.tolist(), strict=True)]


def draw(weights: Tensor, rng: random.Random) -> int:
    """A token drawn in proportion to the weights (V,), which need not sum to 1."""
    return rng.choices(range(len(weights)), weights.tolist())[0]
