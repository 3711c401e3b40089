"""Train short, then extend: what a model does behind the last position that it was trained on, and what mends it.

Rotary positions (Su 2021) give an angle to any position, so a model can be asked about places four times as far as it
ever saw: "raw" does just that. "interpolated" squeezes all positions into the angles seen in training (Chen 2023).
"ntk" slows the turning of the slow pairs only, by a larger base (as told in YaRN, Peng 2023, section 3.1). Each is
measured before and after a few steps on long text, beside a model that saw long text from the start.

At this size nothing is won by reading further back than some 50 bytes, so the best that an extension can do here is a
flat line: it shows what breaks and how quickly it heals, not what long context is good for.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import torch

from gpt4lab.checks.check import Check
from gpt4lab.quantities.topics.context import extension_share
from gpt4lab.rows import Row
from gpt4lab.toys.core.background import BackgroundRun, Work, timed
from gpt4lab.toys.core.corpus import Corpus
from gpt4lab.toys.core.training import bits, require_whole, training_rows
from gpt4lab.toys.core.transformer import ToyConfig, Transformer, build_model
from gpt4lab.toys.counting.flop import count_flop, meta_model
from gpt4lab.toys.decoding.cache import one_thread

WAYS = ("raw", "interpolated", "ntk")
CONTROL = "long from the start"
BUCKETS = 8  # the long context is measured in eighths
HELD_OUT_ROWS = 256
FINE_TUNE_LR = 0.01  # a third of the training's
MODEL = ToyConfig()


@dataclass(frozen=True)
class Plan:
    """Contexts in bytes, steps at each, bytes of one step (at either context), and the model. ValueError if amiss."""

    short: int = 64
    long: int = 256
    steps: int = 200
    fine_tune: int = 40
    batch_tokens: int = 1024
    config: ToyConfig = MODEL

    def __post_init__(self) -> None:
        require_whole(**{name: value for name, value in vars(self).items() if name != "config"})
        if self.long <= self.short:
            raise ValueError(f"long must be more than short, {self.short} bytes, not {self.long}")
        if self.long % BUCKETS or self.batch_tokens % self.short or self.batch_tokens % self.long:
            raise ValueError(f"long must be a multiple of {BUCKETS}, and batch_tokens one of short and of long: {self}")

    @property
    def all_steps(self) -> int:
        """Steps of the short model, of each fine-tuning, and of the control, which sees as many bytes as both."""
        return 2 * self.steps + (len(WAYS) + 1) * self.fine_tune


PLAN = Plan()


def extend_context(corpus: Corpus, plan: Plan = PLAN, seed: int = 0, name: str = "context") -> BackgroundRun[list[Row]]:
    """Train short, extend in each way, fine-tune each, train the control, in the background.

    Rows of the result: way, fine_tuned, position (the middle of an eighth of the long context), bpb (held out, bits
    per byte, over that eighth; every model reads the same text), tokens (bytes trained on so far), cpu_s (of that).
    """
    result: list[Row] = []
    return BackgroundRun(_all_rows(corpus, plan, seed, result), result, plan.all_steps, name).start()


def stretched(config: ToyConfig, way: str, times: float) -> ToyConfig:
    """The same model for a context `times` as long. ValueError for an unknown way."""
    width = config.head_width
    changes = {
        "raw": config,
        "interpolated": replace(config, rope_scale=config.rope_scale / times),
        "ntk": replace(config, rope_base=config.rope_base * times ** (width / (width - 2))),
    }
    if way not in changes:
        raise ValueError(f"way must be one of {', '.join(WAYS)}, not {way!r}")
    return changes[way]


def share_check(result: list[Row], plan: Plan = PLAN) -> Check:
    """Bytes of one fine-tuning over those of the training, counted in a run."""
    tokens = {row["fine_tuned"]: row["tokens"] for row in result if row["way"] in WAYS}
    if len(tokens) < 2:
        raise ValueError("the run was stopped before its first fine-tuning: there is no share to count")
    predicted = float(extension_share(plan.steps * plan.batch_tokens, plan.fine_tune, plan.batch_tokens))
    return Check("share of the fine-tuning", predicted, tokens[True] / tokens[False] - 1, "fraction")


def cost_rows(corpus: Corpus, plan: Plan = PLAN, repeats: int = 8) -> list[Row]:
    """What a token costs at each context: FLOP of a forward pass, the scores' share of it, CPU time of training.

    flop and share are counted by torch, with the full square of scores; flop_ratio and cpu_ratio are relative to the
    short context.
    """
    contexts = (plan.short, plan.long)
    rows = [
        {"context": context, **_flop(plan.config, context), "cpu_us_per_token": seconds * 1e6}
        for context, seconds in zip(contexts, _seconds(corpus, plan, contexts, repeats), strict=True)
    ]
    ratios = {"flop_ratio": "flop", "cpu_ratio": "cpu_us_per_token"}
    return [{**row, **{name: row[of] / rows[0][of] for name, of in ratios.items()}} for row in rows]


def _all_rows(corpus: Corpus, plan: Plan, seed: int, result: list[Row]) -> Work:
    model, times = build_model(plan.config, seed), plan.long / plan.short
    spent = yield from _train(corpus, plan, model, seed, plan.steps, plan.short)
    models = {way: _with_weights(stretched(plan.config, way, times), model) for way in WAYS}
    for way, extended in models.items():
        result += _measured(corpus, plan, extended, {"way": way, "fine_tuned": False, **spent})
    for way, extended in models.items():
        more = yield from _train(corpus, plan, extended, seed + 1, plan.fine_tune, plan.long, FINE_TUNE_LR)
        both = {key: spent[key] + more[key] for key in spent}
        result += _measured(corpus, plan, extended, {"way": way, "fine_tuned": True, **both})
    control = build_model(plan.config, seed)
    spent = yield from _train(corpus, plan, control, seed, plan.steps + plan.fine_tune, plan.long)
    result += _measured(corpus, plan, control, {"way": CONTROL, "fine_tuned": False, **spent})


def _train(
    corpus: Corpus, plan: Plan, model: Transformer, seed: int, steps: int, context: int, lr: float = 0.03
) -> Generator[Row, None, Row]:
    """The rows of one training; returns the bytes it took and their CPU time."""
    row: Row = {}
    data = corpus.sampler(plan.batch_tokens // context, context)
    for row in timed(training_rows(model, data, steps, seed, lr)):
        yield {"context": context, "loss": row["loss"]}
    return {key: row[key] for key in ("tokens", "cpu_s")}


def _with_weights(config: ToyConfig, model: Transformer) -> Transformer:
    """A copy that differs only in what its config says about positions."""
    copy = build_model(config)
    copy.load_state_dict(model.state_dict())
    return copy


def _measured(corpus: Corpus, plan: Plan, model: Transformer, case: Row) -> list[Row]:
    batch = corpus.batch(HELD_OUT_ROWS, plan.long, torch.Generator().manual_seed(0), "held-out")
    wide = plan.long // BUCKETS
    by_bucket = bits(model, batch).mean(0).unflatten(0, (BUCKETS, wide)).mean(1)  # (BUCKETS,)
    return [{**case, "position": (i + 0.5) * wide, "bpb": bpb} for i, bpb in enumerate(by_bucket.tolist())]


def _flop(config: ToyConfig, context: int) -> Row:
    counted = count_flop(meta_model(config), context)
    flop = sum(counted.values())
    return {"flop": flop, "share": counted["attention scores"] / flop}


def _seconds(corpus: Corpus, plan: Plan, contexts: tuple[int, ...], repeats: int) -> list[float]:
    """CPU time of a training step by its bytes, at each context; they take turns, and the first step warms up."""
    runs = [
        timed(training_rows(build_model(plan.config), corpus.sampler(plan.batch_tokens // c, c), repeats + 1))
        for c in contexts
    ]
    with one_thread():
        turns = list(zip(*runs, strict=True))
    spent = [[row["cpu_s"] for row in rows] for rows in zip(*turns, strict=True)]
    return [median(b - a for a, b in pairwise(times)) / plan.batch_tokens for times in spent]
