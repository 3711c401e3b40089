"""How likely a closeness is by chance: the share of a range, on a log axis, that lies so near to any of the targets."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from functools import cache

import attrs

from gpt4lab import catalog
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.verdict.network import numbers

POSTED = dt.date(2023, 7, 11)


@attrs.frozen
class Fingerprint:
    """A number that comes near to one of some targets.

    within: relative distance to the nearest; never less than the fineness with which it is known. lo, hi: the range in
    which it might as well have been.
    """

    name: str
    found: float
    unit: str
    targets: tuple[float, ...]
    rounding: float
    lo: float
    hi: float
    what: str

    @property
    def nearest(self) -> float:
        """The target that it is nearest to."""
        return min(self.targets, key=lambda target: abs(math.log(self.found / target)))

    @property
    def within(self) -> float:
        """How near, as a difference of logarithms."""
        return max(abs(math.log(self.found / self.nearest)), self.rounding)

    @property
    def chance(self) -> float:
        """Of such a closeness, for a number thrown anywhere on the log axis; its ends are hit from both sides."""
        return covered(self.targets, self.within, self.lo * math.exp(-self.within), self.hi * math.exp(self.within))


def covered(targets: Iterable[float], within: float, lo: float, hi: float) -> float:
    """Share of the range lo to hi, on a log axis, that lies within so much of any target."""
    ends = [(math.log(target) - within, math.log(target) + within) for target in targets]
    total, reached = 0.0, math.log(lo)
    for begin, end in sorted(ends):
        until = min(end, math.log(hi))
        total, reached = total + max(0.0, until - max(begin, reached)), max(reached, until)
    return total / math.log(hi / lo)


def in_tries(chance: float, tries: int) -> float:
    """The chance that at least one of so many independent tries comes out so near."""
    return -math.expm1(tries * math.log1p(-chance)) if chance < 1 else 1.0


@cache
def rents(chip: str) -> tuple[float, ...]:
    """All rents of a chip that had been quoted when the post was written."""
    rows = [rent for key, one in catalog.accelerators.items() if key.startswith(chip) for rent in one.rentals]
    each = [
        (rent.on_demand, rent.one_year, rent.three_years)
        for rent in rows
        if rent.date <= POSTED and rent.vendor != "DeepSeek-V3 report"
    ]
    return tuple(sorted({number for row in each for number in row if number}))


def _half(path: str) -> float:
    leak = load_scenario("leak")
    return numbers()[path].half / numbers()[path].value(leak)


def fingerprints(scenario: Scenario) -> Sequence[Fingerprint]:
    """The closenesses that this book has noticed, in the order of its chapters."""
    widths = [value(f"geometry.width_from_{part}", scenario) for part in ("attention", "expert")]
    old, new = rents("a100"), rents("h100")
    hours = 24 * scenario.rerun.gpus * scenario.rerun.days
    davinci = (catalog.prices["davinci-2020"], catalog.prices["davinci-2022"])
    gpt4 = (catalog.prices["gpt-4-8k"], catalog.prices["gpt-4-32k"])
    sides = ("usd_per_1k_input", "usd_per_1k_output")
    ratios = tuple(sorted({getattr(a, one) / getattr(b, one) for a in gpt4 for b in davinci for one in sides}))
    return (
        Fingerprint(
            "one width for both", widths[1] / widths[0], "x", (1.0,), _half("model.shared_params") / 2, 0.5, 2,
            "the widths at which layers of GPT-3’s shape have the stated attention and the stated expert",
        ),
        Fingerprint(
            "rent behind $63 million", value("budget.price", scenario), "USD/GPU/hour", old,
            _half("cluster.stated_usd"), min(old), max(old), "an A100’s list prices until then",
        ),
        Fingerprint(
            "rent behind $21.5 million", numbers()["rerun.rental"].value(scenario) / hours, "USD/GPU/hour", new,
            _half("rerun.rental"), min(new), max(new),
            "an H100’s list prices until then",
        ),
        Fingerprint(
            "“3x” davinci", 3.0, "x", ratios, 0.5 / 3, min(ratios), max(ratios),
            "GPT-4’s list prices over davinci’s: both versions, both years, both sides",
        ),
    )  # fmt: skip
