"""Chapter 00: one claim that dies of a multiplication; for the exercises a rent, and the claim that stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpt4lab.claims import audit, judge, ledger
from gpt4lab.claims.prose import fill
from gpt4lab.quantities import unit_of, value
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.units import show

LENGTH, PEAK = "flop.training_years", "cluster.accelerator.peak_bf16_flop_per_s"


def peak_as_sold() -> str:
    """What a GPU of the post does at its peak by its data sheet: "312 TFLOP/s"."""
    return show(value(PEAK, load_scenario("leak")), unit_of(PEAK))


def years_as_written() -> str:
    """How long the post's own cluster trains if a token costs what the post writes, C12: "261 years"."""
    leak = load_scenario("leak")
    stated = judge(ledger()["C12"], leak).stated[0]
    return show(value(LENGTH, leak, {"flop.per_token": stated}), unit_of(LENGTH))


def rent(scenario: Scenario) -> str:
    """What the cluster costs, in a sentence."""
    whose = ", the middle of the post's range," if scenario.cluster.days == load_scenario("leak").cluster.days else ""
    return fill(f"{{cluster.gpus}} for {{cluster.days}}{whose} cost {{cluster.rental}} in rent.", scenario)


def left_alone(ids: Sequence[str], changes: Mapping[str, Any]) -> str:
    """The one of these claims whose verdict stays as it is when the post's assumptions change so.

    Raises
    ------
    ValueError
        If it is none or more than one: then it is no question with one answer.

    """
    leak = load_scenario("leak")
    before, after = audit(leak, ids), audit(change(leak, changes), ids)
    stay = [old.claim.id for old, new in zip(before, after, strict=True) if old.verdict == new.verdict]
    if len(stay) != 1:
        raise ValueError(f"of {', '.join(ids)} not one but {len(stay)} keep their verdict with {dict(changes)}")
    return stay[0]
