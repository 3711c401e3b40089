"""Evidence in strands: what goes back to one source is one witness, however often it is printed.

Odds are multiplied by how many times likelier each strand's word is if the claim is true. Within a strand only the
strongest word for and the strongest against count. What is derived from the leak says nothing.
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

import attrs

from gpt4lab import catalog
from gpt4lab.catalog import Evidence
from gpt4lab.claims import Claim, ledger
from gpt4lab.scenario import Scenario
from gpt4lab.scenario.live import COUNTINGS, MOVE, QUESTIONS, WITNESSES

BY_STRAND, EVERY, ONE = COUNTINGS
DERIVED = "derived"
#: What a sceptic takes for one rumour: the article, the talk before it, and a vendor that may have read both.
ONE_RUMOUR = ("leak", "rumour", "NVIDIA")


def _pair(ends: Sequence[float]) -> tuple[float, float]:
    low, high = ends
    return low, high


@attrs.frozen
class Item:
    """Something public that bears on a question; band: its likelihood ratio, at least and at most."""

    evidence: str
    band: tuple[float, float] = attrs.field(converter=_pair)
    why: str

    @property
    def entry(self) -> Evidence:
        """What the catalog knows of it."""
        return catalog.evidence[self.evidence]

    @property
    def number(self) -> int:
        """Its place among all that is in print."""
        return numbered()[self.evidence]

    def at(self, lean: float) -> float:
        """The ratio within the band: 0 is a sceptic's, 1 a believer's."""
        low, high = self.band
        return low ** (1 - lean) * high**lean


@attrs.frozen
class Strand:
    """Items of one source, and what they say together."""

    name: str
    items: tuple[Item, ...]
    ratio: float


@attrs.frozen
class Weighed:
    """The arithmetic of a question: prior, strands, posterior; and the posterior of a sceptic and of a believer."""

    question: str
    prior: float
    strands: tuple[Strand, ...]
    posterior: float
    low: float
    high: float

    @property
    def odds(self) -> float:
        """Prior odds."""
        return self.prior / (1 - self.prior)


@cache
def questions() -> Mapping[str, tuple[Claim, tuple[Item, ...]]]:
    """Every question: its claim, and its items by date."""
    told = tomllib.loads(files("gpt4lab.verdict").joinpath("questions.toml").read_text("utf-8"))
    found = {name: (ledger()[one["claim"]], [Item(**item) for item in one["items"]]) for name, (one,) in told.items()}
    assert tuple(found) == QUESTIONS
    return {name: (claim, tuple(sorted(items, key=_by_date))) for name, (claim, items) in found.items()}


@cache
def numbered() -> Mapping[str, int]:
    """The number of every item in print, by date: the same whatever it is asked about, so that a move stays true."""
    once = {item.evidence: item for _, items in questions().values() for item in items}
    found = {item.evidence: number for number, item in enumerate(sorted(once.values(), key=_by_date), 1)}
    assert len(found) == WITNESSES
    return found


def _by_date(item: Item) -> tuple[dt.date, str]:
    return item.entry.date, item.evidence


def weighed(scenario: Scenario) -> Weighed:
    """The evidence on the question that the scenario asks, counted as it says."""
    told = scenario.strands
    items = questions()[told.question][1]
    groups = grouped(items, told.counting, moves(told.moved))
    return weigh(told.question, told.prior, groups, told.lean)


def moves(text: str) -> dict[int, str]:
    """Which item the reader has put into whose strand: "10=leak" -> {10: "leak"}."""
    return {int(number): name for number, name in MOVE.findall(text)}


def grouped(items: Sequence[Item], counting: str, moved: Mapping[int, str]) -> dict[str, list[Item]]:
    """Items by strand; counted one by one, or the rumours as one. A move of the reader's goes before."""
    found: dict[str, list[Item]] = {}
    for item in items:
        own, number = item.entry.strand, item.number
        name = ONE_RUMOUR[0] if counting == ONE and own in ONE_RUMOUR else own
        name = f"{number}" if counting == EVERY else name
        found.setdefault(moved.get(number, name), []).append(item)
    return found


def weigh(question: str, prior: float, groups: Mapping[str, Iterable[Item]], lean: float) -> Weighed:
    """Prior odds times the ratio of each strand."""
    strands = tuple(Strand(name, tuple(items), _ratio(name, items, lean)) for name, items in groups.items())
    ends = [posterior(prior, (_ratio(name, items, end) for name, items in groups.items())) for end in (0, lean, 1)]
    return Weighed(question, prior, strands, ends[1], ends[0], ends[2])


def posterior(prior: float, ratios: Iterable[float]) -> float:
    """Bayes in odds: p / (1 - p) times each ratio."""
    odds = prior / (1 - prior) * math.prod(ratios)
    return odds / (1 + odds)


def _ratio(name: str, items: Iterable[Item], lean: float) -> float:
    """The strongest word for, times the strongest against; what is derived stays so in a strand of others."""
    each = [1.0 if _is_derived(name, item) else item.at(lean) for item in items]
    return max(1.0, *each) * min(1.0, *each)


def _is_derived(name: str, item: Item) -> bool:
    """Whether an item says nothing of its own in a strand; each counted alone, it is counted too."""
    return DERIVED in (name, item.entry.strand) and not name.isdigit()
