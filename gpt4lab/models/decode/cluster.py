"""A scenario's serving cluster, such as the post's, under the model of answering: from one sequence to thousands."""

from __future__ import annotations

from math import inf
from typing import Any

from attrs import evolve

from gpt4lab.models.decode.report import PassReport, decode
from gpt4lab.models.in_scenario import chip_in, deployment_in, served_in
from gpt4lab.models.rules import LayoutError
from gpt4lab.scenario import Scenario

BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
MOST = 2**16


def by_batch(scenario: Scenario, **more: Any) -> dict[int, PassReport]:
    """A decode step of a scenario's cluster, by batch from 1 up; `more` changes fields of the deployment."""
    return {batch: _step(scenario, {**more, "batch": batch}) for batch in BATCHES}


def _step(scenario: Scenario, more: dict[str, Any]) -> PassReport:
    return decode(served_in(scenario), evolve(deployment_in(scenario), **more), chip_in(scenario))


def batch_within(scenario: Scenario, ms_per_token: float, **more: Any) -> int:
    """The largest batch with which a scenario's cluster is as quick as measured; 0 where none is.

    Raises
    ------
    LayoutError : for a time that is not a positive, finite number, or a batch that cannot be served.
    """
    if not 0 < ms_per_token < inf:
        raise LayoutError(f"ms_per_token = {ms_per_token!r} is not a positive, finite number of milliseconds.")
    low, high = 0, MOST
    while low < high:
        middle = (low + high + 1) // 2
        fast = 1e3 * _step(scenario, {**more, "batch": middle}).time_s <= ms_per_token
        low, high = (middle, high) if fast else (low, middle - 1)
    return low
