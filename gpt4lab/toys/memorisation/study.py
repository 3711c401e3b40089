"""What a model learned by heart: canaries planted in its text, each more often than the one before.

After the training a secret is *extracted* if the model, given the last bytes of the prompt, goes on with it letter by
letter, always taking the likeliest byte. Its *exposure* is its rank, in bits, among secrets of its kind that were never
planted (Carlini 2019: by plain rank, so at most 8 bits for 255 of them; a canary never planted has 1.4 on the mean).
Carlini (2022) finds the extracted share straight in the logarithm of duplicates, of model size, and of the prompt's
length; `laws` puts the same lines through the toy, whose share goes from none to all within a hundredfold: a line is a
summary of an S there. The canaries are half of the text here; no real text is so full of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import groupby, product
from math import log10
from statistics import mean
from typing import ClassVar

from attrs import frozen

from gpt4lab.formulas.fit import line
from gpt4lab.formulas.memorisation import exposure
from gpt4lab.rows import Row
from gpt4lab.toys.core.corpus import Corpus
from gpt4lab.toys.core.study import Found, Study, Trained, columns
from gpt4lab.toys.core.training import require_whole, training_rows
from gpt4lab.toys.core.transformer import Transformer, build_model, count_parameters
from gpt4lab.toys.memorisation.canaries import (
    CONTEXT,
    KINDS,
    LIVE_BYTES,
    ROWS,
    Canary,
    ask,
    canaries,
    epoch_steps,
    shape,
    with_lines,
)

REFERENCES = 255  # canaries that were never planted, to rank against


@frozen
class Memorisation(Study):
    """Models of each width and seed, asked for `each` canaries of each kind and number of duplicates, by epochs.

    prompt_bytes: given to the model. canaries: how many were asked for; extracted: share; exposure: mean, in bits.
    Before the last epoch the learning rate is still high. 0 duplicates are the control.
    """

    name = "memorisation"
    columns = columns(
        "width 1, seed 1, parameters param, epochs x, kind, duplicates x, prompt_bytes byte, canaries 1, "
        "extracted fraction, exposure bit"
    )
    # Two minutes of one core.
    recorded: ClassVar = {"widths": (16, 32, 64), "epochs": (1, 2, 4), "seeds": 3, "bytes_per_domain": LIVE_BYTES}
    fixed: ClassVar = {"references": REFERENCES}

    corpus: Corpus
    widths: Sequence[int] = (64,)
    epochs: Sequence[int] = (1, 3)
    each: int = 4
    seeds: int = 1
    prompt_bytes: Sequence[int] = (6, 12, 24)

    def cases(self) -> list[Row]:
        """By seed and width."""
        require_whole(each=self.each, seeds=self.seeds)
        if not (self.widths and self.epochs and self.prompt_bytes):
            raise ValueError("widths, epochs and prompt_bytes: give at least one of each")
        for after, given in product(self.epochs, self.prompt_bytes):
            require_whole(epochs=after, prompt_bytes=given)
        for width in self.widths:
            shape(width)
        return [{"width": width, "seed": seed} for seed in range(self.seeds) for width in self.widths]

    def length(self, case: Row) -> int:
        """All epochs."""
        return max(self.epochs) * epoch_steps(self._planted(case)[1])

    def train(self, case: Row) -> Trained:
        """A row with loss and tokens; one found for each epoch, kind, prompt and number of duplicates."""
        (planted, text), seed = self._planted(case), case["seed"]
        model, steps = build_model(shape(case["width"]), seed), epoch_steps(text)
        rows = training_rows(model, text.sampler(ROWS, CONTEXT), max(self.epochs) * steps, seed)
        for i, row in enumerate(rows, 1):
            yield {"loss": row["loss"], "tokens": row["tokens"]}
            if i % steps == 0 and i // steps in self.epochs:
                about = {"parameters": count_parameters(model).total, "epochs": i // steps}
                yield Found({**about, **found} for found in _asked(model, planted, self.prompt_bytes))

    def _planted(self, case: Row) -> tuple[list[Canary], Corpus]:
        planted = canaries(self.each, case["seed"])
        copies = [canary.prompt + canary.secret for canary in planted for _ in range(canary.duplicates)]
        return planted, with_lines(self.corpus, copies, case["seed"])


def laws(rows: Iterable[Row]) -> list[Row]:
    """Carlini's lines through the toy's rows: the extracted share against the logarithm of each cause that varies.

    Rows: law, slope (share won for ten times the cause), r_squared, exposure_slope (bits for ten times), and points:
    the means over everything else. All rows but the controls count.
    """
    planted = [row for row in rows if row["duplicates"]]
    causes = ("duplicates", "parameters", "prompt_bytes", "epochs")
    return [_law(cause, planted) for cause in causes if len({row[cause] for row in planted}) > 1]


def _law(cause: str, rows: Sequence[Row]) -> Row:
    values = sorted({row[cause] for row in rows})
    points = [
        {cause: v, **{of: mean(r[of] for r in rows if r[cause] == v) for of in ("extracted", "exposure")}}
        for v in values
    ]
    x = [log10(v) for v in values]
    share, rank = (line(x, [point[of] for point in points]) for of in ("extracted", "exposure"))
    slopes = {"slope": share.slope, "r_squared": share.r_squared, "exposure_slope": rank.slope}
    return {"law": cause, **slopes, "points": points}


def _asked(model: Transformer, planted: Sequence[Canary], prompt_bytes: Sequence[int]) -> list[Row]:
    """One row for each kind, length of the prompt and number of duplicates."""
    rng, found = random.Random("never planted"), []
    for kind, make in KINDS.items():
        others = [Canary(kind, *make(rng)) for _ in range(REFERENCES)]
        mine = [canary for canary in planted if canary.kind == kind]
        for given in prompt_bytes:
            rows = zip(mine, *_answers(model, mine, others, given), strict=True)
            for n, group in groupby(rows, key=lambda row: row[0].duplicates):
                _, out, rank = zip(*group, strict=True)
                about = {"kind": kind, "duplicates": n, "prompt_bytes": given, "canaries": len(out)}
                found.append({**about, "extracted": sum(out) / len(out), "exposure": mean(rank)})
    return found


def _answers(
    model: Transformer, mine: Sequence[Canary], others: Sequence[Canary], given: int
) -> tuple[list[bool], list[float]]:
    """Of each canary: was it extracted, and its exposure in bits."""
    _, reference = ask(model, others, given)
    extracted, cost = ask(model, mine, given)
    ranks = 1 + (reference < cost[:, None]).sum(1)  # (canaries,)
    return extracted.tolist(), [exposure(rank, len(others) + 1) for rank in ranks.tolist()]
