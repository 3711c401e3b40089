"""The noun of this book: a prediction beside what was found."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any, TypeVar

from attrs import evolve, fields, frozen

Constants = TypeVar("Constants", bound=Any)
HERE = "this machine"


@frozen
class Check:
    """A prediction beside what was found, in one unit.

    name: whose numbers they are, a run, a model, a part. where: found where, in words or as the key of a reference.
    assumed: what the source leaves out. disturbed: something else used the machine meanwhile.
    """

    what: str
    predicted: float
    found: float
    unit: str
    where: str = HERE
    name: str = ""
    assumed: str = ""
    disturbed: bool = False

    @property
    def ratio(self) -> float:
        """Found over predicted, always: above 1, reality has more. Infinite where nothing was predicted."""
        return self.found / self.predicted if self.predicted else inf if self.found else 1.0

    @property
    def error(self) -> float:
        """How far the prediction is above what was found, as a share of that: what publications call the error.

        Infinite where something was predicted and nothing found.
        """
        return 1 / self.ratio - 1 if self.ratio else inf


class Checks(tuple[Check, ...]):
    """Some checks, in order, and how far off they are together; nan where there are none."""

    __slots__ = ()

    @property
    def mean_error(self) -> float:
        """Mean of the absolute errors."""
        return sum(abs(check.error) for check in self) / len(self) if self else nan

    @property
    def largest(self) -> float:
        """Largest of the absolute errors."""
        return max((abs(check.error) for check in self), default=nan)


def when_moved(
    checks: Callable[[Constants], Checks], given: Constants, change: float = 0.2
) -> dict[str, tuple[float, float]]:
    """The mean error with each of the given constants lowered, and raised, by a share."""

    def moved(name: str, factor: float) -> float:
        return checks(evolve(given, **{name: getattr(given, name) * factor})).mean_error

    return {f.name: (moved(f.name, 1 - change), moved(f.name, 1 + change)) for f in fields(type(given))}
