"""What must be true of a scenario's machines for its tokens to cost a stated figure, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any

from attrs import evolve, frozen

from gpt4lab.formulas.arith import Num
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.prices import Prompts, TokenPrices, token_prices
from gpt4lab.models.in_scenario import busy_chip_in, deployment_in, served_in, traffic_in
from gpt4lab.models.inputs import Chip, Network
from gpt4lab.scenario import Scenario

MOST = 65_536  # sequences in flight


@frozen
class Answering:
    """A scenario's network, machines and questions, as the model of an answer takes them."""

    network: Network
    deployment: Deployment
    chip: Chip
    traffic: Prompts

    @classmethod
    def of(cls, scenario: Scenario) -> Answering:
        """Those of a scenario."""
        return cls(served_in(scenario), deployment_in(scenario), busy_chip_in(scenario), traffic_in(scenario))

    def prices(self, **more: Any) -> TokenPrices:
        """Prices of its tokens, with other fields of the deployment."""
        return token_prices(self.network, evolve(self.deployment, **more), self.chip, self.traffic)

    def written(self, **more: Any) -> float:
        """Dollars for 1,000 tokens that are written."""
        return float(self.prices(**more).usd_per_million_output / 1000)

    def blended(self, output: Num, **more: Any) -> float:
        """Dollars for 1,000 tokens, those of prompts and cached ones among them, where answers have `output`."""
        prices, asked = self.prices(**more), self.traffic
        usd = (asked.prompt - asked.cached) * prices.usd_per_million_input
        usd += asked.cached * prices.usd_per_million_cached + output * prices.usd_per_million_output
        return float(usd / (asked.prompt + output) / 1000)


@frozen
class Implied:
    """What answers cost, and what alone would make that the figure: nan where nothing within bounds does.

    idle: share of the time. prompts: share of the tokens that belong to prompts, none of them cached.
    """

    usd_per_1k: float
    batch: float
    context: float
    idle: float
    prompts: float


def implied(scenario: Scenario, figure: float) -> Implied:
    """What a figure, in dollars for 1,000 tokens, implies for a scenario's machines at measured rates."""
    served = Answering.of(scenario)
    written, read = served.written(), float(served.prices().usd_per_million_input / 1000)
    prompts = (written - figure) / (written - read)
    return Implied(
        written,
        _where(lambda b: -served.written(batch=b), -figure, 16, MOST),
        _where(lambda s: served.written(context=s), figure, 1, scenario.model.context),
        1 - written / figure if written <= figure else nan,
        prompts if 0 <= prompts <= 1 else nan,
    )


def _where(rising: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Where a rising function reaches what is wanted; nan where it does not between the two."""
    if not rising(low) <= wanted <= rising(high):
        return nan
    for _ in range(40):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if rising(middle) <= wanted else (low, middle)
    return low
