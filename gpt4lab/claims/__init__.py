"""The ledger of claims, and the audit that judges it."""

from gpt4lab.claims.audit import Result, audit, judge, tally
from gpt4lab.claims.ledger import HOLDS, VERDICTS, Claim, claims_of, ledger

__all__ = ["HOLDS", "VERDICTS", "Claim", "Result", "audit", "claims_of", "judge", "ledger", "tally"]
