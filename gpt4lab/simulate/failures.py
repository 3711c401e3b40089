"""Many training runs with failures, checkpoints and restarts at once, as arrays; `one_run` has the process, in words.

    habits = Habits(mtbf_h=2.0, interval_h=3.0, checkpoint_h=1 / 12, restart_h=0.5)
    months = simulate(habits, hours=720, runs=200, seed=1)
    months.share                            # useful time over all time, one number a month

Daly (2006) gives the mean of this very process; see `goodput.share`.

Left out: failures that come together or in infant mortality, spare machines that run out, slow machines that do not
fail, and loss spikes, after which people go back further than one checkpoint.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from attrs import astuple, frozen

from gpt4lab.formulas.arith import floor, minimum
from gpt4lab.scenario.field import ScenarioError
from gpt4lab.simulate.one_run import Habits
from gpt4lab.simulate.serving.workload import Floats
from gpt4lab.units import quoted

#: Gaps between failures that are drawn at most: 80 MB.
MOST_GAPS = 10**7


@frozen
class Spent:
    """Hours by what they were spent on: a number, or one a run. `useful` is work that was kept."""

    useful: Any
    lost: Any
    checkpoint: Any
    restart: Any
    failures: Any

    @property
    def total(self) -> Any:
        """All hours."""
        return self.useful + self.lost + self.checkpoint + self.restart

    @property
    def share(self) -> Any:
        """Share of the time that became useful work."""
        return self.useful / self.total


def spend(gap: Any, habits: Habits, fresh: Any = 0, failed: Any = 1) -> Spent:
    """Return what the hours of one gap go to; arrays give arrays.

    fresh = 1 for a gap that needs no restart; failed = 0 for the last one, which the end of the run cuts short.
    """
    restart = minimum(gap, habits.restart_h) * (1 - fresh)
    rounds = floor((gap - restart) / habits.round_h)
    begun = gap - restart - rounds * habits.round_h
    work = minimum(begun, habits.interval_h)
    return Spent(
        useful=rounds * habits.interval_h + work * (1 - failed),
        lost=work * failed,
        checkpoint=rounds * habits.checkpoint_h + begun - work,
        restart=restart,
        failures=failed,
    )


def draw(habits: Habits, hours: float, runs: int, seed: int) -> Floats:
    """Return times to each failure since the one before, (runs, failures); every row is longer than the run.

    The same seed is the same luck: a longer mean time stretches the very same gaps.

    Raises ScenarioError for a length or a number of runs that cannot be, and for more failures than there is room for.
    """
    _refuse(habits, hours, runs)
    expected = hours / habits.mtbf_h
    most = math.ceil(expected + 8 * math.sqrt(expected) + 8)  # more failures than that: less than once in 1e12 runs
    return np.random.default_rng(seed).standard_exponential((most, runs)).T * habits.mtbf_h


def _refuse(habits: Habits, hours: Any, runs: Any) -> None:
    """Raise ScenarioError for runs that cannot be played."""
    if not isinstance(hours, (int, float)) or not 0 < hours <= 1e15:
        raise ScenarioError(f"hours = {quoted(hours)} is out of range; allowed: above 0 to 1e15 hours.")
    if not isinstance(runs, int) or not 1 <= runs <= MOST_GAPS:
        raise ScenarioError(f"runs = {quoted(runs)} is out of range; allowed: whole numbers from 1 to {MOST_GAPS:,}.")
    if (found := hours / habits.mtbf_h * runs) > MOST_GAPS:
        raise ScenarioError(
            f"{found:,.3g} failures are more than the {MOST_GAPS:,} that can be played: fewer runs would do."
        )


def play(gaps: Floats, habits: Habits, hours: float) -> Spent:
    """Return what the first `hours` of each run went to, for given gaps between failures (runs, failures)."""
    ends = np.cumsum(gaps, axis=1)
    inside = np.clip(hours - (ends - gaps), 0, gaps)  # (runs, failures): the part of each gap before the end
    first = (np.arange(gaps.shape[1]) == 0) * 1.0
    spent = spend(inside, habits, fresh=first, failed=(ends < hours) * 1.0)
    return Spent(*(hours_spent.sum(axis=1) for hours_spent in astuple(spent, recurse=False)))


def simulate(habits: Habits, hours: float, runs: int = 200, seed: int = 0) -> Spent:
    """Play `runs` independent runs of the same length. Raises ScenarioError as `draw`."""
    return play(draw(habits, hours, runs, seed), habits, hours)
