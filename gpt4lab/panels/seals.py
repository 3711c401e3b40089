"""Claims whose verdict a reader wants to give before ours is shown: until then every mark of it stays neutral.

The book says which (`seal`); what shows verdicts asks `sealed`, and is told to show them anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from weakref import WeakSet


class Shows(Protocol):
    """What shows verdicts."""

    def show_verdicts(self) -> None:
        """Show them as the seals are now."""
        ...


_SEALED: set[str] = set()
_SHOWING: WeakSet[Shows] = WeakSet()
#: The mark in place of a verdict: a sign for the eye, words for everybody.
NEUTRAL = '<span class="g4l-verdict g4l-open"><span aria-hidden="true">□</span> yours first</span>'


def sealed(claim: str) -> bool:
    """Whether the verdict on a claim is not to be shown yet."""
    return claim in _SEALED


def seal(claims: Iterable[str]) -> None:
    """Seal these claims and no others; what has changed is shown at once."""
    before = set(_SEALED)
    _SEALED.clear()
    _SEALED.update(claims)
    if before != _SEALED:
        tell()


def tell() -> None:
    """Have every place show its verdicts anew."""
    for place in list(_SHOWING):
        place.show_verdicts()


def follow(place: Shows) -> None:
    """Tell a place of every change, for as long as it lives."""
    _SHOWING.add(place)
