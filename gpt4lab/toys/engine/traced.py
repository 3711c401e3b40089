"""The engine serves real traffic: the first requests of a trace, so much shorter that they fit."""

from __future__ import annotations

from attrs import define, field

from gpt4lab.catalog.traffic import traced
from gpt4lab.toys.core.background import StepRows
from gpt4lab.toys.drafting.measured import PROMPTS as TEXTS
from gpt4lab.toys.drafting.train_target import load_shipped
from gpt4lab.toys.engine.batched import BatchedDecoder
from gpt4lab.toys.engine.engine import Engine, Request, in_turns
from gpt4lab.toys.engine.measured import PassTime, capacity_per_s, fit, profile
from gpt4lab.toys.engine.served import Answered, EngineRules

KNOWN = ("static", "dynamic", "continuous")  # what the engine can do: it takes prompts whole
MANY, REPEATS, LOAD = 20, 3, 0.9  # requests, runs of each scheduler, arrivals over what full slots can answer
LEAST_S = 1e-6  # a pass takes some time, whatever a fit to the passes of a busy machine says
PROMPTS, OUTPUTS, LONGEST = 20, 8, 100  # traced tokens for one of the toy's; the longest prompt


def toy_requests(stretch: float) -> list[Request]:
    """The first of the conversation trace, times stretched, lengths so much smaller that they fit into the toy."""
    text = "".join(TEXTS)
    return [
        Request(at * stretch, max(1, output // OUTPUTS), text[: min(LONGEST, max(1, prompt // PROMPTS))])
        for at, prompt, output in traced("conversation")[:MANY]
    ]


@define
class Repeated:
    """The same requests through each scheduler, several times. `served` grows while the run goes on: run by run."""

    slots: int
    asked: list[Request] = field(factory=list)
    served: list[Answered] = field(factory=list)

    def rows(self) -> StepRows:
        """A row for each request that is through."""
        model = load_shipped("target")
        pace = fit(profile(model, sorted({1, 2, self.slots})))
        drawn = toy_requests(1)
        per_s = LOAD * capacity_per_s(pace, self.slots, drawn)
        self.asked = toy_requests(MANY / drawn[-1].arrival_s / per_s)
        decoders = [(name, BatchedDecoder(model, self.slots)) for _ in range(REPEATS) for name in KNOWN]
        engines = [Engine(self.asked, decoder, EngineRules(name)) for name, decoder in decoders]
        self.served = [engine.served for engine in engines]
        for engine, stay in in_turns(engines):
            yield {"scheduler": engine.rules.scheduler, **stay.row}

    def of(self, scheduler: str) -> list[Answered]:
        """The runs under a scheduler, the first one first."""
        return [one for one in self.served if one.rules.scheduler == scheduler]

    @property
    def whole(self) -> bool:
        """Whether every run is done."""
        return bool(self.served) and all(len(one.stays) == MANY for one in self.served)

    @property
    def pace(self) -> PassTime:
        """Fitted to the passes of the first run of each scheduler; the later ones it has not seen."""
        found = fit([step for one in self.served[: len(KNOWN)] for step in one.steps])
        return found._replace(fixed_s=max(found.fixed_s, LEAST_S))
