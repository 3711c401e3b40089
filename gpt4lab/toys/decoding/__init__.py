"""Study: caches of key-value heads, and speculative decoding."""
