"""Speculative decoding of the shipped target against plain decoding with the same decoder; one thread.

Both take turns prompt by prompt, so that a busy machine slows both. Measured tokens per pass and speed-up stand beside
the formula's. Then the lenience curve and the chi-square of the shipped pair. Bar: at temperature 0.7 the 6-gram draft
makes decoding at least 1.8 times faster at its best draft length, by wall clock and by CPU time.

    python -m benchmarks.speculation
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks._shared import save
from gpt4lab.toys.core.corpus import encode
from gpt4lab.toys.decoding.cached import CachedDecoder
from gpt4lab.toys.drafting.drafts import Draft, load_ngram
from gpt4lab.toys.drafting.measured import PROMPTS, Lenience, compare, exactness
from gpt4lab.toys.drafting.speculation import Settings
from gpt4lab.toys.drafting.train_target import load_shipped

BAR = 1.8
GAMMAS, TEMPERATURES = (2, 4, 6), (0.7, 1.0, 0.0)
LENIENCES = (1.0, 0.5, 0.2, 0.1, 0.03, 0.01)
SAMPLES = 5_000
COLUMNS = ("acceptance", "tokens_per_pass", "formula", "c", "r", "predicted", "speedup_cpu", "speedup")


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Four digits are more than a shared machine is good for."""
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in row.items()}


def sweep(target: CachedDecoder, name: str, draft: Draft) -> list[dict[str, Any]]:
    """Every draft length and temperature, printed as they come."""
    compare(target, draft, Settings(4, 0.7))  # warm up
    rows = []
    for temperature in TEMPERATURES:
        for gamma in GAMMAS:
            rows.append(rounded({"draft": name, **compare(target, draft, Settings(gamma, temperature))}))
            print(
                f"{name:>7} {temperature:>5} {gamma:>3}  " + "".join(f"{rows[-1][c]:>16.3f}" for c in COLUMNS),
                flush=True,
            )
    return rows


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
    best = max(min(r["speedup"], r["speedup_cpu"]) for r in rows if (r["draft"], r["temperature"]) == ("6-gram", 0.7))
    found = {"bar": BAR, "best": best, "holds": best >= BAR, "rows": rows, "lenience": lenience, "exactness": exact}
    print(f"bar {BAR}: {'holds' if best >= BAR else 'missed'} ({best:.2f})")
    return save("speculation", found, "torch")


if __name__ == "__main__":
    sys.exit(main())
