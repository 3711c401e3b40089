"""Chapter 05: what is known by heart."""
