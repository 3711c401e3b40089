"""Chapter 17: what can be solved by hand, against the engines."""

from __future__ import annotations

import math
from statistics import pstdev

from gpt4lab.checks.check import Check
from gpt4lab.scenario import load_scenario
from gpt4lab.verdict.adjust import adjust, chi2_above
from gpt4lab.verdict.network import COUNTED, PINNED, equations, numbers
from gpt4lab.verdict.strands import posterior
from gpt4lab.verdict.uncertain import sampled

PRICE = "cluster.usd_per_gpu_hour"


def by_hand() -> list[Check]:
    """One equation of four numbers, a sum of two uncertain ones, three witnesses, and a tail of chi-square."""
    leak = load_scenario("leak")
    cost = next(one for one in equations() if one.title == "Cost")
    mode = {path: COUNTED if path in cost.members() else PINNED for path in numbers()}
    found = adjust(leak, [cost], mode, dict.fromkeys(mode, 1.0))
    variance = {path: numbers()[path].spread(leak) ** 2 for path in cost.members()}
    missing = math.log(63e6 / (25_000 * 24 * 95))
    rent = math.exp(missing * variance[PRICE] / sum(variance.values()))
    total = sampled("model.total_params", leak, 20_000)
    spread = math.sqrt(((16 * 0.5e9) ** 2 + 0.5e9**2) / 3)
    drawn = pstdev(map(float, total.numbers))
    return [
        Check("rent, if only the cost binds", rent, found.rent, "USD/GPU/hour", where="Lagrange, by hand"),
        Check("spread of all parameters", spread, drawn, "param", where="variances add"),
        Check("three witnesses of 10, 2 and ½, prior one in five", 2.5 / 3.5, posterior(0.2, (10, 2, 0.5)), "fraction",
              where="odds 1/4 × 10"),
        Check("χ² above 16.919, nine free equations", 0.05, chi2_above(16.919, 9), "fraction", where="printed tables"),
    ]  # fmt: skip
