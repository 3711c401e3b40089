"""Our fit of Chinchilla's points, held against Epoch's of the same points."""

from __future__ import annotations

from gpt4lab import catalog
from gpt4lab.checks.check import Check, Checks
from gpt4lab.models.chinchilla import Fitting, Law, refit

#: Entry of `catalog.constants` -> points dropped, and what that is called.
FITS = {"besiroglu2024": (5, "five dropped"), "besiroglu2024-all": (0, "none dropped")}


def refit_checks() -> Checks:
    """Each constant, ours as the prediction and theirs as what was found."""
    return Checks(
        Check(f"{symbol}, {words}", getattr(refit(Fitting(dropped)), symbol), getattr(theirs, symbol), "1", where)
        for slug, (dropped, words) in FITS.items()
        for theirs in [catalog.constants[slug]]
        for where in [theirs.sources[0].reference]
        for symbol in Law._fields
    )
