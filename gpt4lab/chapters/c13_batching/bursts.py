"""Chapter 13: requests that come evenly, by chance, and in bursts, as many a second in all three."""

from __future__ import annotations

from gpt4lab.chapters.c13_batching.frontier import ROOMY
from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.simulate.serving.loads import SEEDS, capacity_per_s, waits
from gpt4lab.units import show

SHARES = tuple(step / 10 for step in range(1, 11))  # of what the lanes can bear
LOAD = Axis("load", "Requests a second, all lanes", domain=(0, 20))
FIRST = Axis("first", "First token: one in twenty waits longer, s", log=True, domain=(0.3, 300))
CLOCK, POISSON, BURSTS, TRACED = ORDER = ("clockwork", "Poisson", "bursts", "as they came")


def kinds(scenario: Scenario) -> dict[str, float | None]:
    """How requests come -> standard deviation of their gaps, in mean gaps; None: at the times of the trace."""
    return {CLOCK: 0.0, POISSON: 1.0, BURSTS: scenario.batching.burstiness, TRACED: None}


def over_chance(scenario: Scenario) -> float:
    """The wait at the times of the trace over that of Poisson arrivals, at the scenario's load."""
    own, chance = (waits(scenario, [scenario.batching.requests_per_s], variation)[0] for variation in (None, 1.0))
    return own / chance


def bursts_view(scenario: Scenario) -> View:
    """The wait under each kind of arrival, and the reader's load on the line of bursts."""
    most, here = capacity_per_s(scenario), scenario.batching.requests_per_s
    loads = [most * share for share in SHARES]
    now = {kind: waits(scenario, [here], variation)[0] for kind, variation in kinds(scenario).items()}
    times = now[BURSTS] / now[POISSON]
    return View(
        "One in twenty waits longer for the first token",
        now[BURSTS],
        "s",
        f"At {show(here, 'request/s')} it is {show(now[CLOCK], 's')} if they come like clockwork, "
        f"{show(now[POISSON], 's')} if by chance, {show(now[BURSTS], 's')} in bursts: {show(times, 'x')} the wait by "
        f"chance, at the same load. At the times of the trace it is {show(now[TRACED], 's')}.",
        rows={
            "data": [
                {"load": load, "first": wait, "arrivals": kind}
                for kind, variation in kinds(scenario).items()
                for load, wait in zip(loads, waits(scenario, loads, variation), strict=True)
            ],
            "you": [pinned({"load": here, "first": now[BURSTS]}, LOAD, FIRST)],
        },
        alt="Wait for the first token against load, a line for each kind of arrival; all rise steeply near capacity.",
    )


bursts = Panel(
    title="The same mean, in bursts",
    legend="The lengths are those of the trace. Only the times differ: equal gaps, gaps of pure chance (Poisson), gaps "
    "that vary more, and the trace’s own, sped up or slowed down to the same mean. Lines of chance are the mean of "
    f"{SEEDS} draws.",
    controls=(
        Slide("batching.burstiness", 0, 10),
        Slide("batching.requests_per_s", 1, 20),
        "batching.scheduler",
        Slide("batching.slots", 8, 256),
        "batching.traffic",
        "luck.seed",
    ),
    start=f"{ROOMY}&batching.requests_per_s=8",
    presets={"Three mean gaps": {}, "Wilder": {"batching.burstiness": 8}, "Code": {"batching.traffic": "code"}},
    claims=("C63",),
    view=bursts_view,
    chart=lines_chart(LOAD, FIRST, series="arrivals", order=ORDER, right=90),
    speed="debounced",
    pulls={"load": Pull("batching.requests_per_s")},
)
