"""The trainings behind Chinchilla's third approach, as Epoch AI read them off a figure of the paper.

245 of them: parameters, FLOP and final loss, to six digits. From `references["epoch2024chinchilla"]`, whose repository
names no licence: these are facts read off Figure 4 of Hoffmann et al. 2022 (`references["hoffmann2022"]`). They lie in
a file of their own, `chinchilla_points.csv`, which can be taken out: then there are none, and what needs them says so.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import attrs


@attrs.frozen
class TrainedPoint:
    """One training. number: its line in the file, from 1. params, flop, and the loss in nats a token."""

    number: int
    params: float
    flop: float
    loss: float

    @property
    def tokens(self) -> float:
        """Training tokens, by 6 N D FLOP."""
        return self.flop / (6 * self.params)


@cache
def trained_points() -> tuple[TrainedPoint, ...]:
    """All points, in the order of the file; none where the file was taken out."""
    import csv

    file = files("gpt4lab.catalog").joinpath("chinchilla_points.csv")
    rows = enumerate(csv.DictReader(file.read_text("utf-8").splitlines() if file.is_file() else []), 1)
    return tuple(TrainedPoint(i, *(float(row[key]) for key in ("params", "flop", "loss"))) for i, row in rows)
