"""What a million tokens cost: those of a prompt, those of it that were cached before, and those that are written.

A prompt is computed in one pass, and each further token in a step. The chip's price is that of an hour of work: where
machines are idle for a share of the time, the others pay for it. A cached token has no products of its own; what
remains is that the fresh ones look back at it, and that its keys and values are read. So the prices add up: a prompt
costs its fresh tokens at one price and its cached ones at the other, and that is the rent for the time of its pass.
"""

from __future__ import annotations

from attrs import evolve, field, frozen

from gpt4lab.formulas.arith import Num, maximum
from gpt4lab.models.decode.deployment import Deployment
from gpt4lab.models.decode.report import PassReport, decode, prefill
from gpt4lab.models.inputs import Chip, Efficiency, Network
from gpt4lab.models.rules import positive

MILLION = 1e6


@frozen
class Prompts:
    """What is asked: tokens of a prompt, and how many of them are cached: more than none, and not all."""

    prompt: Num = field(validator=positive)
    cached: Num = field(validator=positive)


@frozen
class TokenPrices:
    """Dollars for a million tokens, and the passes that they follow from: a lone prompt, prompts in a row, a step."""

    usd_per_million_input: Num
    usd_per_million_cached: Num
    usd_per_million_output: Num
    first: PassReport
    prompts: PassReport
    step: PassReport


def token_prices(
    network: Network, deployment: Deployment, chip: Chip, traffic: Prompts, efficiency: Efficiency | None = None
) -> TokenPrices:
    """Prices at measured rates: prompts follow each other as many as the batch has sequences, as steps do.

    Raises LayoutError as `decode` and `prefill`, and where nothing of a prompt is left to compute.
    """
    asked = evolve(deployment, context=traffic.prompt)
    fresh = prefill(network, evolve(asked, context=traffic.prompt - traffic.cached), chip, efficiency)
    alone = prefill(network, evolve(asked, batch=1), chip, efficiency, traffic.cached)
    whole = prefill(network, asked, chip, efficiency, traffic.cached)
    step = decode(network, deployment, chip, efficiency)
    rent = fresh.gpus * chip.usd_per_hour / 3600 * MILLION / (deployment.batch * deployment.expert)
    return TokenPrices(
        usd_per_million_input=rent * fresh.time_s / (traffic.prompt - traffic.cached),
        usd_per_million_cached=rent * maximum(whole.time_s - fresh.time_s, 0) / traffic.cached,
        usd_per_million_output=rent * step.time_s,
        first=alone,
        prompts=whole,
        step=step,
    )
