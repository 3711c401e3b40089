"""Chapter 09: {compute, GPUs, days, utilisation} obey one equation; three decide the fourth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.claims.ledger import ledger
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import unit_of, value
from gpt4lab.scenario import Scenario, change, get, load_scenario
from gpt4lab.units import show, year

YEAR = Axis("year", "Published", form="plain", domain=(2020, 2025.5))
MFU = Axis("mfu", "MFU, share of the peak", form="percent", domain=(0, 0.6))
STATED_MFU = (0.32, 0.36)  # C29
HFU = " (HFU)"  # on a label: recomputed work is counted
LEFT_OUT = ("gpt-4-leak", "gpt-3-palm-table", "gopher-palm-table")  # the post itself, and second opinions on a run


@frozen
class Unknown:
    """One of the four numbers: its slider, the quantity that solves for it, what it is called, how it is said."""

    slide: Slide
    solution: str
    label: str
    words: str


UNKNOWNS: Mapping[str, Unknown] = {
    "compute": Unknown(
        Slide("training.tokens", 1e12, 100e12), "training.tokens_afforded", "Tokens that these three afford", "{}"
    ),
    "GPUs": Unknown(Slide("cluster.gpus", 1_000, 200_000), "training.gpus_needed", "GPUs that these three need", "{}"),
    "days": Unknown(Slide("cluster.days", 5, 1000), "training.days", "Days that these three need", "{}"),
    "MFU": Unknown(
        Slide("training.mfu", 0.02, 1), "training.implied_mfu", "MFU that these three imply", "{} of the peak"
    ),
}


def equation_view(scenario: Scenario) -> View:
    """The one number that follows, and the utilisation among the published ones."""
    unknown = UNKNOWNS[scenario.equation.follows]
    path, found = unknown.slide.path, value(unknown.solution, scenario)
    return View(
        label=unknown.label,
        value=found,
        unit=unit_of(path),
        post=value(path, load_scenario("leak")),
        sentence=_sentence(scenario, found),
        rows={
            "data": [],
            "published": published(),
            "post": [_date_and_mfu_of_the_post()],
            "you": [_you(scenario, found)],
        },
        alt="Utilisation of published training runs by year; the post's and yours among them.",
        follow={path: _held(unknown.slide, found)},
    )


def _held(slide: Slide, found: float) -> float:
    held = min(max(found, slide.lo), slide.hi)
    return round(held) if slide.path == "cluster.gpus" else held


def _sentence(scenario: Scenario, found: float) -> str:
    follows = scenario.equation.follows
    given = ", ".join(_with_unit(name, scenario) for name in UNKNOWNS if name != follows)
    if follows == "MFU" and found > 1:
        return f"{given}: impossible. The GPUs would have to compute at {show(found, 'fraction')} of their peak."
    return f"{given}: these leave no choice. {_rank(found if follows == 'MFU' else scenario.training.mfu)}"


def _rank(mfu: float) -> str:
    """Among the MFUs alone: recomputed work is not to be compared with work."""
    runs = [row["mfu"] for row in published() if not row["label"].endswith(HFU)]
    lower = sum(run < mfu for run in runs)
    return f"Of the {len(runs)} published MFUs {lower} are lower than {show(mfu, 'fraction')}."


def _with_unit(name: str, scenario: Scenario) -> str:
    path = UNKNOWNS[name].slide.path
    return UNKNOWNS[name].words.format(show(get(scenario, path), unit_of(path)))


def published() -> list[dict[str, Any]]:
    """Every published utilisation but the leak's own, one a run; those that count recomputed work are marked."""
    runs = [run for run in catalog.published_mfu() if run.slug not in LEFT_OUT]
    return [{"year": year(run.released), "mfu": run.mfu, "label": _named(run)} for run in runs]


def _named(run: Any) -> str:
    """The name without its size, for which there is no room."""
    short = re.sub(r" [\d.]+[BT]\b.*", "", run.name)
    return f"{short}{HFU}" if getattr(run, "counts_recomputation", False) else short


def _date_and_mfu_of_the_post() -> dict[str, Any]:
    return {"year": year(catalog.models["gpt-4-leak"].released), "mfu": sum(STATED_MFU) / 2}


def stated_size() -> float:
    """The active parameters that the stated compute and the stated tokens amount to."""
    (flop,) = ledger()["C27"].stated
    return flop / (6 * load_scenario("leak").training.tokens)


def stated_saving() -> float:
    """The stated total of the first run over that of the second."""
    (again,) = ledger()["C36"].stated
    return load_scenario("leak").cluster.stated_usd / (again * 1e6)


def mfu_with(days: float, params: float) -> float:
    """The utilisation that the post's GPUs and tokens imply for so many days and active parameters."""
    given = {"cluster.days": days, "model.active_params": params}
    return value("training.implied_mfu", load_scenario("leak"), given)


def _you(scenario: Scenario, found: float) -> dict[str, Any]:
    mfu = found if scenario.equation.follows == "MFU" else scenario.training.mfu
    return pinned({**_date_and_mfu_of_the_post(), "mfu": mfu}, YEAR, MFU)


def settled(changes: Mapping[str, Any]) -> dict[str, Any]:
    """A preset in which the fourth number already follows."""
    return {**changes, **equation_view(change(load_scenario("leak"), changes)).follow}


equation = Panel(
    title="Four numbers, one equation",
    legend="Choose which number follows; its slider moves by itself. Compute is set by the tokens, six FLOP for each "
    "of them and each active parameter. Triangles are utilisations that others published (HFU "
    "counts recomputed work too).",
    controls=("equation.follows", *(unknown.slide for unknown in UNKNOWNS.values()), "cluster.accelerator"),
    presets={
        "The post": settled({}),
        "90 days": settled({"cluster.days": 90}),
        "100 days": settled({"cluster.days": 100}),
        "The same author's 20,000": settled({"cluster.gpus": load_scenario("semianalysis-2024").cluster.gpus}),
        "If the 34% were HFU": settled(
            {"equation.follows": "days", "training.mfu": value("training.mfu_if_hfu", load_scenario("leak"))}
        ),
    },
    claims=("C27", "C28", "C29"),
    view=equation_view,
    chart=lines_chart(YEAR, MFU, height=400),
    pulls={"mfu": Pull("training.mfu", along="y")},
)
