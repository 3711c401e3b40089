"""Chapter 16: the line of stages held against the model of a step, and against the play of its micro-batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gpt4lab.chapters.c16_clusters.balancer import FIFTEEN, line_of
from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities import value
from gpt4lab.scenario import change, load_scenario
from gpt4lab.simulate.pipeline.ring import lap, ring

CUTS: Mapping[str, Mapping[str, Any]] = {
    "sixteen, even": {},
    "fifteen, even": {"serving.pipeline": 15},
    "fifteen, and one for the output": {"stages.cut": FIFTEEN},
    "a bad cut": {"stages.cut": "12 8 8 8 8 8 8 8 8 8 8 4 4 8 4 8"},
}


def line_checks() -> Checks:
    """The closed form of each cut against the play; even ones also against the model of a step."""
    return Checks(check for words, given in CUTS.items() for check in _checks(words, given))


def _checks(words: str, given: Mapping[str, Any]) -> Iterator[Check]:
    scenario = change(load_scenario("leak"), given)
    here = line_of(scenario)
    own = lap(ring(here.seconds, here.micro_batches))
    yield Check(f"{words}: round, played", here.round_s, own[-1].end_s - own[0].came_s, "s")
    if "stages.cut" not in given:
        yield Check(f"{words}: step model", here.round_s, value("answer.latency", scenario), "s")
