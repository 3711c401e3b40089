"""Chapter 12: one key-value head."""
