"""Numbers that hang together: what each of a group must be if the others are right.

Four numbers that obey one equation are three pieces of information. That the fourth agrees is no evidence: somebody
may have worked it out from the others. What deserves attention is where one does not agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
    stated: Mapping[str, str]


LINKS = (
    Link(
        "All parameters",
        "total = experts × expert + shared",
        {
            "model.total_params": "model.total_params",
            "model.experts": "geometry.experts_from_total",
            "model.expert_params": "geometry.expert_from_total",
            "model.shared_params": "geometry.shared_from_total",
        },
        {"model.total_params": "C02"},
    ),
    Link(
        "Active parameters",
        "active = experts per token × expert + shared",
        {
            "model.active_params": "model.active_params",
            "model.top_k": "geometry.top_k_from_active",
            "model.expert_params": "geometry.expert_from_active",
            "model.shared_params": "geometry.shared_from_active",
        },
        {"model.active_params": "C11"},
    ),
    Link(
        "Compute",
        "FLOP = 6 × active parameters × tokens",
        {
            "training.flop": "training.flop",
            "model.active_params": "training.params_from_flop",
            "training.tokens": "training.tokens_from_flop",
        },
        {"training.flop": "C27", "model.active_params": "C11"},
    ),
    Link(
        "Machines",
        "FLOP = GPUs × peak × days × MFU",
        {
            "training.flop": "training.flop_from_machines",
            "cluster.gpus": "training.gpus_needed",
            "cluster.days": "training.days",
            "training.mfu": "training.implied_mfu",
        },
        {"training.flop": "C27"},
    ),
    Link(
        "Cost",
        "dollars = GPUs × hours × price",
        {
            "cluster.stated_usd": "cluster.rental",
            "cluster.gpus": "budget.gpus",
            "cluster.days": "budget.days",
            "cluster.usd_per_gpu_hour": "budget.price",
        },
        {},
    ),
    Link(
        "Newer machines",
        "FLOP = GPUs × peak × days × MFU",
        {
            "training.flop": "rerun.flop_from_machines",
            "rerun.days": "rerun.days_needed",
            "rerun.mfu": "rerun.implied_mfu",
        },
        {"training.flop": "C27"},
    ),
    Link(
        "Batch",
        "tokens per expert = batch × experts per token / experts",
        {"batch.tokens_per_expert": "batch.tokens_per_expert", "training.batch_tokens": "batch.from_expert"},
        {"batch.tokens_per_expert": "C23"},
    ),
)


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
