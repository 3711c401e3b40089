"""Numbers that hang together: what each of a group must be if the others are right.

Four numbers that obey one equation are three pieces of information. That the fourth agrees is no evidence: somebody
may have worked it out from the others. What deserves attention is where one does not agree.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files

import attrs

from gpt4lab.claims.ledger import ledger
from gpt4lab.quantities import unit_of, value
from gpt4lab.scenario import FIELDS, Scenario, get
from gpt4lab.units import convert, show


@attrs.frozen
class Link:
    """Numbers bound by one equation. members: path -> the quantity that solves the equation for it.

    stated: path -> the claim that states it, for members that are not fields of the scenario.
    """

    title: str
    equation: str
    members: Mapping[str, str]
    stated: Mapping[str, str] = attrs.field(factory=dict[str, str])


_DECLARED = tomllib.loads(files("gpt4lab.claims").joinpath("links.toml").read_text("utf-8"))
LINKS = tuple(Link(**entry) for entry in _DECLARED["link"])


@attrs.frozen
class Reconciled:
    """One number of a link: as stated, and as the others of its link imply it."""

    link: Link
    path: str
    stated: float
    implied: float
    unit: str

    @property
    def residual(self) -> float:
        """(stated - implied) / implied."""
        return (self.stated - self.implied) / self.implied

    def __str__(self) -> str:
        """For example "cluster.days: 95 days stated, 105 days implied (-9.5%)"."""
        numbers = f"{show(self.stated, self.unit)} stated, {show(self.implied, self.unit)} implied"
        return f"{self.path}: {numbers} ({self.residual:+.1%})"


def reconcile(scenario: Scenario) -> list[Reconciled]:
    """Every number of every link, beside what the others imply; fields are taken from the scenario."""
    return [row for link in LINKS for row in _rows(link, scenario)]


def _rows(link: Link, scenario: Scenario) -> Iterator[Reconciled]:
    stated = {path: _stated(link, path, scenario) for path in link.members}
    for path, solver in link.members.items():
        others = {other: number for other, number in stated.items() if other != path}
        yield Reconciled(link, path, stated[path], value(solver, scenario, others), unit_of(path))


def _stated(link: Link, path: str, scenario: Scenario) -> float:
    if path in FIELDS:
        return get(scenario, path)
    claim = ledger()[link.stated[path]]
    return convert(claim.stated[0], claim.stated_unit, unit_of(path))
