"""What the recorded models held: bits a parameter, against the bits that each was offered. Needs no torch."""

from __future__ import annotations

from functools import cache
from statistics import mean, stdev

from gpt4lab import catalog
from gpt4lab.checks.check import Check, Checks
from gpt4lab.rows import Row
from gpt4lab.toys.core.recordings import load_recorded

PUBLISHED = catalog.constants["morris2025"].c


@cache
def held() -> list[Row]:
    """By width and load: mean and standard deviation over the seeds."""
    rows, found = load_recorded("capacity")["results"], list[Row]()
    for width in sorted({row["width"] for row in rows}):
        for load in sorted({row["load"] for row in rows}):
            bits = [row["held"] for row in rows if (row["width"], row["load"]) == (width, load)]
            found.append({"width": width, "load": load, "parameters": next(r["parameters"] for r in rows
                          if r["width"] == width), "held": mean(bits), "low": mean(bits) - stdev(bits),
                          "high": mean(bits) + stdev(bits), "seeds": len(bits)})  # fmt: skip
    return found


def most(width: int) -> float:
    """The most that a model of this width held, of all loads."""
    return max(row["held"] for row in held() if row["width"] == width)


def capacity_checks() -> Checks:
    """The published capacity, and what the toy held at its best load."""
    widths = sorted({row["width"] for row in held()})
    where = "recorded, not on this machine"
    return Checks(
        Check("capacity", PUBLISHED, most(width), "bit/param", where,
              f"width {width}, {next(r['parameters'] for r in held() if r['width'] == width):,} parameters")
        for width in widths
    )  # fmt: skip
