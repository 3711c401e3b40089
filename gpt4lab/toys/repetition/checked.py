"""The law of repetition held against its authors' own largest run, and against the recorded toys. Needs no torch."""

from __future__ import annotations

from functools import cache

from gpt4lab.catalog import constants
from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities.topics.data import effective
from gpt4lab.quantities.topics.scaling import loss
from gpt4lab.rows import Row
from gpt4lab.toys.core.recordings import load_recorded
from gpt4lab.toys.repetition.law import published_r_star, worth_by_law, worth_rows


@cache
def recorded() -> tuple[Row, ...]:
    """Worth of every repeated toy that the book ships: two kinds of text, three widths, three seeds each."""
    return tuple(worth_rows(load_recorded("repetition")["results"]))


def rerun_checks() -> Checks:
    """Loss after four readings of a quarter, over that of fresh tokens."""
    ran, fitted = constants["muennighoff2023-run"], constants["muennighoff2023"]
    numbers = {key: fitted.need(key) for key in ("E", "A", "B", "alpha", "beta")}
    n, d, e = ran.need("params"), ran.need("tokens"), ran.need("epochs")
    again, fresh = (loss(N=n, D=tokens, **numbers) for tokens in (effective(d / e, e, published_r_star()), d))
    found = 1 + ran.need("excess")
    return Checks([Check("loss after four readings, over one", again / fresh, found, "x", "muennighoff2023")])


def toy_checks(most: int = 16) -> Checks:
    """Worth of a byte that is read up to so often, by the law, against every toy; the wrong rows stay in."""
    return Checks(
        Check(
            f"{row['epochs']} readings", worth_by_law(row["epochs"]), row["worth"] or 0.0, "fraction",
            "recorded, not on this machine", f"{row['text']}, width {row['d_model']}",
        )
        for row in recorded()
        if row["epochs"] <= most
    )  # fmt: skip
