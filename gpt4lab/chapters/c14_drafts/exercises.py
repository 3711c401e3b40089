"""Chapter 14's exercise in code: what to draw from after a refusal."""

from __future__ import annotations

from collections.abc import Sequence

from gpt4lab.book.exercises.code import Code
from gpt4lab.chapters.c14_drafts.drawing import TARGET, judged
from gpt4lab.scenario import load_scenario


def _balanced(p: Sequence[float], q: Sequence[float]) -> list[float]:
    """What must be drawn for each refused guess, so that p comes out: min(p, q) has come out already."""
    kept = list(map(min, p, q))
    return [(wanted - there) / (1 - sum(kept)) for wanted, there in zip(p, kept, strict=True)]


second = Code(
    solution="""
    def second(p, q):
        missing = [max(0, a - b) for a, b in zip(p, q)]
        return [share / sum(missing) for share in missing]
    """,
    truth=_balanced,
    cases=[
        ([0.5, 0.5], [0.9, 0.1]),
        ([0.5, 0.3, 0.2], [0.2, 0.7, 0.1]),
        ([*TARGET], judged(load_scenario("leak")).draft),
    ],
)
