"""Chapter 17: what came after the post, from the catalog: open mixtures, prices of tokens, rents."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from gpt4lab import catalog
from gpt4lab.charts import Axis
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.curve import lines_chart
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.view import View
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show, year
from gpt4lab.verdict.coincidence import POSTED, fingerprints, in_tries

CLASS = "gpt-4-8k gpt-4-turbo gpt-4o gpt-4o-2024-08"  # sold as GPT-4, or as its heir
YEAR = Axis("year", "Year", form="plain", domain=(2021, 2027))
RENT = Axis("usd", "Dollars per GPU and hour, lowest quote of the half year", log=True, form="money", domain=(0.8, 10))
CHIPS = {"a100-sxm": "A100", "h100-sxm": "H100"}
KINDS = {"on_demand": "on demand", "one_year": "one year"}


def mixtures() -> list[dict[str, Any]]:
    """Open mixtures of experts since the post, by date."""
    found = sorted((m for m in catalog.models.values() if (m.n_experts or 0) > 1), key=lambda m: m.released)
    return [
        {
            "model": model.name,
            "released": str(model.released),
            "experts": model.n_experts,
            "a token’s": model.top_k,
            "parameters": "–" if model.params_total is None else show(model.params_total, "param").split(" param")[0],
            "active": "–" if model.params_active is None else show(model.params_active, "param").split(" param")[0],
            "attention": model.attention or "–",
        }
        for model in found
        if model.released > POSTED and "proxy" not in model.name and model.slug != "gpt-4-leak"
    ]


def tokens() -> list[dict[str, Any]]:
    """OpenAI's list price of a million output tokens, by date, and over that of GPT-4 at its start."""
    first = catalog.prices["gpt-4-8k"].need("usd_per_1k_output")
    rows = sorted(catalog.prices.values(), key=lambda price: price.date)
    return [
        {
            "model": price.name,
            "from": str(price.date),
            "a million tokens in": show(1000 * price.need("usd_per_1k_input"), "USD"),
            "out": show(1000 * price.need("usd_per_1k_output"), "USD"),
            "out, over gpt-4’s": f"{price.need('usd_per_1k_output') / first:.2f}" if price.slug in CLASS else "–",
        }
        for price in rows
    ]


def quotes(chip: str) -> dict[tuple[str, float], float]:
    """The lowest quote of a chip in each half year, on demand or with a year's commitment."""
    found: dict[tuple[str, float], list[float]] = defaultdict(list)
    for key, one in catalog.accelerators.items():
        for rental in one.rentals if key.startswith(chip) else ():
            half = rental.date.year + (0.25 if rental.date.month < 7 else 0.75)
            for kind, words in KINDS.items():
                if (usd := getattr(rental, kind)) is not None:
                    found[words, half].append(usd)
    return {key: min(usd) for key, usd in sorted(found.items())}


def rents_view(scenario: Scenario) -> View:
    """Rents of both chips over time, with the post's two prices."""
    rows = [
        {"year": half, "usd": usd, "series": f"{name}, {kind}"}
        for chip, name in CHIPS.items()
        for (kind, half), usd in quotes(chip).items()
    ]
    then, leak = year(dt.date(2023, 7, 10)), load_scenario("leak")
    prices = dict.fromkeys(("cluster", "rerun"), (leak, scenario))
    post, you = (
        [{"year": then, "usd": getattr(of[k], chip).usd_per_gpu_hour} for chip, of in prices.items()] for k in (0, 1)
    )
    low = min(usd for (kind, half), usd in quotes("h100-sxm").items() if kind == "on demand" and half > 2023.6)
    index = [(half, usd) for (kind, half), usd in quotes("h100-sxm").items() if kind == "one year" and half > 2025.3]
    (_, bottom), (_, after) = index[0], index[-1]
    return View(
        "The second run’s rent over the first’s",
        scenario.rerun.usd_per_gpu_hour / scenario.cluster.usd_per_gpu_hour,
        "x",
        f"The lowest quotes of an H100 fell after the summer of 2023 to {show(low, 'USD')}, a year’s contract to "
        f"{show(bottom, 'USD')} in the second half of 2025, and rose again to {show(after, 'USD')}. A trend that "
        "turns is none to continue.",
        rows={"data": rows, "post": post, "you": [pinned(one, YEAR, RENT) for one in you]},
        alt="Lowest quoted rents of A100 and H100 by half year, on demand and for a year.",
    )


rents = Panel(
    title="What an hour has cost",
    legend="The lowest quote of each half year that the catalog knows; the marks are where your sliders stand.",
    controls=("cluster.usd_per_gpu_hour", "rerun.usd_per_gpu_hour"),
    claims=("F02", "F03"),
    view=rents_view,
    chart=lines_chart(YEAR, RENT, series="series", right=130),
)


def closenesses(tries: int) -> list[dict[str, Any]]:
    """The fingerprints that the book has noticed, and how likely each is by chance: in one try, and in several."""
    return [
        {
            "what": one.name,
            "found": show(one.found, one.unit),
            "nearest": show(one.nearest, one.unit),
            "among": one.what,
            "by chance": f"{one.chance:.1%}",
            f"in {tries} tries": f"{in_tries(one.chance, tries):.0%}",
        }
        for one in fingerprints(load_scenario("leak"))
    ]
