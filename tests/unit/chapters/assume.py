"""Scenarios as the tests of chapters write them."""

from __future__ import annotations

from typing import Any

from gpt4lab.scenario import Scenario, change, load_scenario

LEAK = load_scenario("leak")


def assume(start: Scenario = LEAK, **changes: Any) -> Scenario:
    """A scenario with some fields changed: `assume(training__mfu=0.5)`."""
    return change(start, {path.replace("__", "."): value for path, value in changes.items()})
