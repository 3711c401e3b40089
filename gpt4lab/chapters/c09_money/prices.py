"""Chapter 09: what a GPU-hour was offered for, and what "cost" may mean."""

from __future__ import annotations

from typing import Any

from gpt4lab import catalog
from gpt4lab.catalog import Rental
from gpt4lab.charts import Axis, dots
from gpt4lab.charts.marks import pinned
from gpt4lab.panels.panel import Panel
from gpt4lab.panels.setting import Pull, Slide
from gpt4lab.panels.view import View
from gpt4lab.quantities import value
from gpt4lab.scenario import Scenario, load_scenario
from gpt4lab.units import show

HOURLY = Axis("usd", "Dollars per GPU-hour", log=True, form="money", domain=(0.4, 16))
SAME_CHIP = {"a100-sxm-40gb": "a100-sxm-80gb", "a100-sxm-80gb": "a100-sxm-40gb"}


def quotes_view(scenario: Scenario) -> View:
    """Quotes for the chosen accelerator by date; the post's price and yours among them."""
    chip, price = catalog.accelerators[scenario.cluster.accelerator], scenario.cluster.usd_per_gpu_hour
    quotes = quotes_for(scenario.cluster.accelerator)
    rows = [_quote(rental) for rental in quotes]
    return View(
        label="Rent of the run at your price",
        value=value("training.cost", scenario),
        unit="USD",
        post=scenario.cluster.stated_usd,
        sentence=_among(chip.name, price, quotes),
        rows={"data": [*sorted([*rows, *_posts(scenario)], key=lambda row: row["quote"]), _your_price(price)]},
        alt="Prices of a GPU-hour by date and vendor, on demand, with a bar down to the lowest with a commitment.",
    )


def quotes_for(accelerator: str) -> list[Rental]:
    """Quotes for an accelerator, by date; for an A100 those of both memory sizes, which compute alike."""
    chips = [catalog.accelerators[key] for key in (accelerator, SAME_CHIP.get(accelerator)) if key]
    return sorted((rental for chip in chips for rental in chip.rentals), key=lambda rental: rental.date)


def lambdas(accelerator: str) -> Rental:
    """Lambda's first quote for an accelerator: the cheapest vendor of both kinds when the post was written."""
    return next(rental for rental in catalog.accelerators[accelerator].rentals if rental.vendor == "Lambda")


def lowest(rental: Rental) -> float:
    """The lowest price of a quote, with whatever commitment."""
    return min(price for price in (rental.on_demand, rental.one_year, rental.three_years) if price is not None)


def _quote(rental: Rental) -> dict[str, Any]:
    most = rental.on_demand or lowest(rental)
    return {
        "quote": f"{rental.date:%Y-%m} {rental.vendor}",
        "usd": most,
        "low": lowest(rental),
        "high": most,
        "mark": "published",
    }


def _posts(scenario: Scenario) -> list[dict[str, Any]]:
    """The price that the post states for this kind of GPU, if it states one."""
    post = load_scenario("leak")
    stated = {
        "a100": ("2022-07 the post, for the run", post.cluster.usd_per_gpu_hour),
        "h100": ("2023-07 the post, “today”", post.rerun.usd_per_gpu_hour),
    }
    kind = scenario.cluster.accelerator[:4]
    return [{"quote": words, "usd": usd, "mark": "post"} for key, (words, usd) in stated.items() if key == kind]


def _your_price(price: float) -> dict[str, Any]:
    return {"quote": "you", "mark": "you", **pinned({"usd": price}, HOURLY)}


def _among(name: str, price: float, quotes: list[Rental]) -> str:
    if not quotes:
        return (
            f"The catalog has no quote for {name}. Nothing says whether {show(price, 'USD')} an hour is a fair price."
        )
    below = sum((rental.on_demand or lowest(rental)) <= price for rental in quotes)
    on_demand = [(rental.on_demand, rental) for rental in quotes if rental.on_demand]
    listed, seller = min(on_demand, key=lambda pair: pair[0])
    bound = min(quotes, key=lowest)
    less = f", the lowest with a commitment {_price_of(bound, lowest(bound))}" if lowest(bound) < listed else ""
    return (
        f"Of {len(quotes)} quotes {below or 'none'} {'is' if below <= 1 else 'are'} at or below ${price:.2f}. "
        f"The lowest on demand is {_price_of(seller, listed)}{less}."
    )


