"""Chapter 15: eyes."""
