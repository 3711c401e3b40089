"""Speculative decoding of the shipped target against plain decoding with the same decoder; one thread.

Both take turns prompt by prompt, so that a busy machine slows both. Measured tokens per pass and speed-up stand beside
the formula's. Then the lenience curve and the chi-square of the shipped pair. Bars: at temperature 0.7 the 6-gram draft
makes decoding at least 1.8 times faster at its best draft length, by wall clock and by CPU time, and a pass that checks
four drafted tokens costs at most 1.3 plain ones, or what this processor's own limit allows.

That limit: a checking pass adds to a plain one at least what the products of its rows take longer, by the quicker of
two libraries, each timed alone. Where a processor has slow products of a few rows, no code above them pays it back.

    python -m benchmarks.speculation
"""

from __future__ import annotations

import sys
from typing import Any

import torch

from benchmarks._shared import save
from gpt4lab.quantities.topics.speculation import batch_speedup
from gpt4lab.toys.core.corpus import encode
from gpt4lab.toys.decoding.cache import race
from gpt4lab.toys.decoding.cached import CachedDecoder, by_numpy
from gpt4lab.toys.drafting.drafts import Draft, load_ngram
from gpt4lab.toys.drafting.measured import PROMPTS, Lenience, compare, exactness
from gpt4lab.toys.drafting.speculation import Settings
from gpt4lab.toys.drafting.train_target import load_shipped

BAR, PASS_BAR = 1.8, 1.3
NEAR = 0.95  # of the processor's own limit, where that lies below a bar
GAMMAS, TEMPERATURES = (2, 4, 6), (0.7, 1.0, 0.0)
LENIENCES = (1.0, 0.5, 0.2, 0.1, 0.03, 0.01)
SAMPLES = 5_000
COLUMNS = (
    "acceptance",
    "tokens_per_pass",
    "formula",
    "c",
    "r",
    "predicted",
    "speedup_cpu",
    "speedup",
    "least_r",
    "limit",
)


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Four digits are more than a shared machine is good for."""
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in row.items()}


def sweep(target: CachedDecoder, name: str, draft: Draft) -> list[dict[str, Any]]:
    """Every draft length and temperature, printed as they come."""
    compare(target, draft, Settings(4, 0.7))  # warm up
    rows, one = [], products(target, 1)
    for temperature in TEMPERATURES:
        for gamma in GAMMAS:
            row = compare(target, draft, Settings(gamma, temperature))
            least = 1 + max(0.0, products(target, gamma + 1) - one) / row["pass_s"]
            limit = batch_speedup(row["formula"], gamma, row["c"], least)
            rows.append(rounded({"draft": name, **row, "least_r": least, "limit": limit}))
            print(
                f"{name:>7} {temperature:>5} {gamma:>3}  " + "".join(f"{rows[-1][c]:>16.3f}" for c in COLUMNS),
                flush=True,
            )
    return rows


def products(target: CachedDecoder, rows: int) -> float:
    """Seconds of the matrix products of a pass over so many rows by the quicker library, undisturbed, and no more."""
    matrices = [matrix for layer in target.layers for matrix in layer] + [target.head]
    rows_of = {len(matrix): torch.ones(rows, len(matrix)) for matrix in matrices}
    ways = {
        way: lambda way=way: [way(rows_of[len(matrix)], matrix) for matrix in matrices]
        for way in (torch.matmul, by_numpy)
    }
    return min(timing.quickest for timing in race(ways, in_a_row=20).values())


def verdict(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The two bars, each beside what this processor allows."""
    held = [row for row in rows if (row["draft"], row["temperature"]) == ("6-gram", 0.7)]
    best = max(held, key=lambda row: min(row["speedup"], row["speedup_cpu"]))
    faster, four = min(best["speedup"], best["speedup_cpu"]), next(row for row in held if row["gamma"] == 4)
    least, most = min(BAR, NEAR * best["limit"]), max(PASS_BAR, four["least_r"] / NEAR)
    return [
        {"what": "times faster", "value": faster, "bar": BAR, "limit": best["limit"], "met": faster >= least},
        {
            "what": "pass of five",
            "value": four["r"],
            "bar": PASS_BAR,
            "limit": four["least_r"],
            "met": four["r"] <= most,
        },
    ]


def main() -> int:
    """Print the tables, write the JSON; the exit status says whether the bar holds."""
    target, drafts = (
        CachedDecoder(load_shipped("target")),
        {"6-gram": load_ngram(), "neural": CachedDecoder(load_shipped("draft"))},
    )
    print(f"{'draft':>7} {'temp.':>5} {'g':>3}  " + "".join(f"{c:>16}" for c in COLUMNS))
    rows = [row for name, draft in drafts.items() for row in sweep(target, name, draft)]
    study = Lenience(target, drafts["6-gram"], LENIENCES, prompts=4 * PROMPTS)
    lenience = [rounded(row) for case in study.cases() for row in study.found(case)]
    for row in lenience:
        print("lenience {lenience}: {bits} bits a byte, {tokens_per_pass} tokens per pass".format(**row))
    tokens = encode("This module provides ").tolist()
    exact = {
        str(x): vars(exactness(target, drafts["6-gram"], tokens, SAMPLES, Settings(2, 1.0, x))) for x in (1.0, 0.5)
    }
    print("exactness at lenience 1 and 0.5:", exact)
    bars = verdict(rows)
    for bar in bars:
        print("{what}: {value:.2f}, bar {bar}, this processor's limit {limit:.2f}, met: {met}".format(**bar))
    found = {"bars": bars, "rows": rows, "lenience": lenience, "exactness": exact}
    return save("speculation", found, "torch")


if __name__ == "__main__":
    sys.exit(main())
