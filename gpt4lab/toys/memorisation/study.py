"""What a model learned by heart: canaries planted in its text, each more often than the one before.

After the training a secret is *extracted* if the model, given the last bytes of the prompt, goes on with it letter by
letter, always taking the likeliest byte. Its *exposure* is its rank, in bits, among secrets of its kind that were never
planted (Carlini 2019: by plain rank, so at most 8 bits for 255 of them; a canary never planted has 1.4 on the mean).
Carlini (2022) finds the extracted share straight in the logarithm of duplicates, of model size, and of the prompt's
length; `laws` puts the same lines through the toy, whose share goes from none to all within a hundredfold: a line is a
summary of an S there. The canaries are half of the text here; no real text is so full of them. The recorded run, over
sizes and seeds, is made anew with

    python -m gpt4lab.toys.memorisation.study
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, product
from math import log10
from statistics import mean

from gpt4lab.formulas.fit import line
from gpt4lab.formulas.memorisation import exposure
from gpt4lab.rows import Row
from gpt4lab.toys.core.background import BackgroundRun, Work
from gpt4lab.toys.core.corpus import Corpus, load_corpus
from gpt4lab.toys.core.training import require_whole, training_rows
from gpt4lab.toys.core.transformer import Transformer, build_model, count_parameters
from gpt4lab.toys.experts.scaling import save_recorded
from gpt4lab.toys.memorisation.canaries import (
    CONTEXT,
    KINDS,
    LIVE_BYTES,
    ROWS,
    Canary,
    ask,
    canaries,
    epoch_steps,
    learn,
    plant,
    recall,
    shape,
    with_lines,
)

__all__ = ["ask", "laws", "learn", "memorise", "plant", "recall"]

REFERENCES = 255  # canaries that were never planted, to rank against
RECORDED = {"widths": (16, 32, 64), "epochs": (1, 2, 4), "seeds": 3}


def memorise(
    widths: Sequence[int] = (64,),
    epochs: Sequence[int] = (1, 3),
    each: int = 4,
    seeds: int = 1,
    prompt_bytes: Sequence[int] = (6, 12, 24),
    corpus: Corpus | None = None,
    name: str = "memorisation",
) -> BackgroundRun[list[Row]]:
    """Plant `each` canaries of each kind and number of duplicates, 0 to 64, train, and ask for them after these epochs.

    Rows of the result: kind, duplicates, width, parameters, epochs, prompt_bytes (given to the model), seed, canaries
    (how many were asked for), extracted (share), exposure (mean, bits). Before the last epoch the learning rate is
    still high. 0 duplicates are the control.
    """
    require_whole(each=each, seeds=seeds)
    if not (widths and epochs and prompt_bytes):
        raise ValueError("widths, epochs and prompt_bytes: give at least one of each")
    for width in widths:
        shape(width)
    for after, given in product(epochs, prompt_bytes):
        require_whole(epochs=after, prompt_bytes=given)
    corpus, result = corpus or load_corpus(LIVE_BYTES), []
    cases = [(width, seed) for seed in range(seeds) for width in widths]
    garden = {seed: canaries(each, seed) for seed in range(seeds)}
    texts = {seed: with_lines(corpus, _copies(garden[seed]), seed) for seed in garden}
    rows = _all_rows(cases, texts, garden, sorted(set(epochs)), prompt_bytes, result)
    steps = sum(max(epochs) * epoch_steps(texts[seed]) for _, seed in cases)
    return BackgroundRun(rows, result, steps, name).start()


def laws(rows: Iterable[Row]) -> list[Row]:
    """Carlini's lines through the toy's rows: the extracted share against the logarithm of each cause that varies.

    Rows: law, slope (share won for ten times the cause), r_squared, exposure_slope (bits for ten times), and points:
    the means over everything else. All rows but the controls count.
    """
    planted = [row for row in rows if row["duplicates"]]
    return [
        _law(cause, planted)
        for cause in ("duplicates", "parameters", "prompt_bytes", "epochs")
        if len({row[cause] for row in planted}) > 1
    ]


def record() -> None:
    """Make the recorded run of the book: two minutes on one core."""
    run = memorise(**RECORDED).on_update(lambda run: print(run.progress, run.history[-1], flush=True), every_s=20)
    settings = {**RECORDED, "corpus": repr(load_corpus(LIVE_BYTES)), "references": REFERENCES}
    save_recorded("memorisation", "python -m gpt4lab.toys.memorisation.study", settings, run.wait().result)


def _law(cause: str, rows: Sequence[Row]) -> Row:
    values = sorted({row[cause] for row in rows})
    points = [
        {cause: v, **{of: mean(r[of] for r in rows if r[cause] == v) for of in ("extracted", "exposure")}}
        for v in values
    ]
    x = [log10(v) for v in values]
    share, rank = (line(x, [point[of] for point in points]) for of in ("extracted", "exposure"))
    return {
        "law": cause,
        "slope": share.slope,
        "r_squared": share.r_squared,
        "exposure_slope": rank.slope,
        "points": points,
    }


def _all_rows(
    cases: Sequence[tuple[int, int]],
    texts: Mapping[int, Corpus],
    garden: Mapping[int, list[Canary]],
    epochs: Sequence[int],
    prompt_bytes: Sequence[int],
    result: list[Row],
) -> Work:
    for width, seed in cases:
        model, steps = build_model(shape(width), seed), epoch_steps(texts[seed])
        case = {"width": width, "parameters": count_parameters(model).total, "seed": seed}
        sampler = texts[seed].sampler(ROWS, CONTEXT)
        for i, row in enumerate(training_rows(model, sampler, epochs[-1] * steps, seed), 1):
            if i % steps == 0 and i // steps in epochs:
                asked = _asked(model, garden[seed], prompt_bytes)
                result.extend({**case, "epochs": i // steps, **found} for found in asked)
            yield {**case, "loss": row["loss"], "tokens": row["tokens"], "reached": len(result)}


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
                found.append(
                    {
                        "kind": kind,
                        "duplicates": n,
                        "prompt_bytes": given,
                        "canaries": len(out),
                        "extracted": sum(out) / len(out),
                        "exposure": mean(rank),
                    }
                )
    return found


def _answers(
    model: Transformer, mine: Sequence[Canary], others: Sequence[Canary], given: int
) -> tuple[list[bool], list[float]]:
    """Of each canary: was it extracted, and its exposure in bits."""
    _, reference = ask(model, others, given)
    extracted, cost = ask(model, mine, given)
    ranks = 1 + (reference < cost[:, None]).sum(1)  # (canaries,)
    return extracted.tolist(), [exposure(rank, len(others) + 1) for rank in ranks.tolist()]


def _copies(planted: Sequence[Canary]) -> list[str]:
    return [canary.prompt + canary.secret for canary in planted for _ in range(canary.duplicates)]


if __name__ == "__main__":
    record()
