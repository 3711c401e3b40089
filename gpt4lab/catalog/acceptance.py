"""How many tokens a pass yields with so many drafted, as InferenceX measured it.

From `references["inferencex2026"]`, under Apache-2.0. Nine pairs of a model and what drafts for it, on the questions
about code of SPEED-Bench, some with and without thinking before the answer. A pass yields the guesses that are kept and
one token of the model's own.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import attrs


@attrs.frozen
class AcceptanceCurve:
    """One pair of model and draft: tokens a pass with 1, 2, 3 ... drafted."""

    pair: str
    model: str
    thinking: bool
    tokens_per_pass: tuple[float, ...]

    @property
    def name(self) -> str:
        """The pair, and whether it thinks first."""
        return f"{self.pair}, {'thinking' if self.thinking else 'no thinking'}"

    @property
    def first(self) -> float:
        """Chance that the first guess is kept: what one drafted token adds to the one of the model's own."""
        return self.tokens_per_pass[0] - 1


@cache
def acceptance_curves() -> tuple[AcceptanceCurve, ...]:
    """All curves that are published, in the order of the files."""
    import csv
    from itertools import groupby

    text = files("gpt4lab.catalog").joinpath("acceptance_lengths.csv").read_text("utf-8")
    of = groupby(csv.DictReader(text.splitlines()), key=lambda row: (row["pair"], row["model"], row["thinking"] == "1"))
    return tuple(
        AcceptanceCurve(*key, tuple(float(row["tokens_per_pass"]) for row in rows)) for key, rows in of
    )  # drafted 1, 2, 3 ...
