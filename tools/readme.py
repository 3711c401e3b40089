"""Write the latest benchmark results into the README.

    .venv/bin/python tools/readme.py

The table between the two markers is made from benchmarks/results/*.json; a test holds it to that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
README, RESULTS = ROOT / "README.md", ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- benchmarks -->", "<!-- end of benchmarks -->"

Row = tuple[str, str, str]


def main() -> None:
    """Put the table of today's results into the README."""
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")


def renewed(text: str) -> str:
    """The README with a new table."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + "\n" + table() + END + rest.split(END)[1]


def table() -> str:
    """Every result as a Markdown table: what, measured, bar."""
    lines = ["| what | measured | bar |", "|---|---|---|", *("| " + " | ".join(row) + " |" for row in rows())]
    return "\n".join(lines) + "\n"


def rows() -> Iterator[Row]:
    """The rows of all benchmarks that have been run."""
    for name, reader in READERS.items():
        if (RESULTS / f"{name}.json").exists():
            yield from reader(json.loads((RESULTS / f"{name}.json").read_text("utf-8")))


def plain(result: dict[str, Any]) -> Iterator[Row]:
    """Rows of what, value, unit, bar."""
    for row in result["rows"]:
        bar = f"{row['bar']:,.12g} {row['unit']}" if row.get("bar") else "–"
        yield (
            row["what"],
            f"{row['value']:,.3g} {row['unit']}" if row["value"] < 1e4 else f"{row['value']:,.0f} {row['unit']}",
            bar,
        )


def mixture(result: dict[str, Any]) -> Iterator[Row]:
    """The expert layer against a dense layer of equal FLOP, and the naive loop beside it."""
    for row in result["rows"]:
        ours, naive = row["ratio"]["mixture"], row["ratio"]["naive loop"]
        what = f"MoE layer of {row['experts']} experts, forward and backward, in dense layers of equal FLOP"
        yield what, f"{ours:.2f}× (loop over experts: {naive:.2f}×)", f"{result['bar']}×"


def slider(result: dict[str, Any]) -> Iterator[Row]:
    """From slider to paint, over the panels measured."""
    medians, tails = ([row[key] for row in result.values()] for key in ("median_ms", "p95_ms"))
    what = f"slider to repainted chart in Chromium, slowest of {len(result)} panels"
    yield what, f"median {max(medians):.0f} ms, p95 {max(tails):.0f} ms", "40 ms, 80 ms"


def attention(result: dict[str, Any]) -> Iterator[Row]:
    """One key-value head against sixteen, caches warm as in a row of decode steps."""
    for row in result["rows"]:
        if row["way"] == "folded":
            what = f"decode attention at {row['context']:,} tokens, 1 key-value head against 16, one thread"
            yield what, f"{row['times_faster']:.1f}× faster", f"{result['bar']:g}×"


def speculation(result: dict[str, Any]) -> Iterator[Row]:
    """Speculative decoding of the shipped toy, its best n-gram setting."""
    yield (
        "speculative decoding of a toy, 6-gram draft, temperature 0.7",
        f"{result['best']:.2f}× faster",
        f"{result['bar']}×",
    )


READERS = {
    "calculators": plain,
    "sweep": plain,
    "decode": plain,
    "serving": plain,
    "slider_to_paint": slider,
    "moe_layer": mixture,
    "decode_attention": attention,
    "speculation": speculation,
}


if __name__ == "__main__":
    main()
