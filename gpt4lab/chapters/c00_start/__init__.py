"""Chapter 00: the ledger of all claims."""
