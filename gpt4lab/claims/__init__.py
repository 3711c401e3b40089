"""The ledger of claims, and the audit that judges it."""

# pyright: reportUnusedImport=false

from gpt4lab.claims.audit import Result, Tally, audit, judge, tally
from gpt4lab.claims.ledger import HOLDS, OPEN, VERDICTS, Claim, claims_of, ledger
