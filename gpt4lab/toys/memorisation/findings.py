"""What the recorded canaries say, on the same axes as GPT-4's answers. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from math import log10
from statistics import mean, stdev

from gpt4lab.formulas.shares import logistic, standard_errors, wilson
from gpt4lab.rows import Row
from gpt4lab.toys.core.recordings import load_recorded

#: Most that can be extracted of the recorded run: the whole text four times, the widest model, the longest prompt.
DEEPEST = {"width": 64, "epochs": 4, "prompt_bytes": 24}
PROBLEM = "problem"


@cache
def results() -> list[Row]:
    """Rows of the recorded study."""
    return load_recorded("memorisation")["results"]


def chosen(rows: Iterable[Row], **only: object) -> list[Row]:
    """The rows that have these values."""
    return [row for row in rows if all(row[name] == value for name, value in only.items())]


def counted(rows: Sequence[Row]) -> list[Row]:
    """By number of copies: the share extracted with its 95% interval, and the mean exposure with its deviation."""
    found = list[Row]()
    for copies in sorted({row["duplicates"] for row in rows}):
        inside = chosen(rows, duplicates=copies)
        of = sum(row["canaries"] for row in inside)
        hits = round(sum(row["extracted"] * row["canaries"] for row in inside))
        low, high = wilson(hits, of)
        ranks = [row["exposure"] for row in inside]
        found.append({"copies": copies, "share": hits / of, "low": low, "high": high, "right": hits, "problems": of,
                      "exposure": mean(ranks), "spread": stdev(ranks) if len(ranks) > 1 else 0.0})  # fmt: skip
    return found


@cache
def toy_curve() -> tuple[float, ...]:
    """Weights of the logistic curve through the toy's numbered problems: constant, and for ten times the copies."""
    return logistic(*_cases(DEEPEST))


def _cases(setting: Mapping[str, int]) -> tuple[list[tuple[float]], list[bool]]:
    """The numbered problems that stood in the text: their copies, and which came out."""
    points = [row for row in counted(chosen(results(), kind=PROBLEM, **setting)) if row["copies"]]
    causes = [(log10(row["copies"]),) for row in points for _ in range(row["problems"])]
    return causes, [hit < row["right"] for row in points for hit in range(row["problems"])]


def slopes() -> list[Row]:
    """The curve of every toy that has one: its slope with the 95% interval, and the copies for one half.

    The others knew nothing, or only what stood there most often: through these no curve can be laid.
    """
    rows = list[Row]()
    for width, epochs, given in product(*(sorted({row[name] for row in results()}) for name in DEEPEST)):
        setting = {"width": width, "epochs": epochs, "prompt_bytes": given}
        causes, hits = _cases(setting)
        try:
            constant, slope = weights = logistic(causes, hits)
        except ValueError:
            continue
        wide = 1.96 * standard_errors(causes, weights)[1]
        rows.append({**setting, "came out": f"{sum(hits)} of {len(hits)}", "slope": slope, "give or take": wide,
                     "half at, copies": 10 ** (-constant / slope)})  # fmt: skip
    return rows


def by(cause: str) -> list[Row]:
    """Share extracted and exposure at 64 copies, for each value of a cause, everything else at its most."""
    rest = {name: value for name, value in DEEPEST.items() if name != cause}
    values = sorted({row[cause] for row in results()})
    rows = list[Row]()
    for value in values:
        for kind in sorted({row["kind"] for row in results()}):
            (point,) = counted(chosen(results(), kind=kind, duplicates=64, **{cause: value}, **rest))
            rows.append({"cause": cause, "value": value, "kind": kind,
                         "extracted": f"{point['share']:.0%} ({point['low']:.0%} to {point['high']:.0%})",
                         "exposure": f"{point['exposure']:.1f} ± {point['spread']:.1f} bits"})  # fmt: skip
    return rows
