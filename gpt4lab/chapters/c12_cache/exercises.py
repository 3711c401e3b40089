"""Chapter 12's exercise in code: heads cannot be cut."""

from __future__ import annotations

from gpt4lab.book.exercises.code import Code
from gpt4lab.quantities import value
from gpt4lab.scenario import load_scenario


def _fullest(heads: int, gpus: int) -> float:
    return 1 / value("kv.ranks", load_scenario("leak"), {"model.kv_heads": heads, "serving.tensor": gpus})


fullest = Code(
    solution="""
    import math

    def fullest(heads, gpus):
        its_heads = math.ceil(heads / gpus)
        return its_heads / heads
    """,
    truth=_fullest,
    cases=[(8, 8), (1, 8), (9, 8), (96, 8), (8, 1), (4, 3)],
    unit="fraction",
)
