"""Chapter 09's exercise in code: what a run costs, without a word of how many GPUs there are."""

from __future__ import annotations

from gpt4lab import catalog
from gpt4lab.book.exercises.code import Code
from gpt4lab.quantities import value
from gpt4lab.scenario import change, get, load_scenario

_NAMES = ("model.active_params", "training.tokens", "training.mfu", "cluster.usd_per_gpu_hour")
_PEAKS = {entry.peak_bf16_flop_per_s: key for key, entry in catalog.accelerators.items() if entry.peak_bf16_flop_per_s}


def _cost(params: float, tokens: float, peak: float, mfu: float, price: float) -> float:
    """The rent, on whichever accelerator has this peak."""
    moved = {"training.tokens": tokens, "training.mfu": mfu, "cluster.usd_per_gpu_hour": price}
    run = change(load_scenario("leak"), {**moved, "cluster.accelerator": _PEAKS[peak]})
    return value("training.cost", run, {"model.active_params": params})


def _case(scenario: str) -> tuple[float, ...]:
    here = load_scenario(scenario)
    params, tokens, mfu, price = (value(_NAMES[0], here), *(get(here, name) for name in _NAMES[1:]))
    return params, tokens, value("cluster.accelerator.peak_bf16_flop_per_s", here), mfu, price


rent = Code(
    solution="""
    def rent(params, tokens, peak, mfu, price):
        flop = 6 * params * tokens
        hours = flop / (peak * mfu) / 3600
        return hours * price
    """,
    truth=_cost,
    cases=[_case("leak"), _case("h100-rerun"), (175e9, 300e9, _case("leak")[2], 0.21, 1.5)],
    unit="USD",
)
