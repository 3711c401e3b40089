"""Which problems of Project Euler three models answered, as Roberts and others asked them.

From `references["roberts2024"]`, under the MIT licence: eval/euler.csv of abacusai/to-the-cutoff, of 10 May 2024, with
the authors' own marks of right and wrong. Each model was given the number of a problem alone, or its text. No answer
and no text is kept here: Project Euler asks that solutions are not spread.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import attrs

#: Names of the models -> columns of the file.
MODELS = {"GPT-4 (0314)": "gpt4_0314", "GPT-3.5 Turbo (0301)": "gpt35_0301", "text-davinci-002": "davinci002"}
#: What was given -> columns of the file.
ASKED = {"its number alone": "from_id", "its text": "from_text"}


@attrs.frozen
class Problem:
    """A problem: when it came out, how hard it is (the site's own percentage), how many repositories have it.

    repositories: those on GitHub that the authors found. right: (model, what was given) -> the answer was right.
    """

    number: int
    released: dt.date
    difficulty: float = attrs.field(metadata={"unit": "%"})
    repositories: int
    right: Mapping[tuple[str, str], bool]

    @property
    def year(self) -> float:
        """When it came out, as a year with its fraction."""
        return self.released.year + (self.released.timetuple().tm_yday - 1) / 365.25


@cache
def problems() -> tuple[Problem, ...]:
    """All 837, in the order of their numbers. Numbers 1 to 839; the authors left two out."""
    import csv

    text = files("gpt4lab.catalog").joinpath("euler_answers.csv").read_text("utf-8")
    return tuple(_problem(row) for row in csv.DictReader(text.splitlines()))


def _problem(row: Mapping[str, str]) -> Problem:
    right = {
        (model, asked): row[f"{who}_{how}"] == "1" for model, who in MODELS.items() for asked, how in ASKED.items()
    }
    released = dt.date.fromisoformat(row["release_date"])
    return Problem(int(row["problem_id"]), released, float(row["difficulty_pct"]), int(row["github_repos"]), right)
