"""What a newer machine brings to a scenario's serving, one change after another, on the roofline and at measured rates.

The changes are laid one on the other in the order of `CHANGES`: memory bandwidth, peak, links, bytes of a weight,
sequences in flight. Another order would give each another share of the same product.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from gpt4lab.formulas.arith import Num
from gpt4lab.models.decode.report import decode
from gpt4lab.models.in_scenario import chip_in, deployment_in, served_in
from gpt4lab.models.inputs import chip
from gpt4lab.quantities.registry import values
from gpt4lab.quantities.topics.decode import attention_s, experts_s, kv_s, shared_s
from gpt4lab.scenario import Scenario

CHANGES = ("bandwidth", "peak", "links", "precision", "batch")
_ROOFLINE = (
    "model.shared_params",
    "model.looked_up_params",
    "decode.tokens_kept",
    "kv.bytes_per_token",
    "kv.ranks",
    "decode.scores_per_token",
)


def on_roofline(scenario: Scenario) -> dict[str, float]:
    """What each change multiplies the tokens a second by, where links cost no time.

    Half the bytes of a number are multiplied at twice the rate.
    """
    old, new, again = chip_in(scenario), chip(scenario.rerun.accelerator), scenario.rerun
    rate, w, b = _roofline(scenario), scenario.serving.bytes_per_weight, scenario.serving.tokens_in_flight
    W, F = new.memory_bytes_per_s, new.peak_flop_per_s
    bits = (W, F * max(1.0, 2 / again.bytes_per_weight), again.bytes_per_weight)
    started = rate(old.memory_bytes_per_s, old.peak_flop_per_s, w, b)
    wider, faster = rate(W, old.peak_flop_per_s, w, b), rate(W, F, w, b)
    return _gains(started, wider, faster, faster, rate(*bits, b), rate(*bits, again.tokens_in_flight))


def _roofline(scenario: Scenario) -> Callable[[Num, Num, Num, Num], Num]:
    """Tokens a second by bandwidth, peak, bytes of a weight and sequences in flight: `decode.tokens_per_s`."""
    N_shared, N_looked_up, s, c, r, F_scores = values(_ROOFLINE, scenario).values()
    model, t, p = scenario.model, scenario.serving.tensor, scenario.serving.pipeline

    def tokens_per_s(W: Num, F: Num, w: Num, flight: Num) -> Num:
        b = max(flight / p, 1)
        touched = model.experts * (1 - (1 - model.top_k / model.experts) ** b)
        weights = shared_s(N_shared, N_looked_up, w, b, t, W, F)
        experts = experts_s(model.expert_params, touched, model.top_k, w, b, t, W, F)
        return flight / (weights + experts + attention_s(kv_s(b, s, c, r, W), b, F_scores, t, F))

    return tokens_per_s


def at_measured_rates(scenario: Scenario) -> dict[str, float]:
    """The same by the model of an answer; weights of one byte are multiplied in 8 bits."""
    old, new, again = chip_in(scenario), chip(scenario.rerun.accelerator), scenario.rerun
    network, way = served_in(scenario), deployment_in(scenario)
    wider = evolve(old, memory_bytes_per_s=new.memory_bytes_per_s)
    peaks = ("peak_flop_per_s", "peak_8bit_flop_per_s", "sm_clocks_per_s")
    faster = evolve(wider, **{name: getattr(new, name) for name in peaks})
    bits = evolve(way, weight_bytes=again.bytes_per_weight, eight_bit=again.bytes_per_weight <= 1)
    runs = ((way, old), (way, wider), (way, faster), (way, new), (bits, new))
    last = evolve(bits, batch=again.tokens_in_flight)
    return _gains(*(decode(network, how, machine).tokens_per_s for how, machine in (*runs, (last, new))))


def _gains(*rates: Num) -> dict[str, float]:
    return {change: float(after / before) for change, before, after in zip(CHANGES, rates, rates[1:], strict=False)}
