"""Chapter 02's exercise in code: how many experts a step wakes."""

from __future__ import annotations

from gpt4lab.book.exercises.code import Code
from gpt4lab.quantities import value
from gpt4lab.scenario import change, load_scenario


def _touched(experts: int, chosen: int, tokens: int) -> float:
    sizes = {"model.experts": experts, "model.top_k": chosen}
    step = {"serving.tokens_in_flight": tokens, "serving.pipeline": 1}
    return value("moe.touched", change(load_scenario("leak"), {**sizes, **step}))


awake = Code(
    solution="""
    def awake(experts, chosen, tokens):
        missed_by_one = 1 - chosen / experts
        missed_by_all = missed_by_one ** tokens
        return 1 - missed_by_all
    """,
    truth=_touched,
    cases=[(16, 2, 1), (16, 2, 16), (64, 2, 16), (8, 8, 3), (128, 1, 256)],
    unit="fraction",
)
