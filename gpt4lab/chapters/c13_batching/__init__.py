"""Chapter 13: continuous batching."""
