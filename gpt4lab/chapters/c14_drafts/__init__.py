"""Chapter 14: speculative decoding."""
