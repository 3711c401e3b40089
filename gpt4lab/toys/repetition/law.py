"""What repeated text is worth: the rows of `repetition` turned into fresh bytes, beside the published law.

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


def worth_rows(results: Sequence[Row], up_to: int = MOST_EPOCHS) -> list[Row]:
    """What e readings are worth: one row for each width and number of epochs above 1, means over the seeds.

    worth: fresh bytes with the same held-out loss, over the bytes trained on; None if every fresh model is better.
    law, fitted: the same by the law, with the published R* and with that of `fit_rows`. within: whether the law can
    say it with any R*: the readings together are worth at least one. ValueError without two lengths of fresh models.
    """
    fitted = {row["d_model"]: row["R_star"] for row in fit_rows(results, up_to)}
    return [
        {**row, "law": _share(row["epochs"], published_r_star()), "fitted": _share(row["epochs"], fitted[d_model])}
        for d_model, found in _by(results, "d_model").items()
        for row in _measured(found)
    ]


def fit_rows(results: Sequence[Row], up_to: int = MOST_EPOCHS) -> list[Row]:
    """R* of each width: least squares in bits per byte, over the epochs `up_to` this that are `within` the law.

    low, high: the seeds, each fitted on its own. rms: the misfit that remains, bits per byte. epochs: those used;
    R_star is nan without any, and where no R* fits better than another. published: the paper's R*.
    """
    rows = []
    for d_model, found in _by(results, "d_model").items():
        epochs = [row["epochs"] for row in _measured(found) if row["within"] and row["epochs"] <= up_to]
        r_star, rms = _fit(found, epochs)
        seeds = [_fit(one, epochs)[0] for one in _by(found, "seed").values()]
        spread = {"low": min(seeds), "high": max(seeds), "rms": rms}
        rows.append({"d_model": d_model, "R_star": r_star, **spread, "epochs": epochs, "published": published_r_star()})
    return rows


def _measured(results: Sequence[Row]) -> list[Row]:
    """Rows of one width, but for the law."""
    fresh = _fresh(results)
    return [_worth(rows, fresh) for e, rows in _by(results, "epochs").items() if e > 1]


def _worth(rows: Sequence[Row], fresh: Points) -> Row:
    same = ("d_model", "epochs", "unique_bytes", "tokens")
    bpb = {of: mean(row[of] for row in rows) for of in ("train_bpb", "held_out_bpb")}
    row = {**{name: rows[0][name] for name in same}, **bpb, "fresh_bpb": fresh[-1][1]}
    by_loss = sorted((loss, log_tokens) for log_tokens, loss in fresh)
    in_reach = bpb["held_out_bpb"] <= by_loss[-1][0]
    worth = math.exp(_line(by_loss, bpb["held_out_bpb"])) / row["tokens"] if in_reach else None
    return {**row, "worth": worth, "within": worth is not None and worth * row["epochs"] >= 1}


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


def _share(epochs: int, r_star: float) -> float:
    """D' by the law over the bytes trained on."""
    return effective(1, epochs, r_star) / epochs


def _by(rows: Sequence[Row], key: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row[key]):
        groups.setdefault(row[key], []).append(row)
    return groups
