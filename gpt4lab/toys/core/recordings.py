"""Runs that the book ships because they take too long to wait for: to read them and to sum them up. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from statistics import mean, stdev

from gpt4lab.rows import Row


def summary(results: Sequence[Row], by: str = "experts", of: str = "bpb") -> list[Row]:
    """Mean and standard deviation over the seeds, one row for each value of `by`."""
    groups: dict[int, list[float]] = {}
    for row in results:
        groups.setdefault(row[by], []).append(row[of])
    return [{by: key, "seeds": len(found), **_spread(found, of)} for key, found in sorted(groups.items())]


def gain(results: Sequence[Row], more: int, fewer: int, of: str = "bpb") -> Row:
    """How much lower the loss is with more experts, seed by seed on the same batches: mean, deviation, each one."""
    found = {(row["experts"], row["seed"]): row[of] for row in results}
    both = [seed for (e, seed) in found if e == fewer and (more, seed) in found]
    differences = [found[fewer, seed] - found[more, seed] for seed in both]
    return {"more": more, "fewer": fewer, "differences": differences, **_spread(differences, "gain")}


def mean_curves(results: Sequence[Row]) -> list[Row]:
    """Held-out loss along the training, averaged over the seeds, to draw against tokens or against CPU time.

    More experts cost more CPU time a token. Before its last point a curve still has the learning rate high.
    """
    groups: dict[tuple[int, int], list[Row]] = {}
    for row in results:
        for point in row["curve"]:
            groups.setdefault((row["experts"], point["tokens"]), []).append(point)
    return [
        {"experts": experts, "tokens": tokens, **{of: mean(p[of] for p in points) for of in ("cpu_s", "bpb")}}
        for (experts, tokens), points in sorted(groups.items())
    ]


def load_recorded(name: str = "experts") -> Row:
    """A recorded run with its date, versions and settings; `results` has the rows of the study of that name."""
    return json.loads(resources.files("gpt4lab.toys").joinpath(name, "recorded.json").read_text(encoding="utf-8"))


def _spread(values: list[float], of: str) -> Row:
    deviation = stdev(values) if len(values) > 1 else 0.0
    return {of: mean(values), "low": mean(values) - deviation, "high": mean(values) + deviation}
