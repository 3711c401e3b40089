"""The post's serving cluster, or any scenario's, under the model of answering: from one sequence to thousands."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from attrs import evolve, frozen

from gpt4lab.models.decode.report import LayoutError, chip_in, decode, network_in, serving_in
from gpt4lab.scenario import Scenario

BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
MOST = 2**16


@frozen
class ClusterRow:
    """The post's cluster at one batch: how long a token takes, the least it could, and what 1,000 tokens cost."""

    batch: float
    ms_per_token: float
    floor_ms: float
    experts_touched: float
    usd_per_1k: float
    fits: bool


def post_cluster(scenario: Scenario, **more: Any) -> tuple[ClusterRow, ...]:
    """Return a scenario's serving cluster at batches from 1 up; `more` changes fields of `Serving`."""
    return tuple(_cluster(scenario, batch, more) for batch in BATCHES)


def _cluster(scenario: Scenario, batch: float, more: Mapping[str, Any]) -> ClusterRow:
    serving = evolve(serving_in(scenario), **{**more, "batch": batch})
    step = decode(network_in(scenario), serving, chip_in(scenario))
    return ClusterRow(
        batch, 1e3 * step.time_s, 1e3 * step.floor_s, step.experts_touched, step.usd_per_1k, bool(step.fits)
    )


def batch_within(scenario: Scenario, ms_per_token: float, **more: Any) -> int:
    """Return the largest batch with which a scenario's cluster is as quick as measured; 0 where none is.

    Raises
    ------
    LayoutError : for a time that is not a positive, finite number, or a batch that cannot be served.
    """
    if not 0 < ms_per_token < inf:
        raise LayoutError(f"ms_per_token = {ms_per_token!r} is not a positive, finite number of milliseconds.")
    low, high = 0, MOST
    while low < high:
        middle = (low + high + 1) // 2
        fast = _cluster(scenario, middle, more).ms_per_token <= ms_per_token
        low, high = (middle, high) if fast else (low, middle - 1)
    return low
