"""What the verdict's engines find, as quantities: `value("verdict.rent", scenario)`.

The registry imports this module when the first of these names is asked for.
"""

from __future__ import annotations

from typing import Any

from gpt4lab.models.in_scenario import Bridge
from gpt4lab.models.registered import Family
from gpt4lab.quantities import leaves
from gpt4lab.scenario import FIELDS, Scenario, change, load_scenario
from gpt4lab.verdict.adjust import Adjustment, adjustment
from gpt4lab.verdict.network import equations, numbers
from gpt4lab.verdict.rank import left
from gpt4lab.verdict.strands import Weighed, weighed


def _whole(**told: Any) -> Scenario:
    """The post's scenario with all that an engine reads."""
    return change(load_scenario("leak"), {path.replace("__", "."): there for path, there in told.items()})


def _bridge(*groups: str, more: tuple[str, ...] = ()) -> Bridge[Scenario]:
    paths = [path for path in FIELDS if path.partition(".")[0] in groups]
    return Bridge(_whole, {path.replace(".", "__"): path for path in dict.fromkeys((*paths, *more))})


def _read() -> tuple[str, ...]:
    """All fields that the network reads: its numbers, and what else stands in its formulas."""
    found = leaves(tuple(one.solver for one in equations(block=True)))
    fields = (path if path in FIELDS else path.rpartition(".")[0] for path in (*numbers(), *found))
    return tuple(dict.fromkeys(path for path in fields if path in FIELDS))


def adjusted(scenario: Scenario) -> Adjustment:
    """The network of a scenario, adjusted."""
    return adjustment(scenario)


def evidence(scenario: Scenario) -> Weighed:
    """The public evidence on one claim."""
    return weighed(scenario)


NETWORK = Family(adjusted, _bridge("adjust", more=_read()), source="mohr2012")
NETWORK.modelled("verdict.chi2", "1", "chi2", "Sum of squares by which the post's numbers miss each other, adjusted.")
NETWORK.modelled("verdict.freedom", "1", "freedom", "Equations of the network that check something.")
NETWORK.modelled("verdict.chance", "fraction", "chance", "Chance of so much misfit, if only rounding were at work.")
NETWORK.modelled("verdict.strain", "1", "strain", "The largest pull of any number, in its own standard deviations.")
NETWORK.modelled("verdict.rent", "USD/GPU/hour", "rent", "Rent of an A100 that fits the other numbers.")
NETWORK.modelled("verdict.days", "day", "days", "Days of the run that fit the other numbers.")
NETWORK.modelled("verdict.newer_mfu", "fraction", "newer_mfu", "MFU on newer machines that fits the other numbers.")
NETWORK.modelled("verdict.width", "1", "width", "Width that fits; the scenario's where none binds it.")

CONTENT = Family(left, _bridge("adjust"), source="arithmetic")
CONTENT.modelled("verdict.statements", "1", "stated", "Numbers that the post states and nobody struck out.")
CONTENT.modelled("verdict.independent", "1", "independent", "Numbers of the post that its others do not decide.")
CONTENT.modelled("verdict.lost", "1", "count_lost", "Numbers that can no longer be rebuilt.")

EVIDENCE = Family(evidence, _bridge("strands"), source="arithmetic")
EVIDENCE.modelled("verdict.posterior", "fraction", "posterior", "How likely the claim is after all evidence.")
EVIDENCE.modelled("verdict.posterior_low", "fraction", "low", "The same for one who takes each witness at its weakest.")
EVIDENCE.modelled("verdict.posterior_high", "fraction", "high", "The same for one who takes each at its strongest.")
