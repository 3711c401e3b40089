"""Chapter 09: failures, checkpoints and restarts: habits, and the share of the time that they leave."""

from __future__ import annotations

from attrs import evolve

from gpt4lab.checks.check import Check, Checks
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, change, load_scenario
from gpt4lab.simulate.one_run import Habits

MONTH_H, MONTHS = 24.0 * 30, 200
MOST_GAPS = 1_500_000  # failures to draw; beyond it fewer months are played
Changes = dict[str, float | int]


def habits_of(scenario: Scenario) -> Habits:
    """The scenario's reliability, in the hours that the simulation counts."""
    given = scenario.reliability
    return Habits(
        mtbf_h=value("goodput.mtbf", scenario),
        interval_h=given.checkpoint_interval_hours,
        checkpoint_h=given.checkpoint_minutes / 60,
        restart_h=given.restart_minutes / 60,
    )


def shares_of_months(scenario: Scenario) -> list[float]:
    """The useful share of each of two hundred months with other luck; none where numpy is not installed."""
    try:
        from gpt4lab.simulate.failures import simulate
    except ImportError:
        return []
    habits = habits_of(scenario)
    runs = int(min(max(MOST_GAPS * habits.mtbf_h / MONTH_H, 20), MONTHS))
    return simulate(habits, MONTH_H, runs, scenario.luck.seed).share.tolist()


def interval_checks(scenario: Scenario, *intervals_h: float) -> Checks:
    """The useful share by Daly's formula against 200 simulated runs, for each time between checkpoints."""
    return Checks(_interval_check(scenario, hours) for hours in intervals_h)


def _interval_check(scenario: Scenario, hours: float) -> Check:
    from gpt4lab.simulate.failures import simulate

    formula = value("goodput.share", scenario, {"reliability.checkpoint_interval_hours": hours})
    habits = evolve(habits_of(scenario), interval_h=hours)
    found = simulate(habits, hours=scenario.cluster.days * 24, runs=200, seed=9).share.mean()
    return Check(f"a checkpoint every {hours} h", formula, float(found), "fraction", "200 runs, here")


SMALL_CLUSTER: Changes = {
    "reliability.checkpoint_interval_hours": 3,
    "reliability.checkpoint_minutes": 5,
    "reliability.restart_minutes": 30,
}
QUICK: Changes = {
    "reliability.checkpoint_interval_hours": 0.2,
    "reliability.checkpoint_minutes": 0.5,
    "reliability.restart_minutes": 5,
}


def young(habits: Changes) -> Changes:
    """The same habits with the interval that Young's rule asks for."""
    interval = value("goodput.young_interval", change(load_scenario("leak"), habits))
    return {**habits, "reliability.checkpoint_interval_hours": interval}
