"""Which assumptions a claim may be helped by.

One that neither denies the claim itself nor another statement of the post, and lies inside what was published for the
same kind of thing. Everything else would make any number right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from gpt4lab.claims.ledger import Claim, ledger
from gpt4lab.quantities import unit_of
from gpt4lab.scenario import FIELDS, Scenario, get
from gpt4lab.scenario.published import published
from gpt4lab.units import UnitError, convert

_STATED = re.compile(r"C\d+")


def free(claim: Claim, scenario: Scenario, settings: Mapping[str, Any]) -> bool:
    """Whether all that the claim assumes is as the post has it: what a reader has set, no assumption sets otherwise."""
    fields = [path for path in claim.assume if path in FIELDS]
    return not any(path in settings or get(scenario, path) != FIELDS[path].default for path in fields)


def shown(assume: Mapping[str, Any], scenario: Scenario) -> bool:
    """Whether every number that is assumed lies inside what was published for its kind, where that is known."""
    found = ((published(path, scenario), there) for path, there in assume.items())
    return all(one is None or one.has(there) for one, there in found)


@cache
def denied(claim: Claim) -> tuple[str, ...]:
    """The statements of the post, the claim itself among them, that its assumption cannot stand beside."""
    return tuple(key for path, there in claim.assume.items() if (key := _stating(path)) and not _fits(key, path, there))


def _stating(path: str) -> str:
    """The claim of the post that a field has its value from, as its declared source says; "" where it is none."""
    found = _STATED.match(FIELDS[path].source) if path in FIELDS else None
    return found.group() if found else ""


def _fits(key: str, path: str, there: float) -> bool:
    """Whether an assumed number is what the claim states, read as loosely as the claim is judged."""
    claim, stated = ledger()[key], [FIELDS[path].default]
    stated += [case[path] for case in claim.given if path in case]
    with suppress(UnitError):  # where it states another number than this one
        stated += [convert(number, claim.stated_unit, unit_of(path)) for number in claim.stated]
    return min(stated) * (1 - claim.tolerance) <= there <= max(stated) * (1 + claim.tolerance)
