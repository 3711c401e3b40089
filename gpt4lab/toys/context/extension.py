"""Train short, then extend: what a model does behind the last position that it was trained on, and what mends it.

Rotary positions (Su 2021) give an angle to any position, so a model can be asked about places four times as far as it
ever saw: "none" does just that. The other ways bend the rotations first (`formulas.rotary`). Each is measured before
and after a few steps on long text, beside a model that saw long text from the start.

At this size nothing is won by reading further back than some 50 bytes, so the best that an extension can do here is a
flat line: it shows what breaks and how quickly it heals, not what long context is good for.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import ClassVar

import torch
from attrs import frozen

from gpt4lab.checks.check import Check
from gpt4lab.formulas.rotary import WAYS, bent, gain
from gpt4lab.quantities.topics.context import extension_share
from gpt4lab.rows import Row
from gpt4lab.toys.core.background import timed
from gpt4lab.toys.core.corpus import Corpus
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import bits, require_whole, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model
from gpt4lab.toys.counting.flop import count_flop, meta_model
from gpt4lab.toys.decoding.cache import one_thread

CONTROL = "long from the start"
HELD_OUT_ROWS = 256
FINE_TUNE_LR = 0.01  # a third of the training's
MODEL = ToyConfig()


@frozen
class Extension(Study):
    """Train short, extend in each way, fine-tune each, train the control, which sees as many bytes as both.

    short, long: contexts in bytes; batch_tokens: bytes of a step at either. position: the middle of one of the
    `buckets` of the long context; bpb: held out, over that part (every model reads the same text); tokens, cpu_s:
    trained on so far. ValueError for numbers that do not go together.
    """

    name = "context"
    recorded: ClassVar = {"seeds": 3, "long": 512, "buckets": 32}
    fixed: ClassVar = {"lr": 0.03, "fine_tune_lr": FINE_TUNE_LR, "held_out_rows": HELD_OUT_ROWS}
    columns = columns("seed 1, way, fine_tuned, tokens token, cpu_s s, position byte, bpb bit/byte")

    corpus: Corpus
    short: int = 64
    long: int = 256
    steps: int = 200
    fine_tune: int = 40
    batch_tokens: int = 1024
    config: ToyConfig = MODEL
    buckets: int = 8
    seed: int = 0
    seeds: int = 1

    def __attrs_post_init__(self) -> None:
        names = ("short", "long", "steps", "fine_tune", "batch_tokens", "buckets", "seeds")
        require_whole(**{name: getattr(self, name) for name in names})
        if self.long <= self.short:
            raise ValueError(f"long must be more than short, {self.short} bytes, not {self.long}")
        if self.long % self.buckets or self.batch_tokens % self.short or self.batch_tokens % self.long:
            raise ValueError(
                f"long must be a multiple of {self.buckets}, and batch_tokens one of short and of long: {self}"
            )

    def cases(self) -> list[Row]:
        """One a seed: all ways go on from the same short model."""
        return [{"seed": self.seed + more} for more in range(self.seeds)]

    def length(self, case: Row) -> int:
        """Steps of the short model, of each fine-tuning, and of the control."""
        return 2 * self.steps + (len(WAYS) + 1) * self.fine_tune

    def train(self, case: Row) -> Trained:
        """A row with context and loss; a part found at a time, of one model after another."""
        model, times = build_model(self.config, case["seed"]), self.long / self.short
        spent = yield from self._train(model, case["seed"], self.steps, self.short)
        models = {way: with_weights(stretched(self.config, way, times, self.short), model) for way in WAYS}
        for way, extended in models.items():
            yield self._measured(extended, {"way": way, "fine_tuned": False, **spent})
        for way, extended in models.items():
            more = yield from self._train(extended, case["seed"] + 1, self.fine_tune, self.long, FINE_TUNE_LR)
            both = {key: spent[key] + more[key] for key in spent}
            yield self._measured(extended, {"way": way, "fine_tuned": True, **both})
        control = build_model(self.config, case["seed"])
        spent = yield from self._train(control, case["seed"], self.steps + self.fine_tune, self.long)
        yield self._measured(control, {"way": CONTROL, "fine_tuned": False, **spent})

    def _train(
        self, model: Transformer, seed: int, steps: int, context: int, lr: float = 0.03
    ) -> Generator[Row, None, Row]:
        """The rows of one training; returns the bytes it took and their CPU time."""
        row, data = {}, self.corpus.sampler(self.batch_tokens // context, context)
        for row in timed(training_rows(model, data, steps, seed, lr)):
            yield {"context": context, "loss": row["loss"]}
        return {key: row[key] for key in ("tokens", "cpu_s")}

    def _measured(self, model: Transformer, about: Row) -> Found:
        found = by_position(model, self.corpus, self.long, self.buckets)
        return Found({**about, "position": position, "bpb": bpb} for position, bpb in found)


def by_position(
    model: Transformer, corpus: Corpus, long: int, buckets: int, rows: int = HELD_OUT_ROWS
) -> list[tuple[float, float]]:
    """Middle of each part of the long context, in bytes, and held-out bits per byte there."""
    batch = corpus.batch(rows, long, torch.Generator().manual_seed(0), "held-out")
    parts = bits(model, batch).mean(0).unflatten(0, (buckets, long // buckets)).mean(1)  # (buckets,)
    return [((i + 0.5) * long / buckets, bpb) for i, bpb in enumerate(parts.tolist())]


def stretched(config: ToyConfig, way: str, times: float, trained: int) -> ToyConfig:
    """The same model for a context `times` as long as the `trained` one. ValueError for an unknown way."""
    turns = bent(way, times, trained, config.head_width, config.rope_base)
    return replace(config, rope_bent=tuple(turns), rope_gain=gain(way, times))


def share_check(result: list[Row], plan: Extension) -> Check:
    """Bytes of one fine-tuning over those of the training, counted in a run."""
    tokens = {row["fine_tuned"]: row["tokens"] for row in result if row["way"] in WAYS}
    if len(tokens) < 2:
        raise ValueError("the run was stopped before its first fine-tuning: there is no share to count")
    predicted = float(extension_share(plan.steps * plan.batch_tokens, plan.fine_tune, plan.batch_tokens))
    return Check("share of the fine-tuning", predicted, tokens[True] / tokens[False] - 1, "fraction")


def cost_rows(plan: Extension, repeats: int = 8) -> list[Row]:
    """What a token costs at each context: FLOP of a forward pass, the scores' share of it, CPU time of training.

    flop and share are counted by torch, with the full square of scores; flop_ratio and cpu_ratio are relative to the
    short context.
    """
    contexts = (plan.short, plan.long)
    rows = [
        {"context": context, **_flop(plan.config, context), "cpu_us_per_token": seconds * 1e6}
        for context, seconds in zip(contexts, _seconds(plan, contexts, repeats), strict=True)
    ]
    ratios = {"flop_ratio": "flop", "cpu_ratio": "cpu_us_per_token"}
    return [{**row, **{name: row[of] / rows[0][of] for name, of in ratios.items()}} for row in rows]


def with_weights(config: ToyConfig, model: Transformer) -> Transformer:
    """A copy that differs only in what its config says about positions."""
    copy = build_model(config)
    copy.load_state_dict(model.state_dict())
    return copy


def _flop(config: ToyConfig, context: int) -> Row:
    counted = count_flop(meta_model(config), context)
    flop = sum(counted.values())
    return {"flop": flop, "share": counted["attention scores"] / flop}


def _seconds(plan: Extension, contexts: tuple[int, ...], repeats: int) -> list[float]:
    """CPU time of a training step by its bytes, at each context; they take turns, and the first step warms up."""
    runs = [
        timed(training_rows(build_model(plan.config), plan.corpus.sampler(plan.batch_tokens // c, c), repeats + 1))
        for c in contexts
    ]
    with one_thread():
        turns = list(zip(*runs, strict=True))
    spent = [[row["cpu_s"] for row in rows] for rows in zip(*turns, strict=True)]
    return [median(b - a for a, b in pairwise(times)) / plan.batch_tokens for times in spent]
