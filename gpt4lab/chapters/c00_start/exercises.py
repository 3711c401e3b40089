"""Chapter 00's exercise in code: the residual by which the book judges."""

from __future__ import annotations

from gpt4lab.book.exercises.code import Code
from gpt4lab.claims import audit
from gpt4lab.scenario import load_scenario

#: Claims of one number that is recomputed as one: (stated, recomputed) -> residual.
_FOUND = {result.claim.id: result for result in audit(load_scenario("leak"))}
_JUDGED = {
    (found.stated[0], found.recomputed[0]): found.residual
    for found in (_FOUND[key] for key in ("C02", "C01", "C88", "C27", "S06"))
}

residual = Code(
    solution="""
    def residual(stated, recomputed):
        return (stated - recomputed) / recomputed
    """,
    truth=lambda stated, recomputed: _JUDGED[stated, recomputed],
    cases=[*_JUDGED],
    unit="fraction",
)