def _price_of(rental: Rental, price: float) -> str:
    return f"${price:.2f} ({rental.vendor}, {rental.date:%B %Y})"


quotes = Panel(
    title="What an hour was offered for",
    legend="Each line is a public quote, oldest first. The triangle is the price on demand, or of a year where only "
    "that is known; where longer commitments were offered, a bar runs down to the cheapest of them. The diamond is the "
    "price that the post assumes.",
    controls=("cluster.accelerator", Slide("cluster.usd_per_gpu_hour", 0.4, 16), Slide("training.mfu", 0.1, 0.8)),
    presets={
        "A100 at $1, the post": "leak",
        "H100 at $2, the post": "h100-rerun",
        "A100 at AWS's list price": {
            "cluster.usd_per_gpu_hour": catalog.accelerators["a100-sxm-40gb"].rentals[0].on_demand
        },
    },
    claims=("C32", "C37"),
    view=quotes_view,
    chart=lambda view: dots(view.rows["data"], HOURLY, "quote", bounds=("low", "high")),
    pulls={"usd": Pull("cluster.usd_per_gpu_hour")},
)


TOTAL = Axis("usd", "Dollars", log=True, form="money", domain=(1e7, 1e9))


def costs_view(scenario: Scenario) -> View:
    """What was said of the run's cost, by what it counts."""
    mine = value("training.cost", scenario)
    buy = _epoch("cost_acquisition_2026", "cost_acquisition_2025")
    written_off = _epoch("cost_amortised_2026", "cost_amortised_2025")
    less = "; writing them off over it costs less than your rent" if written_off["high"] < mine else ""
    return View(
        label="Rent of the run, under your assumptions",
        value=mine,
        unit="USD",
        post=scenario.cluster.stated_usd,
        sentence=f"The spread is a matter of what is counted. Buying the post's machines costs {buy['low'] / mine:.3g} "
        f"times your rent for one run, because they outlive the run{less}.",
        rows={
            "data": [
                *_statements_of_cost(scenario),
                {"what": "you: rent of the run", "mark": "you", **pinned({"usd": mine}, TOTAL)},
            ]
        },
        alt="Estimates of what GPT-4 cost, by what they count, from hardware written off to buying it all.",
    )


def _statements_of_cost(scenario: Scenario) -> list[dict[str, Any]]:
    days = [value("cluster.rental", load_scenario("leak"), {"cluster.days": d}) for d in (90, 100)]
    again = value("rerun.rental", load_scenario("leak"))
    return [
        {"what": "the post's re-run on H100", "usd": again, "mark": "post"},
        {"what": "Epoch: hardware written off", **_epoch("cost_amortised_2026", "cost_amortised_2025")},
        {"what": "the post's GPUs × days × $1", "usd": sum(days) / 2, "low": days[0], "high": days[1], "mark": "post"},
        {"what": "the post", "usd": load_scenario("leak").cluster.stated_usd, "mark": "post"},
        {"what": "Epoch: rented in the cloud", **_epoch("cost_cloud_2026", "cost_cloud_2025")},
        {"what": "Altman: “more than” $100 million", "usd": 100e6, "low": 100e6, "high": 1e9, "mark": "published"},
        {"what": "Epoch: buying the machines", **_epoch("cost_acquisition_2026", "cost_acquisition_2025")},
    ]


def _epoch(*keys: str) -> dict[str, Any]:
    """Epoch's estimates of one kind, of two years: the mean as the mark, the range as the bar."""
    found = [getattr(catalog.epoch["gpt-4"], key) for key in keys]
    return {"usd": sum(found) / len(found), "low": min(found), "high": max(found), "mark": "published"}


costs = Panel(
    title="Which cost?",
    legend="Each line is one statement about the cost of GPT-4. They differ by a factor of twenty because they count "
    "different things, not because they disagree. Bars are ranges.",
    controls=(
        Slide("training.mfu", 0.1, 0.8),
        Slide("cluster.usd_per_gpu_hour", 0.4, 16),
        "cluster.accelerator",
        Slide("training.tokens", 1e12, 100e12),
    ),
    presets={"The post": "leak", "H100, as the post says": "h100-rerun", "H100, NVIDIA at GTC 2024": "gtc-2024"},
    claims=("C33", "C34"),
    view=costs_view,
    number="training.cost",
    chart=lambda view: dots(view.rows["data"], TOTAL, "what", bounds=("low", "high")),
    pulls={"usd": Pull("cluster.usd_per_gpu_hour", "training.cost")},
)
