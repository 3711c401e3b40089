"""The recorded sweep, as it is read before anything is fitted: in plain Python, without torch or numpy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from statistics import fmean
from typing import Any

from gpt4lab import place
from gpt4lab.rows import Row
from gpt4lab.toys.core.recordings import load_recorded


@cache
def recorded() -> Row:
    """The recorded run: results, settings, date, machine and script."""
    return load_recorded("isoflop")


def provenance() -> str:
    """Where the recorded numbers are from, in one sentence."""
    run = recorded()
    return f"Recorded on {run['date']} with “{run['script']}”, torch {run['torch']}, {run['machine']}."


def tuned(rows: Sequence[Row]) -> list[Row]:
    """The runs of each budget and size at whichever learning rate has the lower mean loss over the seeds."""
    best = [
        min(groups(size, "lr").values(), key=lambda runs: fmean(run["bpb"] for run in runs))
        for budget in groups(rows, "flop").values()
        for size in groups(budget, "width").values()
    ]
    return [run for runs in best for run in runs]


def means(rows: Sequence[Row]) -> list[Row]:
    """flop, parameters, and the mean held-out loss over the seeds."""
    return [
        {"flop": flop, "parameters": N, "bpb": fmean(run["bpb"] for run in runs)}
        for flop, budget in groups(rows, "flop").items()
        for N, runs in groups(budget, "parameters").items()
    ]


def budget(flop: float) -> str:
    """How a budget is called."""
    return f"{flop / 1e9:g} GFLOP"


def bottoms_in_words(who: str, rows: Sequence[Row]) -> str:
    """Where the parabola of each budget is lowest; without numpy, that it is needed."""
    if not find_spec("numpy"):
        return place.needs("numpy", "To find where they are lowest")
    from gpt4lab.toys.isoflop.exponents import FitFailed, optima

    try:
        found = [(budget(row["flop"]), row) for row in optima(rows)]
    except FitFailed as failed:
        return f"{who}: {failed}."
    each = (f"{row['optimum']:,.0f} at {at}" if row["inside"] else f"beyond the sizes at {at}" for at, row in found)
    return f"{who}, the parameters where the loss is lowest: {', '.join(each)}."


def groups(rows: Sequence[Row], by: str) -> dict[Any, list[Row]]:
    """Rows by the value of a column, in its order."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(row)
    return dict(sorted(found.items()))
