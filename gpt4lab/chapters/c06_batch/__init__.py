"""Chapter 06: a batch of sixty million."""
