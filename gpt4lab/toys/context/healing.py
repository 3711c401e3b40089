"""One toy, trained on 64 bytes: asked further with bent rotations, at once, and then healed by a few steps."""

from __future__ import annotations

from functools import cache

from attrs import frozen

from gpt4lab.rows import Row
from gpt4lab.toys.context.extension import FINE_TUNE_LR, MODEL, by_position, stretched, with_weights
from gpt4lab.toys.core.corpus import Corpus, load_corpus
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import training_rows
from gpt4lab.toys.core.transformer import Transformer, build_model

SHORT, STEPS, BATCH = 64, 200, 1024  # bytes, steps, bytes of a step; as `Extension` has them
PARTS, ROWS = 8, 96  # of a trained context; texts to measure with, so that a slider need not wait


@cache
def short_model(seed: int = 0) -> Transformer:
    """The toy that never saw more than 64 bytes; trained once, in some seconds."""
    model = build_model(MODEL, seed)
    for _ in training_rows(model, load_corpus().sampler(BATCH // SHORT, SHORT), STEPS, seed):
        pass
    return model


def bent_model(way: str, times: int) -> Transformer:
    """The same weights, with rotations bent for a context `times` as long."""
    return with_weights(stretched(MODEL, way, times, SHORT), short_model())


def loss_by_position(model: Transformer, times: int) -> list[tuple[float, float]]:
    """Middle of each eighth of a trained context, in trained contexts, and held-out bits per byte there."""
    whole = SHORT * times
    found = by_position(model, load_corpus(), whole, PARTS * whole // SHORT, ROWS)
    return [(position / SHORT, bpb) for position, bpb in found]


@frozen
class Healing(Study):
    """Fine-tune the bent toy on long text; its loss by position every ten steps."""

    name = "healing"
    columns = columns("way, times x, step step, at x, bpb bit/byte")

    corpus: Corpus
    way: str = "interpolation"
    times: int = 4
    steps: int = 40

    def cases(self) -> list[Row]:
        """One."""
        return [{"way": self.way, "times": self.times}]

    def train(self, case: Row) -> Trained:
        """Before the first step, after every tenth, and after the last."""
        model, long = bent_model(self.way, self.times), SHORT * self.times
        yield self._found(model, 0)
        data = self.corpus.sampler(max(1, BATCH // long), long)
        for step, row in enumerate(training_rows(model, data, self.steps, 1, FINE_TUNE_LR), 1):
            if step % 10 == 0 or step == self.steps:
                yield self._found(model, step)
            yield {"loss": row["loss"]}

    def _found(self, model: Transformer, step: int) -> Found:
        return Found({"step": step, "at": at, "bpb": bpb} for at, bpb in loss_by_position(model, self.times))
