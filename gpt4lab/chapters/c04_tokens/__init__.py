"""Chapter 04: thirteen trillion tokens."""
