"""How many sequences a scenario's serving cluster, such as the post's, can answer as quickly as was measured."""

from __future__ import annotations

from math import inf
from typing import Any

from attrs import evolve

from gpt4lab.models.decode.report import decode
from gpt4lab.models.in_scenario import chip_in, deployment_in, served_in
from gpt4lab.models.rules import LayoutError
from gpt4lab.scenario import Scenario
from gpt4lab.units import quoted

MOST = 2**16


def batch_within(scenario: Scenario, ms_per_token: float, **more: Any) -> int:
    """The largest batch with which a token takes no longer; 0 where none does. `more` changes fields of the deployment.

    Raises LayoutError for a time that is not a positive, finite number, or a batch that cannot be served.
    """
    if not 0 < ms_per_token < inf:
        raise LayoutError(f"ms_per_token = {quoted(ms_per_token)} is not a positive, finite number of milliseconds.")
    network, deployment, chip = served_in(scenario), deployment_in(scenario), chip_in(scenario)
    low, high = 0, MOST
    while low < high:
        middle = (low + high + 1) // 2
        fast = 1e3 * decode(network, evolve(deployment, **more, batch=middle), chip).time_s <= ms_per_token
        low, high = (middle, high) if fast else (low, middle - 1)
    return low
