"""Chapter 02: how many experts the published models have, before the post and since."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis, dots
from gpt4lab.panels.figure import Figure
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import load_scenario
from gpt4lab.units import year

MANY = 64  # what the post calls research
LEAK, PROXY = "gpt-4-leak", "nvidia-gpt-moe-1.8t"  # the post itself, and a shape that may come from it


def mixtures() -> dict[str, Any]:
    """The mixtures of experts of the catalog, oldest first; the post's own and its echo left out."""
    found = [key for key, m in catalog.models.items() if m.n_experts and key not in (LEAK, PROXY)]
    return {key: catalog.models[key] for key in sorted(found, key=lambda key: catalog.models[key].released)}


def since_view() -> View:
    """Experts per layer by date."""
    leak, published = catalog.models[LEAK], mixtures().values()
    rows = [_dot(m, "published", m.name) for m in published] + [_dot(leak, "post", "the post")]
    later = [m.n_experts for m in published if m.released > leak.released]
    few = [n for n in later if n < MANY]
    return View(
        rows={"data": rows},
        sentence=f"Of {len(later)} mixtures in the catalog that came after GPT-4, {len(later) - len(few)} have {MANY} "
        f"experts or more in a layer; the others have {min(few)} to {max(few)}.",
        alt="Experts in a layer against the date of release, one triangle a model, and the post's diamond at 16.",
    )


def _dot(m: Any, mark: str, words: str) -> dict[str, Any]:
    return {"year": year(m.released), "experts": m.n_experts, "mark": mark, "label": words}


def since_chart(view: View) -> Any:
    """One dot a model."""
    year = Axis("year", "Year of release", form="plain", domain=(2020, 2026.4))
    return dots(view.rows["data"], year, Axis("experts", "Experts in a layer", log=True, domain=(4, 4096)), height=420)


def since() -> Figure:
    """The published models on the page."""
    return Figure(
        "Sixteen experts, before and since",
        since_view(),
        chart=since_chart,
        legend="Models whose makers published how many experts a layer has. The diamond is the post's GPT-4.",
    )


def woken(model: Any, tokens: int) -> float:
    """Share of this model's experts that a step of so many tokens needs."""
    routing = {"model.experts": model.need("n_experts"), "model.top_k": model.need("top_k")}
    return value("moe.touched", load_scenario("leak"), {**routing, "decode.micro_batch": tokens})


def rows() -> list[dict[str, Any]]:
    """The same models as a table: routing, and what a step of 32 tokens wakes."""
    return [
        {
            "model": m.name,
            "published": f"{m.released:%Y-%m}",
            "experts": f"{m.top_k} of {m.n_experts}",
            "stored over used": m.params_total / m.params_active if m.params_active else None,
            "woken by 32": woken(m, 32),
        }
        for m in mixtures().values()
    ]
