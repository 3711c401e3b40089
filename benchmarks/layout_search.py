"""How many layouts a search looks through in a second: all that exist for a mixture of experts on 3,072 A100.

    python -m benchmarks.layout_search

The first row counts only layouts that can exist, each of which
is one answer of the step model; the search also dismisses those that cannot, and ranks what it found.
"""

from __future__ import annotations

import sys

from attrs import evolve

from benchmarks._shared import cpu_seconds, row, save, show
from gpt4lab.models.inputs import Network, machine
from gpt4lab.models.search.layout import search
from gpt4lab.models.search.layout_space import space_for

MODEL = Network(layers=96, d_model=12288, heads=96, experts=16, top_k=2)
A100 = machine("a100-sxm-80gb", usd_per_hour=1.0)
SPACE = evolve(
    space_for(MODEL, A100, gpus=3072, batch=3072),
    fused_attention=(False, True),
    gradient_bytes=(2, 4),
    overlap=(0.0, 0.5, 1.0),
)


def main() -> int:
    """Measure, print, write; the exit status says whether the bars hold."""
    found = search(MODEL, A100, SPACE)
    seconds = cpu_seconds(lambda: search(MODEL, A100, SPACE), rounds=5)
    there = found.tried - found.impossible
    rows = [
        row(f"layout search, {there:,} layouts that can exist", there / seconds, "layouts/s", 1e6, least=True),
        row(f"layout search, all {found.tried:,} layouts", found.tried / seconds, "layouts/s"),
    ]
    show(rows)
    return save("layout_search", {"rows": rows}, "numpy")


if __name__ == "__main__":
    sys.exit(main())
