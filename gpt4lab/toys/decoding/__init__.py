"""Study: a cache of key-value heads, and decoding from it."""
