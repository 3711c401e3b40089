"""Clusters that fail, spare ones, and sites that are away as a whole: how much of the time too few are there.

Everything fails on its own: GPUs in a node, nodes in a cluster, clusters in a site, sites. A node is away for its
repair, a cluster with one node too few until that is back, and after every failure for a restart. Left out: what fails
together beyond a site (a bad release, a network), repairs that queue, and clusters that serve with fewer nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from gpt4lab.formulas.arith import Num
from gpt4lab.formulas.failures import DAYS_A_YEAR
from gpt4lab.models.queues import both, chances
from gpt4lab.models.rules import LayoutError

HOURS_A_YEAR = 24 * DAYS_A_YEAR


class ServingCluster(NamedTuple):
    """Nodes that a copy of the model needs, GPUs of each; years of a GPU, hours of a repair and of a restart."""

    nodes: Num
    gpus: Num
    years: float
    repair_h: float
    restart_h: float


class Fleet(NamedTuple):
    """Clusters that are needed and spare ones, dealt out over so many sites, each away for some hours a year."""

    clusters: int
    spare: int
    places: int
    outage_h: float


def cluster_away(cluster: ServingCluster, spare_nodes: int = 0) -> float:
    """Share of the time in which a cluster does not serve, with so many nodes to spare."""
    lasts_h = cluster.years * HOURS_A_YEAR / cluster.gpus
    away = cluster.repair_h / (lasts_h + cluster.repair_h)
    nodes = int(cluster.nodes)
    enough = sum(chances(nodes + spare_nodes, away)[nodes:])
    return min(1 - enough + nodes / lasts_h * cluster.restart_h, 1.0)


def fewer(fleet: Fleet, away: float) -> float:
    """Share of the time in which fewer clusters are there than are needed, if each is away for such a share."""
    if fleet.outage_h > HOURS_A_YEAR:
        raise LayoutError(f"A site cannot be away for {fleet.outage_h:,.0f} hours of a year.")
    out = fleet.outage_h / HOURS_A_YEAR
    return 1 - sum(_there(_dealt(fleet), away, out)[fleet.clusters :])


def short(cluster: ServingCluster, fleet: Fleet) -> float:
    """Share of the time in which fewer clusters are there than are needed."""
    return max(fewer(fleet, cluster_away(cluster)), 0.0)


def _dealt(fleet: Fleet) -> list[int]:
    """Clusters of each site, as even as can be."""
    many = fleet.clusters + fleet.spare
    return [many // fleet.places + (place < many % fleet.places) for place in range(fleet.places)]


def _there(clusters: Sequence[int], away: float, out: float) -> tuple[float, ...]:
    """Chances that so many clusters are there: a site has those that work, or none."""
    sites = [tuple(p * (1 - out) + out * (k == 0) for k, p in enumerate(chances(n, away))) for n in clusters]
    return reduce(both, sites)
