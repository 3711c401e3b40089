"""Chapter 16: several clusters in several places: one fails, and how many should wait for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random
from statistics import fmean

from gpt4lab.charts import Axis
from gpt4lab.checks.check import Check, Checks
from gpt4lab.models.queues import md1_wait, mmc_wait
from gpt4lab.panels.curve import Curve, lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.simulate.serving.batching import Rules
from gpt4lab.simulate.serving.failover import AFTER_S, BEFORE_S, SEEDS, Wait, waits
from gpt4lab.simulate.serving.loads import capacity_per_s
from gpt4lab.simulate.serving.pace import Linear
from gpt4lab.simulate.serving.plain import plain, play
from gpt4lab.units import counted, show

ASKED = Axis("asked", "Asked, seconds from the failure", domain=(-BEFORE_S, AFTER_S))
WAIT = Axis("wait", "Mean wait for the first token, s", log=True, domain=(0.1, 300))
FULL = 1.06  # nearer than that to all that lanes can about bear, nobody can say
FAILS, NONE = ORDER = ("one cluster fails", "none fails")
BUSY = "leak?batching.slots=64&batching.requests_per_s=12&sites.clusters=4"


def failover_view(scenario: Scenario) -> View:
    """The wait over time, with and without the failure."""
    found = {words: waits(scenario, words == FAILS) for words in ORDER}
    worst = max(found[FAILS], key=lambda one: one.wait_s)
    many, most = scenario.sites.clusters, capacity_per_s(scenario)
    load, left = scenario.batching.requests_per_s / most, many / (many - 1)
    return View(
        "Longest mean wait of a minute, after the failure",
        worst.wait_s,
        "s",
        f"{counted(many, 'cluster')}, each with {load:.0%} of what its lanes can about bear; {load * left:.0%} when "
        f"one is gone. {_told(scenario, found, load * left)}",
        rows={"data": [row for words, each in found.items() for row in _rows(words, each)]},
        alt="Mean wait for the first token by the minute of asking: with a cluster that fails, and with none.",
    )


def _told(scenario: Scenario, found: dict[str, list[Wait]], after: float) -> str:
    before, last = found[FAILS][0].wait_s, found[FAILS][-1].wait_s
    spare = f"the spare cluster is there, after {show(scenario.reliability.restart_minutes, 'minute')}"
    until = spare if scenario.sites.spare else "somebody comes back, or gives up"
    if FULL > after > 1 / FULL:
        return "That is about all of it: a queue may build up, and go again."
    if after < 1:
        return f"The wait goes from {show(before, 's')} to {show(last, 's')} in the last minute."
    return f"That is more than all of it: the queue grows until {until}."


def _rows(words: str, each: Sequence[Wait]) -> list[dict[str, float | str]]:
    return [{"asked": one.asked_s, "wait": max(one.wait_s, 0.1), "what": words} for one in each]


failover = Panel(
    title="A cluster fails",
    legend="Requests with the lengths of the real trace come by chance. At second 0 one cluster is gone: its answers "
    f"under way are asked again, and the others share its requests. One lane of those that stay, {SEEDS} draws.",
    controls=(
        Slide("sites.clusters", 2, 32),
        Slide("batching.requests_per_s", 1, 20),
        Slide("sites.spare", 0, 8),
        Slide("reliability.restart_minutes", 1, 12),
        Slide("batching.slots", 32, 256),
        "luck.seed",
    ),
    folded=("batching.traffic",),
    start=BUSY,
    presets={
        "Four clusters, nearly full": {},
        "Sixteen": {"sites.clusters": 16},
        "Two clusters": {"sites.clusters": 2},
        "Two thirds full": {"batching.requests_per_s": 9},
        "A spare, started in 4 minutes": {"reliability.restart_minutes": 4},
        "No spare": {"sites.spare": 0},
    },
    claims=("C79",),
    view=failover_view,
    chart=lines_chart(ASKED, WAIT, series="what", order=ORDER, right=120),
    speed="debounced",
)

spares = Curve(
    title="Spare clusters",
    legend="Hours of a year in which fewer clusters work than the traffic needs. Clusters fail on their own, sites as "
    "a whole. Left out: what fails everywhere at once.",
    of="sites.hours_short",
    along="sites.spare",
    at=range(9),
    post=None,
    x=Axis("spare", "Spare clusters", domain=(0, 8)),
    y=Axis("hours", "Hours a year with too few clusters", log=True, domain=(1e-3, 1e4)),
    series="sites",
    lines={"all in one place": {"sites.places": 1}, "in your sites": {}},
    label="Too few clusters, a year",
    says="A cluster has a failure every {sites.mtbf} and is away for {sites.cluster_away} of the time. With "
    "{sites.spare} to spare for {sites.clusters}, over {sites.places}, fewer than needed are there for "
    "{sites.hours_short} a year. The spare ones cost {sites.spare_usd} a year.",
    alt="Hours a year with too few clusters against spare ones: falling steeply, until the outages of sites are left.",
    controls=(
        Slide("sites.clusters", 1, 32),
        Slide("sites.spare", 0, 8),
        Slide("sites.places", 1, 12),
        Slide("sites.repair_hours", 0.1, 200),
        Slide("sites.outage_hours", 0, 100),
        "reliability.gpu_mtbf_years",
    ),
    folded=("serving.usd_per_gpu_hour", Slide("serving.pipeline", 8, 24)),
    presets={
        "Eight clusters, four sites": {},
        "One site": {"sites.places": 1},
        "A spare for each site": {"sites.spare": 4},
        "GPUs as in 2021": {"reliability.gpu_mtbf_years": 1.5},
        "A node is back in an hour": {"sites.repair_hours": 1},
    },
    claims=("C79",),
)


# --- what a hand can compute ------------------------------------------------------------------------------------------

SERVICE, MANY, DRAWS = 200, 8_000, 3  # steps of an answer on average, of one second each; requests; draws of chance


def by_hand() -> Checks:
    """The simulation of the serving chapter against queues that have a formula: one slot, and several (Erlang C)."""
    return Checks([*_equal(), *_by_chance()])


def _equal() -> Iterator[Check]:
    for load in (0.5, 0.8):
        yield Check(
            f"1 slot, equal answers, {load:.0%} busy", md1_wait(load, SERVICE), _wait(1, load, chance=False), "s"
        )


def _by_chance() -> Iterator[Check]:
    for slots, load in ((1, 0.7), (4, 0.7), (8, 0.8)):
        found = _wait(slots, load * slots, chance=True)
        words = f"{counted(slots, 'slot')}, answers that end by chance, {load:.0%} busy"
        yield Check(words, mmc_wait(slots, load * slots, SERVICE), found, "s")


def _wait(slots: int, a: float, *, chance: bool) -> float:
    """Mean wait for a slot, a step a second and no prompts, at a load of `a` slots."""
    return fmean(_drawn(slots, a, chance, Random(seed)) for seed in range(DRAWS))


def _drawn(slots: int, a: float, chance: bool, luck: Random) -> float:
    """Gaps and lengths are scaled to have just their means, which takes out most of the luck."""
    gaps, lengths = ([luck.expovariate(1) for _ in range(MANY)] for _ in range(2))
    gap, length = SERVICE / a * MANY / sum(gaps), (SERVICE - 0.5) * MANY / sum(lengths)
    times = accumulate(gap * one for one in gaps)
    rows = [(at, 1, 1 + int(length * one) if chance else SERVICE) for at, one in zip(times, lengths, strict=True)]
    log = play(plain(rows), Linear(1), Rules("continuous", slots=slots))
    return fmean(stay.start_s - rows[stay.request][0] for stay in log.stays)
