"""Chapter 03: 560 what, of which quantity."""
