"""Chapter 17: the verdict."""
