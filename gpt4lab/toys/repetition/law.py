"""What repeated text is worth: the rows of `repetition` turned into fresh bytes, beside the published law.

Each kind of text and each width stands for itself: `fresh` models of the same make are the measure of a repeated one.

Muennighoff 2023: e readings of U unique tokens teach as much as D' = U + U R* (1 - exp(-R / R*)) fresh ones, with
R = e - 1 and R* = 15.4. Here D' is read off the fresh models of the same width, and R* is fitted anew.

Expect no universal R*. What decides is the size of the model against its unique text: in the recorded run the narrow
toy hardly notices sixteen readings, the wide one learns the text by heart, and after 64 its held-out loss is above that
of a single reading, where no D' of the law can follow (D' >= U). That the width between fits the published R* is luck.
The shape differs too: worth falls late and then steeply, not from the second reading on. The law was fitted with
dropout and weight decay; the toy has neither, and what the paper says of excess parameters is left out here.
Needs no torch.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence
from statistics import mean
from typing import Any

from gpt4lab.catalog import constants
from gpt4lab.quantities.topics.data import effective
from gpt4lab.rows import Row

Points = list[tuple[float, float]]  # points (x, y), x rising
MOST_EPOCHS = 16  # beyond, models of this size mostly recite
LEAST_BITS = 1e-4  # the rows are rounded to this: less does not tell one loss, or one R*, from another
R_STARS = [10 ** (i / 100) for i in range(-200, 301)]  # tried in the fit; at 1,000 repeating costs nothing


def published_r_star() -> float:
    """R* of tokens in Muennighoff 2023."""
    return constants["repetition"].need("R_D_star")


def worth_by_law(epochs: float, r_star: float = published_r_star()) -> float:
    """What a token is worth that is one of so many readings, in fresh ones."""
    return effective(1, epochs, r_star) / epochs


def worth_rows(results: Sequence[Row], up_to: int = MOST_EPOCHS) -> list[Row]:
    """What e readings are worth: one row for each text, width and number of epochs above 1, means over the seeds.

    worth: fresh bytes with the same held-out loss, over the bytes trained on; None if every fresh model is better.
    low, high: the least and the most that a seed on its own says. law, fitted: the same by the law, with the published
    R* and with that of `fit_rows`. within: whether the law can say it with any R*: the readings together are worth at
    least one. ValueError without two lengths of fresh models.
    """
    fitted = {(row["text"], row["d_model"]): row["R_star"] for row in fit_rows(results, up_to)}
    return [
        {**row, "law": worth_by_law(row["epochs"]), "fitted": worth_by_law(row["epochs"], fitted[make])}
        for make, found in _makes(results).items()
        for row in _measured(found)
    ]


def fit_rows(results: Sequence[Row], up_to: int = MOST_EPOCHS) -> list[Row]:
    """R* of each text and width: least squares in bits per byte, over epochs `up_to` this that are `within` the law.

    low, high: the seeds, each fitted on its own. rms: the misfit that remains, bits per byte. epochs: those used;
    R_star is nan without any, and where no R* fits better than another. published: the paper's R*.
    """
    rows = []
    for (text, d_model), found in _makes(results).items():
        epochs = [row["epochs"] for row in _measured(found) if row["within"] and row["epochs"] <= up_to]
        r_star, rms = _fit(found, epochs)
        seeds = [_fit(one, epochs)[0] for one in _by(found, "seed").values()]
        spread = {"low": min(seeds), "high": max(seeds), "rms": rms, "epochs": epochs, "published": published_r_star()}
        rows.append({"text": text, "d_model": d_model, "R_star": r_star, **spread})
    return rows


def _makes(results: Sequence[Row]) -> dict[tuple[str, int], list[Row]]:
    """Rows by text and width."""
    return {
        (text, d_model): found
        for text, read in _by(results, "text").items()
        for d_model, found in _by(read, "d_model").items()
    }


def _measured(results: Sequence[Row]) -> list[Row]:
    """Rows of one text and width, but for the law."""
    return [_worth(rows, results) for e, rows in _by(results, "epochs").items() if e > 1]


def _worth(rows: Sequence[Row], results: Sequence[Row]) -> Row:
    same = ("text", "d_model", "params", "epochs", "unique_bytes", "tokens")
    bpb = {of: mean(row[of] for row in rows) for of in ("train_bpb", "held_out_bpb")}
    fresh, seeds = _fresh(results), _by(results, "seed")
    row = {**{name: rows[0][name] for name in same}, **bpb, "fresh_bpb": fresh[-1][1]}
    worth = _fresh_share(fresh, bpb["held_out_bpb"], row["tokens"])
    each = [_fresh_share(_fresh(seeds[one["seed"]]), one["held_out_bpb"], one["tokens"]) for one in rows]
    known = [share or 0 for share in each]  # a seed whose model is worse than every fresh one: as good as nothing
    found = {"worth": worth, "low": min(known), "high": max(known)}
    return {**row, **found, "within": worth is not None and worth * row["epochs"] >= 1}


def _fresh_share(fresh: Points, loss: float, tokens: int) -> float | None:
    """Fresh bytes with this loss, over those trained on; None where every fresh model is better."""
    by_loss = sorted((there, log_tokens) for log_tokens, there in fresh)
    return math.exp(_line(by_loss, loss)) / tokens if loss <= by_loss[-1][0] else None


def _fit(results: Sequence[Row], epochs: Sequence[int]) -> tuple[float, float]:
    """The best of `R_STARS`, and its misfit."""
    fresh, repeated = _fresh(results), [row for row in results if row["epochs"] in epochs]
    if not repeated:
        return math.nan, math.nan

    def misfit(r_star: float) -> float:
        said = [effective(row["unique_bytes"], row["epochs"], r_star) for row in repeated]
        errors = [_line(fresh, math.log(d)) - row["held_out_bpb"] for d, row in zip(said, repeated, strict=True)]
        return math.sqrt(mean(error**2 for error in errors))

    misfits = {r_star: misfit(r_star) for r_star in R_STARS}
    best = min(R_STARS, key=misfits.__getitem__)
    told_apart = max(misfits.values()) - misfits[best] > LEAST_BITS
    return best if told_apart else math.nan, misfits[best]


def _fresh(results: Sequence[Row]) -> Points:
    """Logarithm of the bytes and held-out loss of the fresh models of one width, mean over the seeds."""
    by_tokens = _by([row for row in results if row["epochs"] == 1], "tokens")
    if len(by_tokens) < 2:
        raise ValueError(f"the worth is read off fresh models of two lengths or more, not of {len(by_tokens)}")
    curve = [(math.log(tokens), mean(row["held_out_bpb"] for row in rows)) for tokens, rows in by_tokens.items()]
    losses = sorted(loss for _, loss in curve)
    if min(losses[1] - losses[0], losses[-1] - losses[-2]) < LEAST_BITS:
        raise ValueError(f"the worth is read off fresh models of different losses, not of {losses}")
    return curve


def _line(points: Points, x: float) -> float:
    """Straight from point to point; the first and the last piece go on."""
    i = min(max(bisect(points, (x,)), 1), len(points) - 1)
    (x0, y0), (x1, y1) = points[i - 1 : i + 1]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def _by(rows: Sequence[Row], key: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row[key]):
        groups.setdefault(row[key], []).append(row)
    return groups
