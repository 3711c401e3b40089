"""Chapter 02: more experts at equal FLOP, as recorded and as trained again here; equal time instead; facts by heart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from gpt4lab.charts import Axis, dots
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.reading import Attempt
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.training import Training
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario
from gpt4lab.toys.core.recordings import Row, gain, load_recorded, mean_curves, summary

if TYPE_CHECKING:
    from gpt4lab.toys.core.background import BackgroundRun

LOSS = Axis("bpb", "Held-out loss, bits per byte")
LIVE = {"experts": (1, 4, 16), "seeds": 3}
EXPERTS, FACT_EXPERTS = (1, 4, 16, 64), (1, 4, 16, 64)


@cache
def recorded() -> Mapping[str, Any]:
    """The recorded run: results, settings, date, machine and script."""
    return load_recorded("experts")


def provenance() -> str:
    """Where the recorded numbers are from, in one sentence."""
    run, settings = recorded(), recorded()["settings"]
    return (
        f"Recorded on {run['date']} with “{run['script']}”: {settings['seeds']} seeds of {settings['steps']:,} steps "
        f"each, torch {run['torch']}, {run['machine']}."
    )


# --- equal FLOP ---------------------------------------------------------------------------------------


def scaling_rows(results: Sequence[Row], mark: str) -> list[Row]:
    """One dot a number of experts: the mean over the seeds, with one standard deviation to each side."""
    return [{**row, "lane": lane(row["experts"]), "mark": mark} for row in summary(results)]


def lane(experts: int) -> str:
    """How a chart names a number of experts."""
    return "dense" if experts == 1 else f"{experts} experts"


def train_scaling(scenario: Scenario) -> BackgroundRun[list[Row]]:
    """The smaller run of the reader. Raises ImportError without torch."""
    from gpt4lab.toys.core.corpus import load_corpus
    from gpt4lab.toys.experts.scaling import Scaling

    return Scaling(load_corpus(), steps=scenario.mixture.steps, **LIVE).start(name="experts at equal FLOP")


def scaling_view(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """Recorded and live losses by number of experts."""
    here = list(attempt.run.result) if attempt else []
    step = gain(recorded()["results"], 64, 16)
    return View(
        label="64 experts instead of 16, recorded",
        value=f"{step['gain']:.3f} bits per byte less",
        unit="",
        sentence=f"{_recorded_sentence()} {_live_sentence(here)}",
        rows={"data": [*scaling_rows(recorded()["results"], "published"), *scaling_rows(here, "measured")]},
        alt="Held-out loss by number of experts: mean and standard deviation over the seeds.",
    )


def recorded_steps() -> list[Row]:
    """What each step of the recorded run gains: from the dense model to 4 experts, to 16, to 64."""
    return [gain(recorded()["results"], more, fewer) for fewer, more in pairwise(EXPERTS)]


def _recorded_sentence() -> str:
    steps = "; ".join(
        f"from {step['fewer']} to {lane(step['more'])} {step['gain']:.3f} ± {step['high'] - step['gain']:.3f} "
        f"({_each(step)})"
        for step in recorded_steps()
    )
    return f"Bits per byte saved in the recorded run, mean and standard deviation (and seed by seed): {steps}."


def _live_sentence(results: Sequence[Row]) -> str:
    done, of = {row["experts"] for row in results}, len(LIVE["experts"]) * LIVE["seeds"]
    if not results:
        return "Press Run for a smaller version of your own."
    here = f" 16 experts save {_each(gain(results, 16, 1))} over the dense model." if {1, 16} <= done else ""
    return f"Here {len(results)} of {of} trainings {'is' if len(results) == 1 else 'are'} done.{here}"


def _each(found: Row) -> str:
    return ", ".join(f"{difference:.3f}" for difference in found["differences"]).replace("-", "−")


scaling = Training(
    title="More experts, the same FLOP",
    legend="Every model spends the same FLOP on a byte; only the number of experts to choose from differs. Triangles: "
    "the recorded run, mean and standard deviation over the seeds. Squares: the smaller run that you start here, nine "
    "short trainings one after the other, about a minute.",
    controls=(Slide("mixture.steps", 12, 600),),
    start="leak?mixture.steps=150",
    presets={"Short": {}, "Longer": {"mixture.steps": 400}},
    claims=("C45",),
    begin=train_scaling,
    watch=scaling_view,
    chart=lambda view: dots(view.rows["data"], LOSS, "lane", bounds=("low", "high")),
)


# --- equal time ---------------------------------------------------------------------------------------


def loss_at(points: Sequence[Row], cpu_s: float) -> float | None:
    """Loss of a curve after some CPU time, on a straight line between its points; None outside it."""
    for left, right in pairwise(points):
        if left["cpu_s"] <= cpu_s <= right["cpu_s"]:
            share = (cpu_s - left["cpu_s"]) / (right["cpu_s"] - left["cpu_s"])
            return left["bpb"] + share * (right["bpb"] - left["bpb"])
    return None


@cache
def curves() -> dict[int, list[Row]]:
    """experts -> mean curve of the recorded run, as long as its learning rate is constant: the first half.

    Later the rate falls to zero, at another time for each model, so that the curves cannot be held against each other.
    """
    rows, tokens = mean_curves(recorded()["results"]), max(row["tokens"] for row in recorded()["results"])
    return {e: [row for row in rows if row["experts"] == e and row["tokens"] <= tokens / 2] for e in EXPERTS}


def common() -> tuple[int, int]:
    """The CPU times, in whole seconds, between which every curve has a value."""
    starts, ends = ([points[at]["cpu_s"] for points in curves().values()] for at in (0, -1))
    return ceil(max(starts)), floor(min(ends))


SOONEST, LATEST = common()
CPU_TIME = Axis("cpu_s", "CPU time of one core, s", domain=(SOONEST - 3, ceil(curves()[64][-1]["cpu_s"])))


def time_view(scenario: Scenario) -> View:
    """Mean loss of each number of experts after the CPU time that the reader allows."""
    budget = scenario.mixture.cpu_seconds
    found = {e: loss for e, points in curves().items() if (loss := loss_at(points, budget)) is not None}
    return View(
        label=f"Lowest loss after {budget:.3g} s",
        value=lane(min(found, key=lambda e: found[e])) if found else "not recorded",
        unit="",
        sentence=_time_sentence(budget, found),
        rows={
            "data": [{**row, "lane": lane(e)} for e, points in curves().items() for row in points],
            "you": [pinned({"cpu_s": budget, "label": f"{budget:.3g} s"}, CPU_TIME)],
        },
        alt="Loss against CPU time, one line a number of experts.",
    )


def _time_sentence(budget: float, found: Mapping[int, float]) -> str:
    if not found:
        return f"The recorded run tells from {SOONEST} to {LATEST} s of one core, and nothing of {budget:.3g} s."
    each = ", ".join(f"{lane(e)} {loss:.2f}" for e, loss in found.items())
    return f"After {budget:.3g} s of one core, in bits per byte: {each}. More experts see less text in the same time."


def _around() -> tuple[float, float]:
    """The losses worth drawing: from the lowest to what the dense model has when the slider begins."""
    lowest = min(row["bpb"] for points in curves().values() for row in points)
    first = loss_at(curves()[1], SOONEST) or lowest
    return floor(10 * lowest) / 10, ceil(10 * first + 1) / 10


equal_time = Panel(
    title="More experts, the same time",
    legend="The recorded run again, against the time that it took on one core. Equal FLOP is not equal time: sorting "
    "bytes by expert and updating more weights take time too. Shown while the learning rate is constant.",
    controls=(Slide("mixture.cpu_seconds", SOONEST, LATEST),),
    start=f"leak?mixture.cpu_seconds={SOONEST}",
    presets={"Soon": {}, "Late": {"mixture.cpu_seconds": LATEST}},
    view=time_view,
    chart=lines_chart(x=CPU_TIME, y=replace(LOSS, domain=_around()), series="lane", order=[lane(e) for e in EXPERTS]),
    pulls={"cpu_s": Pull("mixture.cpu_seconds")},
)


# --- facts by heart -----------------------------------------------------------------------------------


def learn(scenario: Scenario) -> BackgroundRun[list[Row]]:
    """Learn the fact table with 1, 4, 16 and 64 experts. Raises ImportError without torch."""
    from gpt4lab.toys.experts.facts import Facts

    return Facts(FACT_EXPERTS, steps=scenario.mixture.steps, seed=scenario.luck.seed).start()


def facts_view(scenario: Scenario, attempt: Attempt | None, before: Attempt | None) -> View:
    """Loss of each model by step, and what share of the table it knows in the end."""
    results = list(attempt.run.result) if attempt else []
    known = {row["experts"]: row["known"] for row in results}
    return View(
        label="Facts known by the last model trained",
        value=known[max(known)] if known else "–",
        unit="fraction",
        sentence=_facts_sentence(results),
        rows={"data": _facts_rows(attempt)},
        alt="Loss by step for each number of experts.",
    )


def _facts_rows(attempt: Attempt | None) -> list[dict[str, Any]]:
    history, rows = list(attempt.run.history) if attempt else [], []
    for e in FACT_EXPERTS:
        losses = [row["loss"] for row in history if row["experts"] == e]
        rows += [{"step": i + 1, "loss": losses[i], "experts": lane(e)} for i in range(0, len(losses), 5)]
    return rows


def _facts_sentence(results: Sequence[Mapping[str, Any]]) -> str:
    if not results:
        return "Press Run: four small models learn the same table one after the other."
    each = "; ".join(f"{lane(r['experts'])}: {r['known']:.0%} known, {r['nats']:.2f} nats" for r in results)
    return f"{each}. Guessing costs {results[0]['guessing']:.2f} nats."


facts = Training(
    title="Facts by heart",
    legend="A table of random facts, “this pair of keys means that value”: nothing to understand, only to keep. Models "
    "with the same FLOP per fact and 1, 4, 16 and 64 experts learn it. This is the task that suits experts best.",
    controls=(Slide("mixture.steps", 20, 1000),),
    folded=("luck.seed",),
    start="leak?mixture.steps=400",
    presets={"Short": {}, "Longer": {"mixture.steps": 800}},
    begin=learn,
    watch=facts_view,
    chart=lines_chart(
        x=Axis("step", "Training step", form="count"),
        y=Axis("loss", "Loss, nats per fact", domain=(0, 4.5)),
        series="experts",
        order=[lane(e) for e in FACT_EXPERTS],
        right=120,
        last_value=".2f",
    ),
)
