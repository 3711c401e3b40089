"""The changelog of verdicts: the word that each claim had when it was first judged, and every change since.

`changes.toml` is written by hand, since only people know why. That it has not been forgotten a test holds: replayed,
it must end at what the audit says today.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import attrs

from gpt4lab.claims.audit import Result
from gpt4lab.claims.ledger import VERDICTS

_WORD = attrs.validators.in_(VERDICTS)


@attrs.frozen
class Change:
    """One claim whose verdict became another word, and why."""

    date: dt.date
    claim: str
    before: str = attrs.field(validator=_WORD)
    after: str = attrs.field(validator=_WORD)
    why: str


@attrs.frozen
class Begun:
    """Claims that came into the ledger together: claim -> its first verdict."""

    date: dt.date
    verdicts: Mapping[str, str]
    why: str


@attrs.frozen
class Mistake:
    """Something else that the book had wrong, and what it says now."""

    date: dt.date
    what: str
    now: str


@cache
def _told() -> Mapping[str, list[dict[str, Any]]]:
    return tomllib.loads(files("gpt4lab.claims").joinpath("changes.toml").read_text("utf-8"))


@cache
def begun() -> tuple[Begun, ...]:
    """The claims in the order in which they came, those that were there from the first before all others."""
    return tuple(Begun(one["date"], _first(one["verdicts"]), one["why"]) for one in _told()["begun"])


def _first(verdicts: Mapping[str, str]) -> dict[str, str]:
    return {claim: word for word, claims in verdicts.items() for claim in claims.split()}


@cache
def changes() -> tuple[Change, ...]:
    """Every change, oldest first; what changed for one reason stands in one entry of the file."""
    return tuple(
        Change(one["date"], claim, one["from"], one["to"], one["why"])
        for one in _told()["change"]
        for claim in one["claims"].split()
    )


@cache
def mistakes() -> tuple[Mistake, ...]:
    """Errors that changed no verdict, or more than one, oldest first."""
    return tuple(Mistake(**one) for one in _told()["mistake"])


def latest() -> dict[str, str]:
    """Claim -> its verdict after the last change.

    Raises
    ------
    ValueError
        If a change begins at another word than the one before it ended at, or is none.

    """
    found = {claim: word for one in begun() for claim, word in one.verdicts.items()}
    for one in changes():
        if found.get(one.claim) != one.before or one.before == one.after:
            raise ValueError(f"{one.claim} was {found.get(one.claim)} before {one.date}, not {one.before}.")
        found[one.claim] = one.after
    return found


def stale(results: Iterable[Result]) -> list[str]:
    """What the log does not tell of these results: "C33: consistent today, unit-error in the log"."""
    log = latest()
    return [
        f"{one.claim.id}: {one.verdict} today, {log.get(one.claim.id, 'nothing')} in the log"
        for one in results
        if log.get(one.claim.id) != one.verdict
    ]
