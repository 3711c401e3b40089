"""Chapter 03's exercise in code: the slip of a unit, found as the audit finds it."""

from __future__ import annotations

from gpt4lab.book.exercises.code import Code
from gpt4lab.claims import audit
from gpt4lab.scenario import load_scenario

#: (stated, recomputed) -> what the stated number must be multiplied by, by the audit of the whole ledger.
_READ = {
    (result.stated[0], result.recomputed[0]): result.slip
    for result in audit(load_scenario("leak"), ["C12", "C13", "C02", "C27", "C36"])
}

slip = Code(
    solution="""
    def slip(stated, recomputed):
        factors = (1, 1e-2, 1e-3, 1e-6)
        apart = [abs(stated * factor / recomputed - 1) for factor in factors]
        return factors[apart.index(min(apart))]
    """,
    truth=lambda stated, recomputed: _READ[stated, recomputed],
    cases=[*_READ],
)
