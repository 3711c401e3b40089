"""Two models of a decode step, one beside the other: the roofline of the ledger, and the step with measured rates.

The roofline (`serving`) takes the longer of reading and computing, both at full peak and all else free: what nobody can
beat. The step (`decode`) adds up kinds of work, each at the rate that a micro-benchmark reached. Between them lies a
ladder: each rung takes away one kindness, and the last one is the step.
"""

from __future__ import annotations

from math import inf

from attrs import evolve, frozen

from gpt4lab.models.decode.report import decode
from gpt4lab.models.in_scenario import chip_in, deployment_in, served_in
from gpt4lab.models.inputs import Efficiency, measured_efficiency
from gpt4lab.quantities.registry import value
from gpt4lab.scenario import Scenario

#: Everything at its full peak, and nothing that takes time without moving data.
PERFECT = Efficiency(
    matmul=1, memory=1, link=1, network=1, matmul_8bit=1, intake=inf, kernel_s=0, launch_s=0, message_s=0, hop_s=0
)

#: What each rung below the roofline takes away: words, and the efficiencies that are measured from there on.
RUNGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("uneven stages, logits, work in and between the products", ()),
    ("memory at its measured rate", ("memory",)),
    ("products at their measured rate", ("matmul", "matmul_8bit")),
    ("traffic over real links", ("link", "network")),
    ("launches and messages", ("kernel_s", "message_s", "hop_s")),
)


@frozen
class Rung:
    """Time of a token after one more thing is counted, and how many times as long as on the rung before."""

    counted: str
    ms_per_token: float
    times: float


def ladder(scenario: Scenario) -> tuple[Rung, ...]:
    """The rungs from the roofline of a scenario's serving cluster down to the step with measured rates.

    Raises LayoutError where the step cannot exist, such as a mean context beyond the model's.
    """
    times = [1e3 * value("decode.latency", scenario), *_stepped(scenario)]
    words = ["the roofline: read or compute, at full peak", *(words for words, _ in RUNGS)]
    return tuple(
        Rung(counted, here, here / before)
        for counted, here, before in zip(words, times, [times[0], *times], strict=False)
    )


def _stepped(scenario: Scenario) -> list[float]:
    """Milliseconds of the step as one group of efficiencies after the other is the measured one."""
    network, deployment, real = served_in(scenario), deployment_in(scenario), chip_in(scenario)
    free = evolve(real, link_bytes_per_s=inf, network_bytes_per_s=inf)
    reach, found = PERFECT, list[float]()
    for _, names in RUNGS:
        reach = evolve(reach, **{name: getattr(measured_efficiency(), name) for name in names})
        chip = real if reach.link < 1 else free  # perfect links are boundless, too
        found.append(1e3 * float(decode(network, deployment, chip, reach).time_s))
    return found


def apart(scenario: Scenario) -> float:
    """How many times as long a token takes by the step as on the roofline."""
    rungs = ladder(scenario)
    return rungs[-1].ms_per_token / rungs[0].ms_per_token
